"""The sample view. It is the only part of the page that imports and uses the packages in this process.

A package could do anything when it is imported or used, so the sample is drawn once, in a separate thread. Visitors get
copies of the result.
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
    """Return the contents of one of the page's files: the template, a stylesheet or a script."""
    return (resources.files("myapp") / "page" / name).read_text(encoding="utf-8")


PARTS, CHART = text("parts.css"), text("chart.js")


class Sample:
    """Draws the sample once, and keeps the result."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        """Start without a drawing."""
        self.works = False
        self.text = ""  # the sample as a text table, once it works
        self._drawn: Any = None  # the sample as a Bokeh document in JSON
        self._timeout = timeout
        self._trial: threading.Thread | None = None
        self._fault: str | None = None

    def attempt(self) -> str | None:
        """Draw the sample, unless that has already succeeded. Return why it failed, in one line, or None."""
        if self.works:
            return None
        if self._trial is None:
            self._trial = threading.Thread(target=self._try, daemon=True)
            self._trial.start()
        self._trial.join(self._timeout)
        if self._trial.is_alive():
            return f"it took longer than {self._timeout:g} seconds"
        self._trial = None
        return self._fault

    def draw(self) -> Model:
        """Return a copy of the drawing, as a separate model for one visitor. Needs a successful attempt."""
        document = Document.from_json(self._drawn)
        root = document.roots[0]
        document.remove_root(root)
        return root

    def _try(self) -> None:
        try:
            sample, ui = import_module("myapp.sample"), import_module("foopack_ui")
            array = sample.temperatures()
            document = Document()
            document.template_variables["dist_url"] = LOCAL_DIST  # otherwise Panel loads its styles from its CDN
            with set_curdoc(document):
                document.add_root(suit(ui.view(array)).get_root(document))
            self._drawn, self.text = document.to_json(), sample.text(array)
            self.draw()
        except BaseException as error:  # includes SystemExit
            self._fault = line(error)
        else:
            self.works, self._fault = True, None


def suit(view: pn.Column) -> pn.Column:
    """Adapt the packages' own view to the page: use the page's colors, and fit into narrow screens."""
    for pane in view:
        pane.stylesheets = [*pane.stylesheets, PARTS]
        if isinstance(pane, pn.pane.Bokeh):
            plot: Any = pane.object
            plot.toolbar_location = plot.border_fill_color = plot.background_fill_color = None
            plot.xaxis.major_label_orientation = "vertical"
            for legend in list(plot.legend):
                plot.right.remove(legend)
                plot.add_layout(legend, "above")
                # Fit the width of a plot on a phone, because a legend does not wrap.
                legend.update(orientation="horizontal", padding=0, margin=4, glyph_width=14, label_standoff=3)
            # The plot's width is not known until it is drawn.
            plot.js_on_change("inner_width", CustomJS(args={"plot": plot}, code=CHART))
    return view


def line(error: BaseException) -> str:
    """Format an error as one line."""
    text = next((each.strip() for each in str(error).splitlines() if each.strip()), "")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
