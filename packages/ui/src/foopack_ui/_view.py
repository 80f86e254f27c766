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
NUMBERS = "iuf"  # kinds of types
DASHES = ("solid", "dashed", "dotted")
MOST = len(Category10_10) * len(DASHES)  # lines that can be told apart, each with a place in the legend
DIGITS = 4  # of a number in the table; more where two of a column, or the ends of a line, would look alike
ALL_DIGITS = 17  # digits that tell any two floats apart
LAST = 8.64e12  # seconds around 1970 that a browser has dates for


def chart(array: xr.DataArray) -> figure:
    """Draw a labelled array as lines with dots: along its first dimension, one line for each label of its second.

    Args:
        array: Real numbers, one or two dimensions. The first dimension may have numbers, times, durations or names as
            labels; one without labels has its positions. NaN, or what is infinite, is a gap.

    Returns:
        A figure as wide as its surroundings, 320 pixels high, that shares nothing with the array. The axes bear the
        names of the first dimension and of the values, with the units of both where the attribute "units" has them.
        Up to 30 lines differ by color and dashes and stand in the legend; more are thin, gray and without one.

    Raises:
        TypeError: This is no `xarray.DataArray`, or its values are not real numbers.
        ValueError: There are other than one or two dimensions. A label is missing or infinite; two have the same text,
            or the same place on the axis. Numbers are larger, or further apart, than floats of 64 bits can tell a page.

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
    values = lines.transpose().to_numpy().astype(np.float64)  # what a page counts in
    plot = figure(height=320, sizing_mode="stretch_width", y_range=_range("the values are", values), **axis)
    plot.xaxis.axis_label = _plain(titled(lines[along]) if along in lines.coords else str(along))
    plot.yaxis.axis_label = _plain(titled(lines))
    if len(values) > MOST:
        # One glyph for all: each has its cost, and nobody tells thousands of colors apart.
        plot.multi_line([at] * len(values), list(values), color="gray", line_width=1, line_alpha=0.5)
        return plot
    names = _texts(_index(lines, across), across) if array.ndim == 2 else []
    items = []
    for number, line in enumerate(values):
        color, dash = Category10_10[number % len(Category10_10)], DASHES[number // len(Category10_10)]
        source = ColumnDataSource({"x": at, "y": line})
        drawn: list[Any] = [
            plot.line("x", "y", source=source, color=color, line_width=2, line_dash=dash),
            plot.scatter("x", "y", source=source, color=color, size=5),  # a value between two gaps has no line
        ]
        if names:
            items.append(LegendItem(label={"value": names[number]}, renderers=drawn))
    if items:
        legend = Legend()
        legend.items = items  # Bokeh's types know it as an attribute alone
        plot.add_layout(legend, "right")
    return plot


def view(array: xr.DataArray) -> pn.Column:
    """Show a labelled array: its name, its chart, and a table that summarises each line.

    Args:
        array: As for `chart`.

    Returns:
        A column of three panes, to serve, to put on a page or to save. It shares nothing with the array.

    Raises:
        TypeError: As for `chart`.
        ValueError: As for `chart`; also if the first dimension has no positions.

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
    # Of values alone: a coordinate that selecting has left behind would be one more column, or be named like one.
    statistics = summarize(xr.DataArray(lines.to_numpy(), dims=["along", "across"]), "along")
    names = pd.Index(_texts(_index(lines, across), across), name=str(across))
    summary = pd.DataFrame({str(name): part.to_numpy() for name, part in statistics.items()}, index=names)
    digits = _digits(summary)
    formatters = {name: _formatter(summary[name], digits) for name in summary.columns.drop("count")}
    formatters["std"] = _formatter(summary["std"])  # not among the values of a line
    return pn.Column(
        pn.pane.HTML(f"<h2>{escape(titled(array))}</h2>"),
        pn.pane.Bokeh(chart(array), sizing_mode="stretch_width"),
        pn.pane.DataFrame(summary, formatters=formatters, stylesheets=[ROOMY]),
        sizing_mode="stretch_width",
    )


