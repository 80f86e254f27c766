import ast
import doctest
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import pytest
import xarray as xr
from bokeh.models import Line, MultiLine, PlainText, Scatter
from bokeh.palettes import Category10_10
from bokeh.plotting import figure
from hypothesis import given, settings
from hypothesis import strategies as st
from panel.io.resources import DIST_DIR, set_resource_mode

import foopack_ui
from foopack_core import labelled
from foopack_ui import _view, chart, hello_ui, save, view

RAIN = labelled(
    [[3.0, 1.0], [5.0, np.nan]], {"day": ["Mon", "Tue"], "site": ["hill", "shore"]}, name="rain", units="mm"
)


def lines(plot: figure) -> list[tuple[list, list]]:
    """Return the data of a chart's lines, as pairs of x and y."""
    drawn = [renderer.data_source.data for renderer in plot.renderers if isinstance(renderer.glyph, Line)]
    return [(list(data["x"]), list(data["y"])) for data in drawn]


def test_version_is_the_installed_one() -> None:
    assert foopack_ui.__version__ == version("foopack-ui")


def test_hello_names_its_dependencies() -> None:
    assert hello_ui() == (
        f"Hello from foopack-ui {foopack_ui.__version__}, on foopack-core {version('foopack-core')}, "
        f"panel {pn.__version__} and bokeh {version('bokeh')}"
    )


def test_imports_equal_requirements() -> None:
    root = Path(__file__).parents[1]
    imported = set()
    for path in (root / "src" / "foopack_ui").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module))
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
    tops = {name.split(".")[0] for name in imported} - sys.stdlib_module_names - {"foopack_ui"}
    required = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split("[=>]", each)[0].replace("-", "_") for each in required} == tops


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0
    assert (tmp_path / "rain.html").is_file()


@pytest.mark.parametrize("name", sorted({*foopack_ui.__all__} - {"__version__"}))
def test_examples_in_docstrings(name: str) -> None:
    function = getattr(foopack_ui, name)
    (examples,) = doctest.DocTestFinder().find(function, name, globs=function.__globals__)
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples)
    assert result.attempted > 0
    assert result.failed == 0


def test_chart_has_one_line_for_each_label() -> None:
    plot = chart(RAIN)
    (at, hill), (_, shore) = lines(plot)
    assert at == ["Mon", "Tue"]
    assert hill == [3.0, 5.0]
    assert shore[0] == 1.0
    assert np.isnan(shore[1])
    assert [item.label.value for item in plot.legend[0].items] == ["hill", "shore"]


def test_chart_names_its_axes_with_units() -> None:
    array = RAIN.assign_coords(day=("day", [1, 2], {"units": "days"}))
    plot = chart(array)
    assert plot.xaxis[0].axis_label == "day [days]"
    assert plot.yaxis[0].axis_label == "rain [mm]"


def test_chart_of_one_dimension_is_one_line_without_a_legend() -> None:
    plot = chart(labelled([1, 2], {"x": [0.5, 1.5]}))
    assert lines(plot) == [([0.5, 1.5], [1, 2])]
    assert plot.legend == []
    assert plot.yaxis[0].axis_label == "value"


@pytest.mark.parametrize(
    ("labels", "axis"),
    [
        (["a", "b"], "CategoricalAxis"),
        ([True, False], "CategoricalAxis"),
        ([0, 10], "LinearAxis"),
        ([0.5, 1.5], "LinearAxis"),
        (np.array(["2026-01-01", "2026-01-02"], "datetime64[ns]"), "DatetimeAxis"),
        (pd.date_range("2026-01-01", periods=2, tz="Europe/Oslo"), "DatetimeAxis"),
        (pd.timedelta_range("1h", periods=2), "TimedeltaAxis"),
        (pd.period_range("2026-01", periods=2, freq="M"), "CategoricalAxis"),
    ],
)
def test_chart_has_the_axis_that_fits_the_labels(labels: list, axis: str) -> None:
    assert type(chart(labelled([1, 2], {"x": labels})).xaxis[0]).__name__ == axis


