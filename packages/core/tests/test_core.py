import doctest
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import foopack_core
from foopack_core import hello, labelled, summarize


def test_version_is_the_installed_one() -> None:
    assert foopack_core.__version__ == version("foopack-core")


def test_hello_names_what_it_stands_on() -> None:
    assert hello() == (
        f"Hello from foopack-core {foopack_core.__version__}, on numpy {np.__version__} and xarray {version('xarray')}"
    )


def test_readme() -> None:
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


def test_labelled_keeps_values_labels_name_and_units() -> None:
    array = labelled([[1, 2, 3], [4, 5, 6]], {"row": ["a", "b"], "column": [10, 20, 30]}, name="size", units="m")
    assert array.dims == ("row", "column")
    assert array.sel(row="b", column=20).item() == 5
    assert array.name == "size"
    assert array.attrs == {"units": "m"}
    assert array.dtype.kind == "i"


def test_labelled_without_units_has_no_attribute() -> None:
    assert labelled([1], {"x": ["a"]}).attrs == {}


def test_labelled_takes_the_first_labels_for_the_first_axis() -> None:
    array = labelled(np.zeros((2, 3)), {"z": [0, 1], "a": [0, 1, 2]})
    assert dict(array.sizes) == {"z": 2, "a": 3}


def test_labelled_shares_memory_with_an_array() -> None:
    values = np.zeros(2)
    assert np.shares_memory(labelled(values, {"x": ["a", "b"]}).to_numpy(), values)


def test_labelled_takes_a_single_number_and_no_positions() -> None:
    assert labelled(1.5, {}).item() == 1.5
    assert labelled([], {"x": []}).shape == (0,)


@pytest.mark.parametrize(
    ("values", "labels", "message"),
    [
        ([[1, 2]], {"x": [0]}, r"the values have 2 axes, but labels are given for 1: \['x'\]"),
        ([1, 2], {"x": ["a"]}, r"'x' has 2 positions, but its labels have the shape \(1,\)"),
        ([1, 2], {"x": [["a", "b"]]}, r"'x' has 2 positions, but its labels have the shape \(1, 2\)"),
        ([1, 2], {"x": "ab"}, r"'x' has 2 positions, but its labels have the shape \(\)"),
        ([1, 2, 3], {"x": [4, 5, 4]}, "'x' has the label 4 more than once"),
        ([1, 2], {"x": [0.5, np.nan]}, "'x' has a missing label at position 1"),
        ([1, 2], {"x": np.array(["NaT", "2026-01-01"], "datetime64[s]")}, "'x' has a missing label at position 0"),
    ],
)
def test_labelled_refuses_labels_that_do_not_fit(values: list, labels: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        labelled(values, labels)


def test_summarize_along_a_dimension() -> None:
    array = labelled([[1.0, 10.0], [3.0, 30.0], [5.0, np.nan]], {"t": [0, 1, 2], "site": ["a", "b"]}, units="K")
    summary = summarize(array, "t")
    assert dict(summary.sizes) == {"site": 2}
    assert summary["count"].to_numpy().tolist() == [3, 2]
    assert summary["mean"].to_numpy().tolist() == [3.0, 20.0]
    assert summary["std"].to_numpy().tolist() == pytest.approx([np.sqrt(8 / 3), 10.0])
    assert summary["min"].to_numpy().tolist() == [1.0, 10.0]
    assert summary["max"].to_numpy().tolist() == [5.0, 30.0]


def test_summarize_keeps_units_of_all_but_the_count() -> None:
    summary = summarize(labelled([1, 2], {"x": ["a", "b"]}, units="K"))
    assert {name: part.attrs for name, part in summary.items()} == {
        "count": {},
        "mean": {"units": "K"},
        "std": {"units": "K"},
        "min": {"units": "K"},
        "max": {"units": "K"},
    }


def test_summarize_of_everything_is_one_number_each() -> None:
    summary = summarize(labelled(np.arange(6).reshape(2, 3), {"x": [0, 1], "y": [0, 1, 2]}))
    assert {name: part.item() for name, part in summary.items()} == pytest.approx(
        {"count": 6, "mean": 2.5, "std": np.arange(6).std(), "min": 0, "max": 5}
    )


def test_summarize_where_every_value_is_missing() -> None:
    summary = summarize(labelled([[np.nan, 1.0]], {"x": [0], "y": ["none", "one"]}), "x")
    assert summary["count"].to_numpy().tolist() == [0, 1]
    for name in ("mean", "std", "min", "max"):
        assert np.isnan(summary[name].sel(y="none"))
        assert not np.isnan(summary[name].sel(y="one"))


@pytest.mark.parametrize("values", [["a"], [True], [1j], np.array(["2026-01-01"], "datetime64[s]")])
def test_summarize_refuses_what_is_no_number(values: list) -> None:
    with pytest.raises(TypeError, match=r"^only real numbers can be summarized, not values of type "):
        summarize(labelled(values, {"x": [0]}))


def test_summarize_refuses_an_unknown_dimension() -> None:
    with pytest.raises(ValueError, match=r"^there is no dimension 'z'; there are \['x'\]$"):
        summarize(labelled([1], {"x": [0]}), "z")


@pytest.mark.parametrize("dim", ["x", None])
def test_summarize_refuses_what_is_empty(dim: str | None) -> None:
    with pytest.raises(ValueError, match=r"^an array of shape {'x': 0, 'y': 1} has nothing to summarize$"):
        summarize(labelled(np.zeros((0, 1)), {"x": [], "y": ["a"]}), dim)
