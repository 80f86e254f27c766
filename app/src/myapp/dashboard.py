"""The page, of Bokeh's models: what one visitor sees, and how it follows the report that all visitors share.

Nothing on it is asked of another machine. It is readable before its scripts have run: the first answer has the latest
report in it, and its scripts then put the same pieces, which the server keeps up to date, in their place.

What is the same for all visitors is made once. Panel's panes and widgets keep several times what the models weigh that
they draw, for each visitor, so only the packages' own view, in `view`, is of them.
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
PANES = ("overview", "provenance", "newer", "packages", "indirect", "system")  # pieces that are the same for all
CONTROLS = text("controls.css")
STYLES = {"parts": PARTS, "style": text("page.css")}


class Pieces:
    """What all visitors see: the report, and the pieces of the page that are drawn of it."""

    def __init__(self, refresher: Refresher[Report], sample: Sample, newer: Refresher[Newer] | None = None) -> None:
        """Begin with nothing drawn."""
        self.refresher = refresher
        self.sample = sample
        self.newer = newer
        self._drawn: dict[str, str] = {}
        self._of: tuple[object, ...] | None = None  # what that was drawn of

    @property
    def trouble(self) -> str | None:
        """Why the latest report does not say how things are now; None: it does."""
        if self.refresher.failure is not None:
            return f"the last check came to nothing: {line(self.refresher.failure)}"
        if self.refresher.old:
            return (
                "this is an old report, and there is no newer one" if self.refresher.latest else "no check was done yet"
            )
        return None

    @property
    def fault(self) -> str | None:
        """Why the sample cannot be drawn; None: it can, or nobody knows yet."""
        report = self.refresher.latest
        if report is None:
            return None
        return report.sample or next((each.error for each in report.imports if each.error), None)

    def now(self) -> dict[str, str]:
        """Return the parts of the page that are plain HTML, drawn again only where something has changed."""
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
        """Draw the import tests, each as a line and, on its own, its traceback."""
        report = self.refresher.latest
        tried = report.imports if report else ()
        return [piece for each in tried for piece in (render.attempt(each), render.traceback(each))] or [render.PENDING]


def page(shared: Pieces) -> None:
    """Make one visitor's page, in the document of the session. To be called for each visit."""
    Visit(shared)


@cache
def template() -> Template:
    """Return the page's template, which takes longer to compile than a page takes to be made."""
    return pn.Template(text("page.html")).template


class Visit:
    """One visitor's controls and pieces, which follow the shared report."""

    def __init__(self, shared: Pieces) -> None:
        """Make them, in the session of the visit, and begin to follow."""
        self.shared = shared
        self.refresher = shared.refresher
        self.document = pn.state.curdoc
        self.drawn = False  # the sample
        self.parts = InlineStyleSheet(css=PARTS)
        controls = InlineStyleSheet(css=CONTROLS)
        pieces = shared.now()
        self.panes = {name: self.html(pieces[name]) for name in PANES}
        self.panes["taken"] = self.html("")
        self.imports = Column(sizing_mode="stretch_width")
        self.sample = Column(children=[self.html(pieces["sample"])], sizing_mode="stretch_width", min_height=420)
        self.button = Button(label="Refresh", button_type="primary", css_classes=["refresh"], stylesheets=[controls])
        # A group of one: a single checkbox has no label that a screen reader could find.
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
        """Put everything into the document, and what it looks like before that is drawn."""
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
            # Panel sets this where it answers with the page. A connection that comes when that session is gone begins
            # another one, whose styles Panel would ask its CDN for.
            dist_url=LOCAL_DIST,
        )

    def html(self, piece: str) -> HTML:
        """Return a model of one piece of the page."""
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
        """How often this visitor wants a report, in seconds; None: the page is not live."""
        return INTERVALS.get(self.every.value, INTERVALS[USUAL]) if self.live.active else None

    def taken(self) -> str:
        """Draw when the last refresh was, with when the page's script may expect the next."""
        return render.taken(self.refresher.latest, None if self.wish is None else self.refresher.within(self.wish))

    def chosen(self, attr: str, old: object, new: object) -> None:  # the names that Bokeh asks for
        """Follow as the visitor has chosen."""
        self.follow()

    def follow(self) -> None:
        """Let the shared report be refreshed as often as this visitor wants it."""
        self.every.disabled = self.wish is None
        self.refresher.watch(self, self.wish, self.see)
        update(self.panes["taken"], self.taken())

    def see(self, _: Report | None) -> None:
        """Take notice of news, outside of the session: the page changes in it, and only if it is live."""
        if self.wish is not None:
            self.document.add_next_tick_callback(self.show)

    def clicked(self) -> None:
        """Show a new report, or the one of the refresh that is already under way."""
        self.button.update(label="Refreshing …", disabled=True)
        self.document.add_next_tick_callback(without_document_lock(self.refresh))

    async def refresh(self) -> None:
        """Wait for that; the session may go on meanwhile."""
        with suppress(Exception):  # that it came to nothing is shown
            await self.refresher.refresh()
        self.document.add_next_tick_callback(self.refreshed)

    def refreshed(self) -> None:
        """Show it, and let the visitor ask again."""
        try:
            self.show()
        finally:
            self.button.update(label="Refresh", disabled=False)

    def show(self) -> None:
        """Change what is different; everything else keeps its state, such as an open traceback."""
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
        """Draw the sample data, once that is known to work."""
        if self.drawn or self.refresher.latest is None:
            return
        sample, fault = self.shared.sample, self.shared.fault or "not yet"
        self.drawn = sample.works
        shown = sample.draw() if self.drawn else self.html(render.sample(None, fault))
        self.sample.update(children=[shown], min_height=None)


def update(pane: HTML, piece: str) -> None:
    """Give a model another piece, if it is another."""
    if pane.text != written(piece):
        pane.update(text=written(piece), visible=bool(piece))


@lru_cache(maxsize=100)
def written(piece: str) -> str:
    """Write a piece as Panel's model wants it: one text for all visitors."""
    return escape(piece)