def test_chart_shows_a_value_between_two_gaps() -> None:
    plot = chart(labelled([np.nan, 7.0, np.nan], {"x": [0, 1, 2]}))
    dots = [renderer.data_source.data for renderer in plot.renderers if isinstance(renderer.glyph, Scatter)]
    assert dots[0]["y"][1] == 7.0


def test_chart_without_lines_is_empty() -> None:
    assert lines(chart(labelled(np.zeros((2, 0)), {"x": [0, 1], "line": []}))) == []


@pytest.mark.parametrize("count", [1, 11, 30])
def test_thirty_lines_are_distinguishable(count: int) -> None:
    plot = chart(labelled(np.zeros((2, count)), {"x": [0, 1], "line": [f"line {i}" for i in range(count)]}))
    drawn = [renderer.glyph for renderer in plot.renderers if isinstance(renderer.glyph, Line)]
    dots = [renderer.glyph for renderer in plot.renderers if isinstance(renderer.glyph, Scatter)]
    assert len({(glyph.line_color, str(glyph.line_dash)) for glyph in drawn}) == count
    assert [glyph.line_color for glyph in drawn] == [Category10_10[i % 10] for i in range(count)]
    assert [glyph.line_color for glyph in dots] == [glyph.line_color for glyph in drawn]
    assert [glyph.fill_color for glyph in dots] == [glyph.line_color for glyph in drawn]
    assert {glyph.size for glyph in dots} == {5}
    assert {glyph.line_width for glyph in drawn} == {2}
    assert {glyph.marker for glyph in dots} == {"circle"}
    assert [glyph.line_dash for glyph in drawn] == [[[], [6], [2, 4]][i // 10] for i in range(count)]
    assert [item.label.value for item in plot.legend[0].items] == [f"line {i}" for i in range(count)]
    assert [[each.glyph for each in item.renderers] for item in plot.legend[0].items] == [
        list(pair) for pair in zip(drawn, dots, strict=True)
    ]
    assert plot.right == [plot.legend[0]]


@pytest.mark.parametrize("count", [31, 500, 2000])
def test_many_lines_are_one_glyph_without_a_legend(count: int) -> None:
    plot = chart(labelled(np.zeros((3, count)), {"x": ["a", "b", "c"], "line": np.arange(count)}))
    (renderer,) = plot.renderers
    assert isinstance(renderer.glyph, MultiLine)
    assert len(renderer.data_source.data["ys"]) == count
    assert (renderer.glyph.line_color, renderer.glyph.line_width, renderer.glyph.line_alpha) == ("gray", 1, 0.5)
    assert plot.legend == []


@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_chart_is_as_wide_as_its_surroundings(count: int) -> None:
    plot = chart(labelled(np.zeros((2, count)), {"x": [0, 1], "line": np.arange(count)}))
    assert (plot.height, plot.sizing_mode) == (320, "stretch_width")


@pytest.mark.parametrize("labels", [[1, "1"], [True, "True"], [b"a", "b'a'"]])
@pytest.mark.parametrize("position", [0, 1])
def test_labels_of_equal_text_are_refused(labels: list, position: int) -> None:
    dims = {"x": [0, 1], "y": [0, 1]} | {["x", "y"][position]: labels}
    with pytest.raises(
        ValueError, match=f"^two labels of '{['x', 'y'][position]}' are shown as .*: rename one of them$"
    ):
        view(labelled(np.ones((2, 2)), dims))


@pytest.mark.parametrize(
    "array",
    [
        xr.DataArray([1.0, 2.0], dims=["x"]),
        xr.DataArray([[1.0], [2.0]], dims=["x", "y"]),
        xr.DataArray([[1.0], [2.0]], dims=[0, 1]),
        xr.DataArray([[1.0], [2.0]], dims=["count", "mean"]),
        xr.DataArray([1.0, 2.0], dims=[("a", 1)]),
    ],
)
def test_dimensions_without_labels_have_their_positions(array: xr.DataArray) -> None:
    _, plot, table = view(array)
    assert lines(plot.object) == [([0, 1], [1.0, 2.0])]
    assert plot.object.xaxis[0].axis_label == str(array.dims[0])
    assert table.object["mean"].tolist() == [1.5]


@pytest.mark.parametrize(
    "select",
    [
        lambda array: array.sel(mean="a"),
        lambda array: array.isel(site=0),
        lambda array: array.max("day"),
        lambda array: array.isel(site=0, mean=1),
    ],
)
def test_selected_or_reduced_arrays_have_five_columns(select: Callable) -> None:
    array = labelled(np.arange(8.0).reshape(2, 2, 2), {"day": [1, 2], "site": ["p", "q"], "mean": ["a", "b"]})
    table = view(select(array.assign_coords(height=("site", [1, 2]))))[2]
    assert list(table.object.columns) == ["count", "mean", "std", "min", "max"]


def test_a_time_with_a_zone_shows_the_clock_of_its_zone() -> None:
    labels = pd.DatetimeIndex(["2026-07-01 12:00", "2026-07-01 13:00"], tz="Europe/Oslo")
    ((at, _),) = lines(chart(labelled([1, 2], {"t": labels})))
    assert pd.DatetimeIndex(at).equals(labels.tz_localize(None))


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_times_beyond_nanoseconds_are_drawn(unit: str) -> None:
    dates = np.array(["0001-01-01", "3000-01-01", "9999-12-31"], f"M8[{unit}]")
    assert [str(at)[:10] for at in np.array(lines(chart(labelled([1, 2, 3], {"t": dates})))[0][0], f"M8[{unit}]")] == [
        "0001-01-01",
        "3000-01-01",
        "9999-12-31",
    ]
    days = np.array([1, 365_000], "m8[D]").astype(f"m8[{unit}]")
    assert lines(chart(labelled([1, 2], {"t": days}))) == [([86_400_000.0, 365_000 * 86_400_000.0], [1, 2])]


@pytest.mark.parametrize(
    ("labels", "twice"),
    [
        ([1, 2, 1], "1"),
        ([0.5, 0.5, 1.0], "0.5"),
        ([0.0, -0.0, 1.0], "-0.0"),
        ([2**60, 2**60 + 1, 3], str(2**60 + 1)),
        (np.array([2**64 - 1, 2**64 - 2, 1], "uint64"), str(2**64 - 2)),
        (pd.DatetimeIndex(["2026-01-01", "2026-01-02", "2026-01-01"]), "2026-01-01 00:00:00"),
        (pd.DatetimeIndex([1000, 1001, 5000]), "1970-01-01 00:00:00.000001001"),
        (pd.to_timedelta(["1h", "2h", "60min"]), "0 days 01:00:00"),
        (
            pd.DatetimeIndex(["2026-01-01"] * 3, tz="UTC").tz_convert("Asia/Tokyo") + pd.to_timedelta([0, 1, 0]),
            "2026-01",
        ),
    ],
    ids=repr,
)
@pytest.mark.parametrize("function", [chart, view])
@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 40)])
def test_two_labels_at_one_place_of_the_axis_are_refused(
    function: Callable, shape: tuple[int, ...], labels: object, twice: str
) -> None:
    array = xr.DataArray(np.ones(shape), dims=["x", "y"][: len(shape)], coords={"x": labels})
    with pytest.raises(ValueError, match=f"^two labels of 'x' have one position on the axis, {re.escape(twice)}.*: "):
        function(array)


