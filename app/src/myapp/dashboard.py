"""The page that a visitor sees, built from Bokeh models. It is updated from a report that all visitors share.

The page requests nothing from other servers. It is readable before its scripts run, because the HTML already contains
the latest report. The scripts then replace the report with identical models, which the server keeps up to date.

Pieces that are identical for all visitors are made once. Panel's panes and widgets need several times as much memory
per visitor as the Bokeh models that they create, so only the packages' own view, in `view`, uses them.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING

import panel as pn
from bokeh.document import without_document_lock
from bokeh.models import Button, CheckboxGroup, Column, InlineStyleSheet, Select
from panel.io.resources import LOCAL_DIST
from panel.models import HTML

from myapp import render
from myapp.view import PARTS, line, text

if TYPE_CHECKING:
    from jinja2 import Template

    from myapp.refresh import Refresher
    from myapp.report import Report
    from myapp.view import Sample

    Newer = list[tuple[str, str]]

INTERVALS = {"5 s": 5.0, "10 s": 10.0, "30 s": 30.0, "1 min": 60.0, "5 min": 300.0}  # seconds
USUAL = "1 min"
PANES = ("overview", "provenance", "newer", "packages", "indirect", "system")  # identical for all visitors
CONTROLS = text("controls.css")
STYLES = {"parts": PARTS, "style": text("page.css")}


class Pieces:
    """The state that all visitors share: the report, and the pieces of the page that are rendered from it."""

    def __init__(self, refresher: Refresher[Report], sample: Sample, newer: Refresher[Newer] | None = None) -> None:
        """Start with nothing rendered."""
        self.refresher = refresher
        self.sample = sample
        self.newer = newer
        self._drawn: dict[str, str] = {}
        self._of: tuple[object, ...] | None = None  # the values that the pieces were rendered from

    @property
    def trouble(self) -> str | None:
        """Why the latest report is out of date, or None if it is up to date."""
        if self.refresher.failure is not None:
            return f"the last check failed: {line(self.refresher.failure)}"
        if self.refresher.old:
            return (
                "this report is old, and there is no newer one"
                if self.refresher.latest
                else "no check has been done yet"
            )
        return None

    @property
    def fault(self) -> str | None:
        """Why the sample cannot be drawn, or None if it can be drawn or this is not known yet."""
        report = self.refresher.latest
        if report is None:
            return None
        return report.sample or next((each.error for each in report.imports if each.error), None)

    def now(self) -> dict[str, str]:
        """Return the parts of the page that are plain HTML. They are rendered again only if something has changed."""
        report, trouble, since, fault = self.refresher.latest, self.trouble, self.refresher.since, self.fault
        told = (self.newer.latest, self.newer.failure) if self.newer else ()
        table = self.sample.text if self.sample.works else None
        of = (report, trouble, since, fault, told, table)
        if of != self._of:
            self._of, self._drawn = (
                of,
                {
                    "overview": render.overview(report, trouble, since),
                    "provenance": render.provenance(report),
                    "newer": render.newer(*told) if told else "",
                    "packages": render.packages(report),
                    "indirect": render.indirect(report),
                    "system": render.system(report),
                    "imports": "".join(self.tried()),
                    "sample": render.sample(table, fault),
                    "headline": render.headline(report, trouble)[1],
                },
            )
        return self._drawn

    def tried(self) -> list[str]:
        """Render the import tests. The line and the traceback of a test are separate pieces."""
        report = self.refresher.latest
        tried = report.imports if report else ()
        return [piece for each in tried for piece in (render.attempt(each), render.traceback(each))] or [render.PENDING]


def page(shared: Pieces) -> None:
    """Make a visitor's page in the session's document. Must be called once per visit."""
    Visit(shared)


@cache
def template() -> Template:
    """Return the page's template. It is cached, because compiling it takes longer than making a page."""
    return pn.Template(text("page.html")).template


