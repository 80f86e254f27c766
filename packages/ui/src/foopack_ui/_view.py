from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import panel as pn
import xarray as xr
from bokeh.models import ColumnDataSource, DataRange1d, PlainText
from bokeh.models.annotations import Legend, LegendItem
from bokeh.palettes import Category10_10
from bokeh.plotting import figure

from foopack_core import summarize

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

ROOMY = "td, th { padding: 2px 12px; text-align: right }"
NUMBERS = "iuf"  # numpy's kinds of real numbers
DASHES = ("solid", "dashed", "dotted")
MOST = len(Category10_10) * len(DASHES)  # the number of lines that can be told apart, and that are listed in the legend
DIGITS = 4  # significant digits in the table; more are used if different numbers would otherwise look the same
ALL_DIGITS = 17  # significant digits that distinguish any two floats
LAST = 8.64e12  # the largest distance from 1970 that dates in browsers support, in seconds


def chart(array: xr.DataArray) -> figure:
    """Draw a labelled array as lines with dots along its first dimension, one line for each label of the second.

    Args:
        array: An array of real numbers with one or two dimensions. Labels of the first dimension may be numbers, times,
            durations or names. If a dimension has no labels, its positions are used. NaN and infinite values are gaps.

    Returns:
        A figure that is 320 pixels high, fills the available width, and shares no memory with the array. The axes are
        titled with the names of the first dimension and of the values, and with their units if the attribute "units" is
        set. Up to 30 lines are distinguished by color and dashes, and listed in a legend. If there are more, they are
        thin and gray, without a legend.

    Raises:
        TypeError: `array` is not an `xarray.DataArray`, or its values are not real numbers.
        ValueError: The array does not have one or two dimensions. A label is missing or infinite. Two labels have the
            same text, or the same position on the axis. Numbers are too large, or too far apart, for a page's 64-bit
            floats.

    Examples:
        >>> from foopack_core import labelled
        >>> plot = chart(labelled([3.0, 5.0], {"day": ["Mon", "Tue"]}, name="rain", units="mm"))
        >>> plot.yaxis[0].axis_label
        'rain [mm]'
        >>> plot.x_range.factors
        ['Mon', 'Tue']
    """
    lines = _lines(array)
    along, across = lines.dims
    at, axis = _along(_index(lines, along), along)
    values = lines.transpose().to_numpy().astype(np.float64)  # the only type that pages support
    plot = figure(height=320, sizing_mode="stretch_width", y_range=_range("the values are", values), **axis)
    plot.xaxis.axis_label = _plain(titled(lines[along]) if along in lines.coords else str(along))
    plot.yaxis.axis_label = _plain(titled(lines))
    if len(values) > MOST:
        # One glyph for all lines, because each glyph is expensive, and thousands of colors cannot be told apart.
        plot.multi_line([at] * len(values), list(values), color="gray", line_width=1, line_alpha=0.5)
        return plot
    names = _texts(_index(lines, across), across) if array.ndim == 2 else []
    items = []
    for number, line in enumerate(values):
        color, dash = Category10_10[number % len(Category10_10)], DASHES[number // len(Category10_10)]
        source = ColumnDataSource({"x": at, "y": line})
        drawn: list[Any] = [
            plot.line("x", "y", source=source, color=color, line_width=2, line_dash=dash),
            plot.scatter("x", "y", source=source, color=color, size=5),  # a value between two gaps has only a dot
        ]
        if names:
            items.append(LegendItem(label={"value": names[number]}, renderers=drawn))
    if items:
        legend = Legend()
        legend.items = items  # Bokeh's type hints allow this only as an attribute
        plot.add_layout(legend, "right")
    return plot


def view(array: xr.DataArray) -> pn.Column:
    """Show a labelled array: its name, its chart, and a table with statistics of each line.

    Args:
        array: As for `chart`.

    Returns:
        A column of three panes, which can be served, added to a page or saved. It shares no memory with the array.

    Raises:
        TypeError: As for `chart`.
        ValueError: As for `chart`, or the first dimension is empty.

    Examples:
        >>> from foopack_core import labelled
        >>> rain = labelled([[3.0, 1.0], [5.0, 0.0]], {"day": ["Mon", "Tue"], "site": ["hill", "shore"]}, name="rain")
        >>> heading, plot, table = view(rain)
        >>> print(table.object)
               count  mean  std  min  max
        site
        hill       2   4.0  1.0  3.0  5.0
        shore      2   0.5  0.5  0.0  1.0
    """
    lines = _lines(array)
    across = lines.dims[1]
    # Drop the coordinates: a scalar one, left by a selection, would become a column, or have the name of a column.
    statistics = summarize(xr.DataArray(lines.to_numpy(), dims=["along", "across"]), "along")
    names = pd.Index(_texts(_index(lines, across), across), name=str(across))
    summary = pd.DataFrame({str(name): part.to_numpy() for name, part in statistics.items()}, index=names)
    digits = _digits(summary)
    formatters = {name: _formatter(summary[name], digits) for name in summary.columns.drop("count")}
    formatters["std"] = _formatter(summary["std"])  # needs no extra digits, because it is not one of the line's values
    return pn.Column(
        pn.pane.HTML(f"<h2>{escape(titled(array))}</h2>"),
        pn.pane.Bokeh(chart(array), sizing_mode="stretch_width"),
        pn.pane.DataFrame(summary, formatters=formatters, stylesheets=[ROOMY]),
        sizing_mode="stretch_width",
    )


def titled(array: xr.DataArray) -> str:
    """Return an array's name, and its units, if any."""
    name = "value" if array.name is None else str(array.name)
    units = array.attrs.get("units")
    shown = "" if pd.api.types.is_scalar(units) and pd.isna(units) else str(units).strip()
    return " ".join(part for part in (name, shown and f"[{shown}]") if part.strip()) or name


def _lines(array: xr.DataArray) -> xr.DataArray:
    """Return the array with two dimensions. A one-dimensional array becomes a single line, labelled with its name."""
    if not isinstance(array, xr.DataArray):
        raise TypeError(f"only a labelled array can be drawn, not a {type(array).__name__}: `labelled` makes one")
    if array.dtype.kind not in NUMBERS:
        raise TypeError(f"only real numbers can be drawn, not values of type {array.dtype}")
    if array.ndim not in (1, 2):
        raise ValueError(f"only one or two dimensions can be drawn, not {array.ndim}: select or reduce first")
    if array.dtype.char == "g":
        with np.errstate(over="ignore"):
            narrow = array.astype(np.float64)
        if (np.isinf(narrow) & ~np.isinf(array)).any():
            raise ValueError("a value is a long double that is larger than any float of 64 bits: divide the values")
        array = narrow
    if array.ndim == 2:
        return array
    across = " " if array.dims == ("",) else ""
    return array.expand_dims({across: [titled(array)]}, axis=1)


def _index(lines: xr.DataArray, dim: Hashable) -> pd.Index[Any]:
    """Return a dimension's labels, or its positions if it has no labels. Reject missing labels."""
    index = lines.indexes[dim] if dim in lines.indexes else pd.RangeIndex(lines.sizes[dim])
    if index.hasnans:
        raise ValueError(f"{str(dim)!r} has a missing label at position {int(index.isna().argmax())}")
    return index


def _along(index: pd.Index[Any], dim: Hashable) -> tuple[Any, dict[str, Any]]:
    """Return a distinct axis position for each label, and the figure's arguments for the axis."""
    at: Any
    if isinstance(index, pd.DatetimeIndex):
        at = index.tz_localize(None).to_numpy(copy=True)  # local time, in its own unit: nanoseconds end in 2262
        if (abs(at.astype("M8[s]").astype(np.float64)) > LAST).any():
            raise ValueError(f"{str(dim)!r} has dates that browsers do not support: pass the years as numbers")
        places = at.astype("M8[us]").astype(np.float64)
        axis: dict[str, Any] = {"x_axis_type": "datetime"}
    elif isinstance(index, pd.TimedeltaIndex):
        at = places = index.total_seconds().to_numpy() * 1000
        axis = {"x_axis_type": "timedelta"}
    elif index.dtype.kind in NUMBERS:
        at = places = index.to_numpy(dtype=np.float64, copy=True)
        axis = {"x_range": _range(f"the labels of {str(dim)!r} are", places)}
    else:
        at = _texts(index, dim)
        return at, {"x_range": at}
    if np.isinf(places).any():
        raise ValueError(f"{str(dim)!r} has the label {index[np.isinf(places)][0]}, which has no position on an axis")
    twice = pd.Index(places).duplicated()
    if twice.any():
        way = "leave one out, or reduce them"
        if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
            way = f"the clock of {index.tz} shows some times twice; convert them to UTC"
        raise ValueError(f"two labels of {str(dim)!r} have one position on the axis, {index[twice][0]}: {way}")
    return at, axis


def _range(what: str, numbers: np.ndarray[Any, Any]) -> DataRange1d:
    """Return an axis range for these numbers. If all are equal, the range is still wide enough to show the number."""
    there = numbers[np.isfinite(numbers)]
    if not len(there):
        return DataRange1d()
    with np.errstate(over="ignore"):
        if np.isinf(2 * (there.max() - there.min())):
            raise ValueError(
                f"{what} further apart than an axis can show, {there.min()} and {there.max()}: divide the numbers"
            )
    return DataRange1d(default_span=max(2, float(abs(there).max()) / 2**30))


def _texts(labels: Iterable[object], dim: Hashable) -> list[str]:
    """Return the labels as they are shown. Reject labels with the same text."""
    texts = [str(label) for label in labels]
    twice = [text for text, count in Counter(texts).items() if count > 1]
    if twice:
        raise ValueError(f"two labels of {str(dim)!r} are shown as {twice[0]!r}: rename one of them")
    return texts


def _plain(text: str) -> str | PlainText:
    """Mark an axis title as plain text if Bokeh would otherwise render it as a TeX formula."""
    return PlainText(text=text) if "$$" in text or "\\(" in text or "\\[" in text else text


def _formatter(column: pd.Series[Any], digits: int = DIGITS) -> Callable[[float], str]:
    """Return a function that formats a column's numbers with `digits` digits, or with more to distinguish them."""
    numbers = set(column.dropna())
    while digits < ALL_DIGITS and len({f"{number:.{digits}g}" for number in numbers}) < len(numbers):
        digits += 1
    if digits > DIGITS and column.dtype.kind in "iu":
        return str  # a float cannot represent every integer
    return lambda number: f"{number:.{digits}g}"


def _digits(summary: pd.DataFrame) -> int:
    """Return how many digits are needed to distinguish the minimum of each line from its maximum."""
    digits = DIGITS
    ends = [(low, high) for low, high in zip(summary["min"], summary["max"], strict=True) if low < high]
    while digits < ALL_DIGITS and any(f"{low:.{digits}g}" == f"{high:.{digits}g}" for low, high in ends):
        digits += 1
    return digits