def test_an_hour_that_a_clock_shows_twice_is_refused_and_drawn_in_utc() -> None:
    hours = pd.date_range("2026-10-25", periods=5, freq="h", tz="Europe/Oslo")
    with pytest.raises(ValueError, match=r"02:00:00\+01:00: the clock of Europe/Oslo shows some times twice; convert "):
        chart(labelled(range(5), {"t": hours}))
    ((at, _),) = lines(chart(labelled(range(5), {"t": hours.tz_convert("UTC")})))
    assert len(set(at)) == 5


@pytest.mark.parametrize(
    ("labels", "way"),
    [
        (pd.DatetimeIndex(["2026-01-01", "2026-01-01"]), "leave one out, or reduce them"),
        ([1, 1], "leave one out, or reduce them"),
        (
            pd.DatetimeIndex(["2026-01-01"] * 2, tz="UTC"),
            "the clock of UTC shows some times twice; convert them to UTC",
        ),
    ],
)
def test_two_labels_at_one_place_get_the_advice_that_helps(labels: object, way: str) -> None:
    with pytest.raises(ValueError, match=f": {way}$"):
        chart(xr.DataArray([1, 2], dims=["x"], coords={"x": labels}))


def test_labels_in_any_order_that_differ_are_drawn() -> None:
    assert lines(chart(labelled([1, 2, 3], {"x": [3, 1, 2]}))) == [([3, 1, 2], [1, 2, 3])]