class Visit:
    """One visitor's controls and pieces of the page, which are updated from the shared report."""

    def __init__(self, shared: Pieces) -> None:
        """Make the controls and pieces in the visitor's session, and subscribe to the report."""
        self.shared = shared
        self.refresher = shared.refresher
        self.document = pn.state.curdoc
        self.drawn = False  # whether the sample is drawn
        self.parts = InlineStyleSheet(css=PARTS)
        controls = InlineStyleSheet(css=CONTROLS)
        pieces = shared.now()
        self.panes = {name: self.html(pieces[name]) for name in PANES}
        self.panes["taken"] = self.html("")
        self.imports = Column(sizing_mode="stretch_width")
        self.sample = Column(children=[self.html(pieces["sample"])], sizing_mode="stretch_width", min_height=420)
        self.button = Button(label="Refresh", button_type="primary", css_classes=["refresh"], stylesheets=[controls])
        # A group of one, because a single Bokeh checkbox has no label that a screen reader can find.
        self.live = CheckboxGroup(labels=["Live"], active=[0], css_classes=["live"], stylesheets=[controls])
        self.every = Select(
            title="every", options=list(INTERVALS), value=USUAL, css_classes=["every"], stylesheets=[controls]
        )
        self.show_imports()
        self.follow()
        self.button.on_click(self.clicked)
        self.live.on_change("active", self.chosen)
        self.every.on_change("value", self.chosen)
        self.put(pieces)
        self.document.on_session_destroyed(lambda _: self.refresher.leave(self))
        pn.state.onload(self.show_sample)

    def put(self, pieces: dict[str, str]) -> None:
        """Add the models to the document, and to its template the HTML that is shown until they are drawn."""
        roots = {
            **self.panes,
            "imports": self.imports,
            "sample": self.sample,
            "refresh": self.button,
            "live": self.live,
            "every": self.every,
        }
        with self.document.models.freeze():
            for name, model in roots.items():
                model.name = name
                self.document.add_root(model)
        self.document.template = template()
        self.document.template_variables.update(
            STYLES,
            headline=pieces["headline"],
            first={**pieces, "taken": self.taken()},
            now=datetime.now(UTC).isoformat(timespec="milliseconds"),
            # Panel sets this when it serves the page. A connection that is opened after the page's session has ended
            # creates a new session, and Panel would load that session's styles from its CDN.
            dist_url=LOCAL_DIST,
        )

    def html(self, piece: str) -> HTML:
        """Return a model for one piece of the page."""
        return HTML(
            text=written(piece),
            visible=bool(piece),
            run_scripts=False,
            sizing_mode="stretch_width",
            stylesheets=[self.parts],
            margin=0,
        )

    @property
    def wish(self) -> float | None:
        """The refresh interval that this visitor has chosen, in seconds, or None if the page is not live."""
        return INTERVALS.get(self.every.value, INTERVALS[USUAL]) if self.live.active else None

    def taken(self) -> str:
        """Render the time of the last refresh, and how soon the page's script can expect the next one."""
        return render.taken(self.refresher.latest, None if self.wish is None else self.refresher.within(self.wish))

    def chosen(self, attr: str, old: object, new: object) -> None:  # Bokeh requires these names
        """Apply the interval that the visitor has chosen."""
        self.follow()

    def follow(self) -> None:
        """Subscribe to the shared report at the interval that this visitor has chosen."""
        self.every.disabled = self.wish is None
        self.refresher.watch(self, self.wish, self.see)
        update(self.panes["taken"], self.taken())

    def see(self, _: Report | None) -> None:
        """Schedule an update for a new report, if the page is live. Called outside the session."""
        if self.wish is not None:
            self.document.add_next_tick_callback(self.show)

    def clicked(self) -> None:
        """Start a refresh, or wait for the one in progress, and show its report."""
        self.button.update(label="Refreshing …", disabled=True)
        self.document.add_next_tick_callback(without_document_lock(self.refresh))

    async def refresh(self) -> None:
        """Wait for the refresh without blocking the session."""
        with suppress(Exception):  # the page shows that it failed
            await self.refresher.refresh()
        self.document.add_next_tick_callback(self.refreshed)

    def refreshed(self) -> None:
        """Show the report, and enable the button again."""
        try:
            self.show()
        finally:
            self.button.update(label="Refresh", disabled=False)

    def show(self) -> None:
        """Update the pieces that differ. All others keep their state, such as an expanded traceback."""
        pieces = self.shared.now()
        for name in PANES:
            update(self.panes[name], pieces[name])
        update(self.panes["taken"], self.taken())
        self.show_imports()
        self.show_sample()

    def show_imports(self) -> None:
        """Show the import tests."""
        lines = self.shared.tried()
        if len(lines) != len(self.imports.children):
            self.imports.children = [self.html(piece) for piece in lines]
        for pane, piece in zip(self.imports.children, lines, strict=True):
            update(pane, piece)

    def show_sample(self) -> None:
        """Draw the sample data, once it is known that it can be drawn."""
        if self.drawn or self.refresher.latest is None:
            return
        sample, fault = self.shared.sample, self.shared.fault or "not yet"
        self.drawn = sample.works
        shown = sample.draw() if self.drawn else self.html(render.sample(None, fault))
        self.sample.update(children=[shown], min_height=None)


def update(pane: HTML, piece: str) -> None:
    """Set a model's piece, if it has changed."""
    if pane.text != written(piece):
        pane.update(text=written(piece), visible=bool(piece))


@lru_cache(maxsize=100)
def written(piece: str) -> str:
    """Escape a piece for Panel's model. The result is cached, so all visitors share one string."""
    return escape(piece)