def titled(array: xr.DataArray) -> str:
    """Return the name of an array, with its units where it has some."""
    name = "value" if array.name is None else str(array.name)
    units = array.attrs.get("units")
    shown = "" if pd.api.types.is_scalar(units) and pd.isna(units) else str(units).strip()
    return " ".join(part for part in (name, shown and f"[{shown}]") if part.strip()) or name


def _lines(array: xr.DataArray) -> xr.DataArray:
    """Return the array with two dimensions; one that has a single one becomes a single line, named as it is."""
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
            raise ValueError("a value is a long double that is larger than any float of 64 bits: divide them first")
        array = narrow
    if array.ndim == 2:
        return array
    across = " " if array.dims == ("",) else ""
    return array.expand_dims({across: [titled(array)]}, axis=1)


def _index(lines: xr.DataArray, dim: Hashable) -> pd.Index[Any]:
    """Return the labels of a dimension, each of them there; one without labels has its positions."""
    index = lines.indexes[dim] if dim in lines.indexes else pd.RangeIndex(lines.sizes[dim])
    if index.hasnans:
        raise ValueError(f"{str(dim)!r} has a missing label at position {int(index.isna().argmax())}")
    return index


def _along(index: pd.Index[Any], dim: Hashable) -> tuple[Any, dict[str, Any]]:
    """Return where each label stands, at a place of its own, and what a figure is told of the axis."""
    at: Any
    if isinstance(index, pd.DatetimeIndex):
        at = index.tz_localize(None).to_numpy(copy=True)  # the clock of its own zone; nanoseconds end in 2262
        if (abs(at.astype("M8[s]").astype(np.float64)) > LAST).any():
            raise ValueError(f"{str(dim)!r} has dates that no browser has: give the years as numbers")
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
        raise ValueError(f"{str(dim)!r} has the label {index[np.isinf(places)][0]}, which has no place on an axis")
    twice = pd.Index(places).duplicated()
    if twice.any():
        way = "leave one out, or reduce them"
        if isinstance(index, pd.DatetimeIndex) and index.tz is not None:
            way = f"the clock of {index.tz} shows some times twice; convert them to UTC"
        raise ValueError(f"two labels of {str(dim)!r} have one place on the axis, {index[twice][0]}: {way}")
    return at, axis


def _range(what: str, numbers: np.ndarray[Any, Any]) -> DataRange1d:
    """Return the range of an axis for these numbers. Around a single one it is as wide as that needs to be seen."""
    there = numbers[np.isfinite(numbers)]
    if not len(there):
        return DataRange1d()
    with np.errstate(over="ignore"):
        if np.isinf(2 * (there.max() - there.min())):
            raise ValueError(
                f"{what} further apart than an axis can show, {there.min()} and {there.max()}: divide them"
            )
    return DataRange1d(default_span=max(2, float(abs(there).max()) / 2**30))


def _texts(labels: Iterable[object], dim: Hashable) -> list[str]:
    """Return labels as they are shown, which have to differ for that."""
    texts = [str(label) for label in labels]
    twice = [text for text, count in Counter(texts).items() if count > 1]
    if twice:
        raise ValueError(f"two labels of {str(dim)!r} are shown as {twice[0]!r}: rename one of them")
    return texts


def _plain(text: str) -> str | PlainText:
    """Return the text of an axis; bokeh would set a formula where it finds signs of TeX."""
    return PlainText(text=text) if "$$" in text or "\\(" in text or "\\[" in text else text


def _formatter(column: pd.Series[Any], digits: int = DIGITS) -> Callable[[float], str]:
    """Return what writes the numbers of a column: with so many digits, or as many as tell its numbers apart."""
    numbers = set(column.dropna())
    while digits < ALL_DIGITS and len({f"{number:.{digits}g}" for number in numbers}) < len(numbers):
        digits += 1
    if digits > DIGITS and column.dtype.kind in "iu":
        return str  # a float has not every integer
    return lambda number: f"{number:.{digits}g}"


def _digits(summary: pd.DataFrame) -> int:
    """Return how many digits tell the least value of each line from its greatest."""
    digits = DIGITS
    ends = [(low, high) for low, high in zip(summary["min"], summary["max"], strict=True) if low < high]
    while digits < ALL_DIGITS and any(f"{low:.{digits}g}" == f"{high:.{digits}g}" for low, high in ends):
        digits += 1
    return digits
