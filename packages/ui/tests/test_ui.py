import doctest
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import panel as pn
import pytest
from bokeh.models import Line, Scatter
from bokeh.plotting import figure

import foopack_ui
from foopack_core import labelled
from foopack_ui import chart, hello_ui, save, view

RAIN = labelled(
    [[3.0, 1.0], [5.0, np.nan]], {"day": ["Mon", "Tue"], "site": ["hill", "shore"]}, name="rain", units="mm"
)


def lines(plot: figure) -> list[tuple[list, list]]:
    """The data that a chart's lines draw."""
    drawn = [renderer.data_source.data for renderer in plot.renderers if isinstance(renderer.glyph, Line)]
    return [(list(data["x"]), list(data["y"])) for data in drawn]


def test_version_is_the_installed_one() -> None:
    assert foopack_ui.__version__ == version("foopack-ui")


def test_hello_names_what_it_stands_on() -> None:
    assert hello_ui() == (
        f"Hello from foopack-ui {foopack_ui.__version__}, on foopack-core {version('foopack-core')}, "
        f"panel {pn.__version__} and bokeh {version('bokeh')}"
    )


def test_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0
    assert (tmp_path / "rain.html").is_file()


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
        (np.array(["2026-01-01", "2026-01-02"], "datetime64[D]"), "DatetimeAxis"),
    ],
)
def test_chart_has_the_axis_that_fits_the_labels(labels: list, axis: str) -> None:
    assert type(chart(labelled([1, 2], {"x": labels})).xaxis[0]).__name__ == axis


def test_chart_shows_a_value_between_two_gaps() -> None:
    plot = chart(labelled([np.nan, 7.0, np.nan], {"x": [0, 1, 2]}))
    dots = [renderer.data_source.data for renderer in plot.renderers if isinstance(renderer.glyph, Scatter)]
    assert dots[0]["y"][1] == 7.0


def test_chart_of_no_lines_is_empty() -> None:
    assert lines(chart(labelled(np.zeros((2, 0)), {"x": [0, 1], "line": []}))) == []


def test_chart_has_colours_for_any_number_of_lines() -> None:
    assert len(lines(chart(labelled(np.zeros((2, 25)), {"x": [0, 1], "line": np.arange(25)})))) == 25


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
    heading, plot, table = view(RAIN)
    assert heading.object == "<h2>rain [mm]</h2>"
    assert isinstance(plot.object, figure)
    assert table.object.loc["hill"].tolist() == [2, 4.0, 1.0, 3.0, 5.0]
    assert table.object.loc["shore"].tolist() == [1, 1.0, 0.0, 1.0, 1.0]


def test_view_of_one_dimension_summarises_one_line() -> None:
    table = view(labelled([1, 3], {"x": ["a", "b"]}, name="n"))[2]
    assert table.object.index.tolist() == ["n"]
    assert table.object["mean"].tolist() == [2.0]


def test_view_escapes_names() -> None:
    assert view(labelled([1], {"x": ["a"]}, name="<b>"))[0].object == "<h2>&lt;b&gt;</h2>"


def test_view_refuses_an_array_without_positions() -> None:
    with pytest.raises(ValueError, match=r"has nothing to summarize$"):
        view(labelled([], {"x": []}))


def test_save_writes_one_file_in_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "rain.html"
    path.write_text("what was there before")
    save(RAIN, path)
    page = path.read_text(encoding="utf-8")
    assert "<title>rain [mm]</title>" in page
    assert "hill" in page
    assert [file.name for file in tmp_path.iterdir()] == ["rain.html"]


def test_save_that_cannot_be_shown_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "rain.html"
    path.write_text("what was there before")
    with pytest.raises(TypeError):
        save(labelled(["a"], {"x": [0]}), path)
    assert path.read_text() == "what was there before"


def test_save_into_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save(RAIN, tmp_path / "none" / "rain.html")