@pytest.mark.parametrize(
    "labels",
    [
        [1.0, 2.0, np.nan],
        np.array(["a", "b", None], dtype=object),
        pd.DatetimeIndex(["2026-01-01", "2026-01-02", None]),
        pd.to_timedelta(["1h", "2h", None]),
    ],
    ids=repr,
)
@pytest.mark.parametrize("position", [0, 1])
def test_a_missing_label_is_refused(labels: object, position: int) -> None:
    array = xr.DataArray(np.ones((3, 3)), dims=["x", "y"], coords={["x", "y"][position]: labels})
    with pytest.raises(ValueError, match=f"^'{['x', 'y'][position]}' has a missing label at position 2$"):
        view(array)


@pytest.mark.parametrize("number", [np.inf, -np.inf])
def test_an_infinite_label_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=f"^'x' has the label {number}, which has no position on an axis$"):
        chart(labelled([1, 2], {"x": [1, number]}))


@pytest.mark.parametrize("year", [-1_000_000, -271_830, 275_770, 1_000_000])
def test_dates_beyond_browsers_are_refused(year: int) -> None:
    with pytest.raises(ValueError, match=r"^'t' has dates that browsers do not support: pass the years as numbers$"):
        chart(labelled([1, 2], {"t": np.array([year - 1970, 0], "M8[Y]")}))


@pytest.mark.parametrize("year", [-271_000, 275_000])
def test_dates_within_browsers_are_drawn(year: int, tmp_path: Path) -> None:
    save(labelled([1, 2], {"t": np.array([year - 1970, 0], "M8[Y]")}), tmp_path / "page.html")


def test_numbers_further_apart_than_floats_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^the values are further apart than an axis can show, -1e\+308 and 1e\+308: "
    ):
        chart(labelled([1e308, np.nan, -1e308], {"x": [0, 1, 2]}))
    with pytest.raises(ValueError, match=r"^the labels of 'x' are further apart than an axis can show, -1e\+308 and "):
        chart(labelled([1, 2], {"x": [1e308, -1e308]}))
    with pytest.raises(ValueError, match=r"^the values are further apart than an axis can show, 0\.0 and 9e\+307: "):
        chart(labelled([0, 9e307], {"x": [0, 1]}))  # an axis extends beyond its values
    assert lines(chart(labelled([0, 8.9e307], {"x": [0, 1]}))) == [([0, 1], [0, 8.9e307])]


@pytest.mark.parametrize("number", [1e18, -1e300, 2**60])
def test_axis_around_a_single_large_number_is_visible(number: float) -> None:
    plot = chart(labelled([number], {"x": [number]}))
    for span in (plot.x_range.default_span, plot.y_range.default_span):
        assert float(number) - span < float(number) < float(number) + span
    small = chart(labelled([1.0, np.nan, np.inf], {"x": [1, 2, 3]}))
    assert (small.x_range.default_span, small.y_range.default_span) == (2, 2)


@pytest.mark.parametrize("values", [[np.nan, np.nan], [np.inf, -np.inf]])
def test_a_chart_without_finite_values_is_empty(values: list[float]) -> None:
    ((_, drawn),) = lines(chart(labelled(values, {"x": [0, 1]})))
    assert not np.isfinite(drawn).any()


@pytest.mark.parametrize("dtype", ["float16", "longdouble", ">f4", ">i2", "int64", "uint64", "uint8"])
def test_numbers_of_any_size_are_drawn_as_a_page_counts(dtype: str) -> None:
    values = np.array([[1, 3], [2, 4]], dtype)
    plot = chart(labelled(values, {"x": np.array([5, 6], dtype), "y": ["p", "q"]}))
    assert lines(plot) == [([5, 6], [1, 2]), ([5, 6], [3, 4])]
    assert {column.dtype for renderer in plot.renderers for column in renderer.data_source.data.values()} == {
        np.dtype("float64")
    }


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp == 1024, reason="long doubles are floats here")
@pytest.mark.parametrize("function", [chart, view])
def test_a_long_double_beyond_floats_is_refused(function: Callable) -> None:
    with pytest.raises(ValueError, match=r"^a value is a long double that is larger than any float of 64 bits: divide"):
        function(labelled(np.array(["1", "1e400"], "longdouble"), {"x": [0, 1]}))
    assert lines(chart(labelled(np.array([1, np.inf], "longdouble"), {"x": [0, 1]}))) == [([0, 1], [1, np.inf])]


