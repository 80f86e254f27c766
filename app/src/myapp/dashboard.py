"""The page, a Panel application: what one visitor sees, and how it follows the report that all visitors share.

Nothing on it is asked of another machine. It is readable before its scripts have run: the first answer has the latest
report in it, and Panel then puts the same pieces, which it keeps up to date, in their place.
"""

from __future__ import annotations

import asyncio
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.models import CustomJS

from myapp import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from myapp.refresh import Refresher
    from myapp.report import Import, Report

INTERVALS = {"5 s": 5.0, "10 s": 10.0, "30 s": 30.0, "1 min": 60.0, "5 min": 300.0}  # seconds
USUAL = 60.0
SECTIONS: dict[str, Callable[[Report | None], str]] = {
    "overview": render.overview,
    "provenance": render.provenance,
    "taken": render.taken,
    "packages": render.packages,
    "indirect": render.indirect,
    "system": render.system,
}


def text(name: str) -> str:
    """Return a file of the page: its template, or a stylesheet."""
    return (resources.files("myapp") / "page" / name).read_text(encoding="utf-8")


PARTS, CONTROLS, CHART = text("parts.css"), text("controls.css"), text("chart.js")


def page(refresher: Refresher[Report]) -> pn.Template:
    """Return one visitor's page. To be called for each visit, within its session."""
    return Visit(refresher).template()


class Visit:
    """One visitor's widgets and panes, which follow the shared report."""

    def __init__(self, refresher: Refresher[Report]) -> None:
        """Make the widgets and panes, in the session of the visit, and begin to follow."""
        self.refresher = refresher
        self.document = pn.state.curdoc
        self.panes = {name: html(draw(refresher.latest)) for name, draw in SECTIONS.items()}
        self.imports = pn.Column(sizing_mode="stretch_width")
        self.sample = pn.Column(html(render.PENDING), sizing_mode="stretch_width", min_height=420)
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
        self.button.on_click(self.refresh)
        self.live.param.watch(self.follow, "value")
        self.every.param.watch(self.follow, "value")
        self.show_imports(refresher.latest)
        self.follow()
        pn.state.on_session_destroyed(lambda _: refresher.leave(self))
        pn.state.onload(self.show_sample)

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
        latest = self.refresher.latest
        for name, draw in SECTIONS.items():
            template.add_variable(f"first_{name}", draw(latest))
        tried = latest.imports if latest else ()
        template.add_variable("first_imports", "".join(map(render.attempt, tried)) or render.PENDING)
        template.add_variable("parts", PARTS)
        template.add_variable("style", text("page.css"))
        template.add_variable("again", text("again.js"))
        return template

    def follow(self, *_: object) -> None:
        """Let the shared report be refreshed as often as this visitor wants it."""
        self.every.disabled = not self.live.value
        self.refresher.watch(self, self.every.value if self.live.value else None, self.see)

    def see(self, report: Report) -> None:
        """Take notice of a new report, outside of the session: the page changes in it, and only if it is live."""
        if self.document and self.live.value:
            self.document.add_next_tick_callback(lambda: self.show(report))

    async def refresh(self, _: object) -> None:
        """Show a new report, or the one of the refresh that is already under way."""
        self.button.param.update(name="Refreshing …", disabled=True)
        try:
            self.show(await self.refresher.refresh())
        finally:
            self.button.param.update(name="Refresh", disabled=False)

    def show(self, report: Report) -> None:
        """Change what is different; everything else keeps its state, such as an open traceback."""
        with pn.io.hold(self.document):
            for name, draw in SECTIONS.items():
                update(self.panes[name], draw(report))
            self.show_imports(report)

    def show_imports(self, report: Report | None) -> None:
        """Show the import tests, each as a line and, on its own, its traceback."""
        tried: tuple[Import, ...] = report.imports if report else ()
        lines = [line for each in tried for line in (render.attempt(each), render.traceback(each))]
        lines = lines or [render.PENDING]
        if len(lines) != len(self.imports):
            self.imports.objects = [html(line) for line in lines]
        for pane, line in zip(self.imports, lines, strict=True):
            update(pane, line)

    async def show_sample(self) -> None:
        """Draw the sample data with the packages as they are in this process. Loading them may be slow, or fail."""
        try:
            sample = await asyncio.to_thread(import_module, "myapp.sample")
            ui = await asyncio.to_thread(import_module, "foopack_ui")
            drawn = suit(ui.view(sample.temperatures()))
        except Exception as error:
            told = render.escape(f"{type(error).__name__}: {error}")
            drawn = html(f'<p class="error">The sample cannot be drawn: {told}</p>')
        self.sample.param.update(objects=[drawn], min_height=None)


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
