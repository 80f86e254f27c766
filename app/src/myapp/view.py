"""The sample view: the one thing on the page that really uses the packages, in this process.

What a package does when it is loaded or used here could be anything, so it is drawn in a thread beside, once; visitors
get copies of what has come of that.
"""

from __future__ import annotations

import threading
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.document import Document
from bokeh.models import CustomJS
from panel.io.resources import LOCAL_DIST
from panel.io.state import set_curdoc

if TYPE_CHECKING:
    from bokeh.model import Model

TIMEOUT = 60.0  # seconds


def text(name: str) -> str:
    """Return a file of the page: its template, or a stylesheet."""
    return (resources.files("myapp") / "page" / name).read_text(encoding="utf-8")


PARTS, CHART = text("parts.css"), text("chart.js")


class Sample:
    """Whether the sample can be drawn here, and the drawing of it."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        """Begin with nothing loaded."""
        self.works = False
        self.text = ""  # the sample as a table to read, once it works
        self._drawn: Any = None  # the sample as Bokeh writes a document
        self._timeout = timeout
        self._trial: threading.Thread | None = None
        self._fault: str | None = None

    def attempt(self) -> str | None:
        """Try to draw it, if that has not yet worked; return why it does not work, in one line, or None."""
        if self.works:
            return None
        if self._trial is None:
            self._trial = threading.Thread(target=self._try, daemon=True)
            self._trial.start()
        self._trial.join(self._timeout)
        if self._trial.is_alive():
            return f"it was not done after {self._timeout:g} seconds"
        self._trial = None
        return self._fault

    def draw(self) -> Model:
        """Return the sample as a model of its own, for one visitor, once it works: a copy of what was drawn."""
        document = Document.from_json(self._drawn)
        root = document.roots[0]
        document.remove_root(root)
        return root

    def _try(self) -> None:
        try:
            sample, ui = import_module("myapp.sample"), import_module("foopack_ui")
            array = sample.temperatures()
            document = Document()
            document.template_variables["dist_url"] = LOCAL_DIST  # else Panel's styles come from its CDN
            with set_curdoc(document):
                document.add_root(suit(ui.view(array)).get_root(document))
            self._drawn, self.text = document.to_json(), sample.text(array)
            self.draw()
        except BaseException as error:  # SystemExit too
            self._fault = line(error)
        else:
            self.works, self._fault = True, None


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
                # As wide as a phone's plot: a legend does not wrap.
                legend.update(orientation="horizontal", padding=0, margin=4, glyph_width=14, label_standoff=3)
            # It is told how wide it is once it is drawn.
            plot.js_on_change("inner_width", CustomJS(args={"plot": plot}, code=CHART))
    return view


def line(error: BaseException) -> str:
    """Write an error in one line."""
    text = next((each.strip() for each in str(error).splitlines() if each.strip()), "")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
