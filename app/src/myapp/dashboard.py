"""The page, a Panel application: what one visitor sees, and how it follows the report that all visitors share.

Nothing on it is asked of another machine. It is readable before its scripts have run: the first answer has the latest
report in it, and Panel then puts the same pieces, which it keeps up to date, in their place.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.models import CustomJS
from panel.io.resources import LOCAL_DIST

from myapp import render
from myapp.view import line

if TYPE_CHECKING:
    from myapp.refresh import Refresher
    from myapp.report import Import, Report
    from myapp.view import Sample

    Newer = list[tuple[str, str]]

INTERVALS = {"5 s": 5.0, "10 s": 10.0, "30 s": 30.0, "1 min": 60.0, "5 min": 300.0}  # seconds
USUAL = 60.0


def text(name: str) -> str:
    """Return a file of the page: its template, or a stylesheet."""
    return (resources.files("myapp") / "page" / name).read_text(encoding="utf-8")


PARTS, CONTROLS, CHART = text("parts.css"), text("controls.css"), text("chart.js")


def page(refresher: Refresher[Report], sample: Sample, newer: Refresher[Newer] | None = None) -> pn.Template:
    """Return one visitor's page. To be called for each visit, within its session."""
    return Visit(refresher, sample, newer).template()


class Visit:
    """One visitor's widgets and panes, which follow the shared report."""

    def __init__(self, refresher: Refresher[Report], sample: Sample, newer: Refresher[Newer] | None) -> None:
        """Make the widgets and panes, in the session of the visit, and begin to follow."""
        self.refresher = refresher
        self.drawing = sample
        self.drawn = False  # the sample
        self.newer = newer
        self.document = pn.state.curdoc
        if self.document:
            # Panel sets this where it answers with the page. A connection that comes when that session is gone begins
            # another one, whose styles Panel would ask its CDN for.
            self.document.template_variables["dist_url"] = LOCAL_DIST
        self.imports = pn.Column(sizing_mode="stretch_width")
        self.sample = pn.Column(html(self.first_sample()), sizing_mode="stretch_width", min_height=420)
        self.button = pn.widgets.Button(
            name="Refresh", button_type="primary", css_classes=["refresh"], stylesheets=[CONTROLS]
        )
        # A group of one: a single checkbox of Panel's has no label that a screen reader could find.
        self.live = pn.widgets.CheckBoxGroup(
            options=["Live"], value=["Live"], css_classes=["live"], stylesheets=[CONTROLS]
        )
        self.every = pn.widgets.Select(
            name="every", options=INTERVALS, value=USUAL, css_classes=["every"], stylesheets=[CONTROLS]
        )
        self.panes = {name: html(piece) for name, piece in self.pieces().items()}
        self.button.on_click(self.refresh)
        self.live.param.watch(self.follow, "value")
        self.every.param.watch(self.follow, "value")
        self.show_imports(refresher.latest)
        self.follow()
        pn.state.on_session_destroyed(lambda _: refresher.leave(self))
        pn.state.onload(self.show_sample)

    def pieces(self) -> dict[str, str]:
        """Draw the parts of the page that are plain HTML."""
        report, trouble = self.refresher.latest, self.trouble()
        return {
            "overview": render.overview(report, trouble, self.refresher.since),
            "provenance": render.provenance(report),
            "newer": render.newer(self.newer.latest, self.newer.failure) if self.newer else "",
            "taken": self.taken(),
            "packages": render.packages(report),
            "indirect": render.indirect(report),
            "system": render.system(report),
        }

    def taken(self) -> str:
        """Draw when the last refresh was, with when the page's script may expect the next."""
        return render.taken(self.refresher.latest, self.refresher.within(self.every.value) if self.live.value else None)

    def trouble(self) -> str | None:
        """Return why the latest report does not say how things are now; None: it does."""
        if self.refresher.failure is not None:
            return f"the last check came to nothing: {line(self.refresher.failure)}"
        if self.refresher.old:
            return (
                "this is an old report, and there is no newer one" if self.refresher.latest else "no check was done yet"
            )
        return None

    def template(self) -> pn.Template:
        """Put the pieces into the page."""
        template = pn.Template(text("page.html"))
        for name, pane in self.panes.items():
            template.add_panel(name, pane)
        template.add_panel("imports", self.imports)
        template.add_panel("sample", self.sample)
        template.add_panel("refresh", self.button)
        template.add_panel("live", self.live)
        template.add_panel("every", self.every)
        for name, piece in self.pieces().items():
            template.add_variable(f"first_{name}", piece)
        latest = self.refresher.latest
        tried = latest.imports if latest else ()
        template.add_variable("first_imports", "".join(map(render.attempt, tried)) or render.PENDING)
        template.add_variable("first_sample", self.first_sample())
        template.add_variable("headline", render.headline(latest, self.trouble())[1])
        template.add_variable("now", datetime.now(UTC).isoformat(timespec="milliseconds"))
        template.add_variable("parts", PARTS)
        template.add_variable("style", text("page.css"))
        return template

    def first_sample(self) -> str:
        """Write the sample for who has no JavaScript, or prints the page before its chart is drawn."""
        return render.sample(self.drawing.text if self.drawing.works else None, self.fault())

    def fault(self) -> str | None:
        """Return why the sample cannot be drawn; None: it can, or nobody knows yet."""
        report = self.refresher.latest
        if report is None:
            return None
        return report.sample or next((each.error for each in report.imports if each.error), None)

    def follow(self, *_: object) -> None:
        """Let the shared report be refreshed as often as this visitor wants it."""
        self.every.disabled = not self.live.value
        self.refresher.watch(self, self.every.value if self.live.value else None, self.see)
        update(self.panes["taken"], self.taken())

    def see(self, _: Report | None) -> None:
        """Take notice of news, outside of the session: the page changes in it, and only if it is live."""
        if self.document and self.live.value:
            self.document.add_next_tick_callback(self.show)

    async def refresh(self, _: object) -> None:
        """Show a new report, or the one of the refresh that is already under way."""
        self.button.param.update(name="Refreshing …", disabled=True)
        try:
            with suppress(Exception):  # that it came to nothing is shown
                await self.refresher.refresh()
            self.show()
        finally:
            self.button.param.update(name="Refresh", disabled=False)

    def show(self) -> None:
        """Change what is different; everything else keeps its state, such as an open traceback."""
        with pn.io.hold(self.document):
            for name, piece in self.pieces().items():
                update(self.panes[name], piece)
            self.show_imports(self.refresher.latest)
            self.show_sample()

    def show_imports(self, report: Report | None) -> None:
        """Show the import tests, each as a line and, on its own, its traceback."""
        tried: tuple[Import, ...] = report.imports if report else ()
        lines = [piece for each in tried for piece in (render.attempt(each), render.traceback(each))]
        lines = lines or [render.PENDING]
        if len(lines) != len(self.imports):
            self.imports.objects = [html(piece) for piece in lines]
        for pane, piece in zip(self.imports, lines, strict=True):
            update(pane, piece)

    def show_sample(self) -> None:
        """Draw the sample data with the packages as they are in this process, once that is known to work."""
        if self.drawn or self.refresher.latest is None:
            return
        fault = self.fault()
        if self.drawing.works:
            try:
                shown = suit(self.drawing.draw())
                self.drawn = True
            except Exception as error:
                fault = line(error)
        if not self.drawn:
            shown = html(render.sample(None, fault or "not yet"))
        self.sample.param.update(objects=[shown], min_height=None)


def suit(view: pn.Column) -> pn.Column:
    """Let the packages' own view follow the page: its colours, and a width that may be a phone's."""
    for pane in view:
        pane.stylesheets = [*pane.stylesheets, PARTS]
        if isinstance(pane, pn.pane.Bokeh):
            plot: Any = pane.object
            plot.toolbar_location = plot.border_fill_color = plot.background_fill_color = None
            plot.xaxis.major_label_orientation = "vertical"
            for legend in list(plot.legend):
                plot.right.remove(legend)
                plot.add_layout(legend, "above")
                legend.orientation = "horizontal"
            # It is told how wide it is once it is drawn.
            plot.js_on_change("inner_width", CustomJS(args={"plot": plot}, code=CHART))
    return view


def html(piece: str) -> pn.pane.HTML:
    """Return a pane of one piece of the page."""
    return pn.pane.HTML(piece, sizing_mode="stretch_width", stylesheets=[PARTS], margin=0, visible=bool(piece))


def update(pane: pn.pane.HTML, piece: str) -> None:
    """Give a pane another piece, if it is another."""
    if pane.object != piece:
        pane.param.update(object=piece, visible=bool(piece))
