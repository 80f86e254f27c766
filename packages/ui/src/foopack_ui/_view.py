from __future__ import annotations

from html import escape
from itertools import cycle
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.palettes import Category10_10
from bokeh.plotting import figure

from foopack_core import summarize

if TYPE_CHECKING:
    import xarray as xr

ROOMY = "td, th { padding: 2px 12px; text-align: right }"


def chart(array: xr.DataArray) -> figure:
    """Draw a labelled array as lines with dots: along its first dimension, one line for each label of its second.

    Args:
        array: Real numbers, one or two dimensions. The first dimension may have numbers, times or names as labels. NaN
            is a gap.

    Returns:
        A figure as wide as its surroundings, 320 pixels high. The axes bear the names of the first dimension and of the
        values, with the units of both where the attribute "units" has them.

    Raises:
        TypeError: The values are not real numbers.
        ValueError: There are other than one or two dimensions.
    """
    lines = _lines(array)
    along, across = lines.dims
    at: Any = lines[along].to_numpy()
    axis: dict[str, Any]
    match at.dtype.kind:
        case "i" | "u" | "f":
            axis = {}
        case "M":
            axis = {"x_axis_type": "datetime"}
        case _:
            at = [str(label) for label in at]
            axis = {"x_range": at}
    plot = figure(
        height=320, sizing_mode="stretch_width", x_axis_label=titled(lines[along]), y_axis_label=titled(lines), **axis
    )
    for line, colour in zip(lines.transpose(), cycle(Category10_10), strict=False):
        legend: dict[str, Any] = {} if array.ndim == 1 else {"legend_label": str(line[across].to_numpy())}
        plot.line(at, line.to_numpy(), color=colour, line_width=2, **legend)
        plot.scatter(at, line.to_numpy(), color=colour, size=5, **legend)  # a value between two gaps has no line
    for legend_box in plot.legend:
        plot.add_layout(legend_box, "right")
    return plot


def view(array: xr.DataArray) -> pn.Column:
    """Show a labelled array: its name, its chart, and a table that summarises each line.

    Args:
        array: As for `chart`.

    Returns:
        A column of three panes, to serve, to put on a page or to save.

    Raises:
        TypeError: As for `chart`.
        ValueError: As for `chart`; also if the first dimension has no positions.
    """
    lines = _lines(array)
    summary = summarize(lines, str(lines.dims[0])).to_dataframe()
    return pn.Column(
        pn.pane.HTML(f"<h2>{escape(titled(array))}</h2>"),
        pn.pane.Bokeh(chart(array), sizing_mode="stretch_width"),
        pn.pane.DataFrame(summary, float_format=lambda number: f"{number:.4g}", stylesheets=[ROOMY]),
        sizing_mode="stretch_width",
    )


def _lines(array: xr.DataArray) -> xr.DataArray:
    """Return the array with two dimensions; one that has a single one becomes a single line, named as it is."""
    if array.dtype.kind not in "iuf":
        raise TypeError(f"only real numbers can be drawn, not values of type {array.dtype}")
    if array.ndim not in (1, 2):
        raise ValueError(f"only one or two dimensions can be drawn, not {array.ndim}: select or reduce first")
    if array.ndim == 2:
        return array
    return array.expand_dims({"": [titled(array)]}, axis=1)


def titled(array: xr.DataArray) -> str:
    name = "value" if array.name is None else str(array.name)
    return f"{name} [{array.attrs['units']}]" if "units" in array.attrs else name