def test_durations_are_milliseconds() -> None:
    assert lines(chart(labelled([1, 2], {"t": pd.to_timedelta(["1s", "1h"])}))) == [([1000.0, 3_600_000.0], [1, 2])]


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([101325.12, 101325.99], ["101325", "101326"]),
        ([1.0, 2.0], ["1", "2"]),
        ([1 / 3, 2 / 3], ["0.3333", "0.6667"]),
        ([1.0000000001, 1.0000000002], ["1.0000000001", "1.0000000002"]),
        ([np.nan, 5.0], ["NaN", "5"]),
        ([0.1, np.nextafter(0.1, 1)], ["0.10000000000000001", "0.10000000000000002"]),
        ([1e-300, 1e300], ["1e-300", "1e+300"]),
    ],
)
def test_the_table_has_the_digits_that_tell_numbers_apart(numbers: list[float], shown: list[str]) -> None:
    table = view(labelled([numbers], {"x": [0], "line": ["p", "q"]}))[2]
    assert [table.formatters["max"](number) if number == number else "NaN" for number in table.object["max"]] == shown
    page = table.object.to_html(formatters=table.formatters)
    assert all(f"<td>{text}</td>" in page for text in shown)
    assert set(table.formatters) == {"mean", "std", "min", "max"}


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([np.nan, np.nan, 101325.12], "1.013e+05"),
        ([12345678, 12345678], "1.235e+07"),
        ([1234, 1234], "1234"),
    ],
)
def test_a_column_of_one_number_has_four_digits(numbers: list[float], shown: str) -> None:
    table = view(labelled([numbers], {"x": [0], "line": range(len(numbers))}))[2]
    assert table.formatters["max"](numbers[-1]) == shown


def test_the_digits_of_the_deviation_are_its_own() -> None:
    table = view(labelled([101325.123, 101325.987], {"x": [0, 1]}))[2]
    assert table.formatters["std"](table.object["std"].iloc[0]) == "0.432"
    assert table.formatters["std"](1 / 3) == "0.3333"


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        ([101325.12, 101325.99], ["101326", "101325", "101326"]),
        ([101325.12, 101325.32], ["101325.2", "101325.1", "101325.3"]),
        ([2**60 + 1, 2**60 + 2], ["1.152921504606847e+18", str(2**60 + 1), str(2**60 + 2)]),
        ([1, 2], ["1.5", "1", "2"]),
        ([np.nan, 12345678.0], ["1.235e+07"] * 3),
    ],
)
def test_the_ends_of_a_line_are_distinguishable(numbers: list[float], shown: list[str]) -> None:
    table = view(labelled(numbers, {"x": [0, 1]}))[2]
    assert [table.formatters[name](table.object[name].iloc[0]) for name in ("mean", "min", "max")] == shown


@pytest.mark.parametrize("numbers", [[2**60 + 1, 2**60 + 2], [-(2**63), 1 - 2**63], [123456, 123457]])
def test_integers_that_look_alike_have_all_digits(numbers: list[int]) -> None:
    table = view(labelled([numbers], {"x": [0], "line": ["p", "q"]}))[2]
    assert [table.formatters["max"](number) for number in table.object["max"]] == [str(number) for number in numbers]


@pytest.mark.parametrize("function", [chart, view])
@pytest.mark.parametrize("given", [[1], pd.Series([1.0]), xr.Dataset()])
def test_a_labelled_array_is_drawn(function: Callable, given: object) -> None:
    with pytest.raises(TypeError, match=f"^only a labelled array can be drawn, not a {type(given).__name__}: "):
        function(given)


@pytest.mark.parametrize("name", ["", " ", "value"])
def test_the_one_dimension_may_have_any_name(name: str) -> None:
    assert view(xr.DataArray([1.0, 2.0], dims=[name]))[2].object["max"].tolist() == [2.0]


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5, unique=True))
def test_numbers_of_a_column_are_distinguishable(numbers: list[float]) -> None:
    write = _view._formatter(pd.Series(numbers))
    assert len({write(number) for number in numbers}) == len(set(numbers))


@pytest.mark.parametrize("units", ["", None, " ", "\t\n", "\u00a0\u2003", np.nan, np.float32(np.nan), pd.NA])
def test_missing_units_are_not_shown(units: object) -> None:
    along = xr.Variable("x", [1.5], {"units": units})
    array = xr.DataArray([1.0], {"x": along}, name="n").assign_attrs(units=units)
    heading, plot, _ = view(array)
    assert plot.object.yaxis[0].axis_label == "n"
    assert plot.object.xaxis[0].axis_label == "x"
    assert heading.object == "<h2>n</h2>"


@pytest.mark.parametrize(
    ("name", "units", "shown"),
    [
        ("n", " mm ", "n [mm]"),
        ("", "mm", "[mm]"),
        (" ", "mm", "[mm]"),
        (" n", "mm", " n [mm]"),
        (None, "mm", "value [mm]"),
        ("", "", ""),
        (" ", " ", " "),
        ("n", 1, "n [1]"),
        ("n", np.array(["m", "s"]), "n [['m' 's']]"),
    ],
)
def test_a_name_and_units_are_shown_without_blanks_between(name: str | None, units: object, shown: str) -> None:
    array = labelled([1], {"x": ["a"]}, name=name).assign_attrs(units=units)
    assert view(array)[0].object == f"<h2>{escape(shown)}</h2>"


@pytest.mark.parametrize("name", ["$$x^2$$", r"\(x\)", r"\[x\]"])
def test_signs_of_tex_in_a_name_are_shown_as_they_are(name: str) -> None:
    labels, positions = labelled([1], {f"{name} along": ["a"]}, name=name), xr.DataArray([1], dims=[name])
    named, unnamed = chart(labels), chart(positions)
    for axis, text in ((named.xaxis[0], f"{name} along"), (named.yaxis[0], name), (unnamed.xaxis[0], name)):
        assert isinstance(axis.axis_label, PlainText)
        assert axis.axis_label.text == text


@pytest.mark.parametrize(
    "labels",
    [
        [0.5, 1.5],
        pd.date_range("2026-01-01", periods=2),
        pd.date_range("2026-01-01", periods=2, tz="Asia/Tokyo"),
        pd.timedelta_range("1h", periods=2),
    ],
    ids=["numbers", "times", "times with a zone", "durations"],
)
@pytest.mark.parametrize("count", [1, 2, 40])
def test_a_figure_copies_its_data(count: int, labels: object) -> None:
    values = np.ones((2, count))
    array = labelled(values, {"x": labels, "line": np.arange(count)})
    plot = chart(array)
    for renderer in plot.renderers:
        for column in renderer.data_source.data.values():
            for part in column if isinstance(column, list) else [column]:
                assert not np.shares_memory(part, values)
                assert not np.shares_memory(part, array.indexes["x"].to_numpy())


@pytest.mark.parametrize("function", [chart, view])
def test_only_numbers_are_drawn(function: Callable) -> None:
    with pytest.raises(TypeError, match=r"^only real numbers can be drawn, not values of type "):
        function(labelled(["a"], {"x": [0]}))


@pytest.mark.parametrize(("shape", "dims"), [((), 0), ((1, 1, 1), 3)])
def test_only_one_or_two_dimensions_are_drawn(shape: tuple[int, ...], dims: int) -> None:
    array = labelled(np.zeros(shape), {f"d{i}": [0] for i in range(dims)})
    with pytest.raises(ValueError, match=f"^only one or two dimensions can be drawn, not {dims}: "):
        view(array)


def test_view_has_heading_chart_and_summary() -> None:
    shown = view(RAIN)
    heading, plot, table = shown
    assert heading.object == "<h2>rain [mm]</h2>"
    assert isinstance(plot.object, figure)
    assert shown.sizing_mode == plot.sizing_mode == "stretch_width"
    assert table.object.index.name == "site"
    assert table.stylesheets == ["td, th { padding: 2px 12px; text-align: right }"]
    assert table.object.loc["hill"].tolist() == [2, 4.0, 1.0, 3.0, 5.0]
    assert table.object.loc["shore"].tolist() == [1, 1.0, 0.0, 1.0, 1.0]


def test_view_of_one_dimension_summarizes_one_line() -> None:
    table = view(labelled([1, 3], {"x": ["a", "b"]}, name="n"))[2]
    assert table.object.index.tolist() == ["n"]
    assert table.object["mean"].tolist() == [2.0]


def test_view_escapes_names() -> None:
    assert view(labelled([1], {"x": ["a"]}, name="<b>"))[0].object == "<h2>&lt;b&gt;</h2>"


def test_view_refuses_an_array_without_positions() -> None:
    with pytest.raises(ValueError, match=r"has nothing to summarize$"):
        view(labelled([], {"x": []}))


def test_save_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rain.html"
    path.write_text("what was there before")
    save(RAIN, path)
    page = path.read_text(encoding="utf-8")
    assert "<title>rain [mm]</title>" in page
    assert "hill" in page
    assert [file.name for file in tmp_path.iterdir()] == ["rain.html"]


def test_failed_save_keeps_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rain.html"
    path.write_text("what was there before")
    with pytest.raises(TypeError):
        save(labelled(["a"], {"x": [0]}), path)
    assert path.read_text() == "what was there before"


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "\udc00\ud800"])
def test_save_writes_a_page_for_half_of_a_surrogate_pair(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rain.html"
    save(labelled([1], {text: [text]}, name=text, units=text), path)
    shown = "".join("?" if "\ud800" <= sign <= "\udfff" else sign for sign in text)
    assert f"<title>{shown} [{shown}]</title>" in path.read_text(encoding="utf-8")


def parts(model: object) -> Iterator[dict[str, Any]]:
    """Yield each object in the JSON of a document."""
    if isinstance(model, dict):
        yield model
    if isinstance(model, (dict, list)):
        for part in model.values() if isinstance(model, dict) else model:
            yield from parts(part)


@pytest.mark.parametrize("mode", ["cdn", "inline", "server"])
def test_save_refers_to_no_other_file(mode: Any, tmp_path: Path) -> None:  # noqa: ANN401
    # This test needs no browser. test_page.py checks in a browser that the page makes no requests.
    with set_resource_mode(mode):
        save(RAIN, tmp_path / "rain.html")
    page = (tmp_path / "rain.html").read_text(encoding="utf-8")
    (document,) = re.findall(r'(?s)<script type="application/json"[^>]*>(.*?)</script>', page)
    sheets = [part for part in parts(json.loads(document)) if "StyleSheet" in str(part.get("name"))]
    assert {sheet["name"] for sheet in sheets} == {"InlineStyleSheet"}
    assert not any("url" in part for part in parts(json.loads(document)))
    texts = [sheet["attributes"]["css"] for sheet in sheets]
    assert len(set(texts)) == len(texts)  # each stylesheet is included once
    assert (DIST_DIR / "css" / "dataframe.css").read_text(encoding="utf-8") in texts
    tags = re.sub(r"(?s)(<script[^>]*>).*?</script>|<style[^>]*>.*?</style>", r"\1", page)
    assert not re.search(r"\s(src|href)=|<link", tags)


def test_save_adds_a_content_security_policy(tmp_path: Path) -> None:
    save(RAIN, tmp_path / "rain.html")
    head = (tmp_path / "rain.html").read_text(encoding="utf-8").split("<head>")[1]
    policy = re.match(r'\s*<meta http-equiv="Content-Security-Policy" content="([^"]*)">', head)  # comes first
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert (rules["default-src"], rules["form-action"], rules["base-uri"]) == ("'none'", "'none'", "'none'")
    sources = {source for rule in rules.values() for source in rule.split()}
    assert sources <= {"'none'", "'unsafe-inline'", "'unsafe-eval'", "blob:", "data:"}


def test_save_into_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(RAIN, tmp_path / "none" / "rain.html")
