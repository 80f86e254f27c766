import doctest
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import foopack_extras
from foopack_core import labelled
from foopack_extras import from_frame, hello_extras, to_frame


def test_version_is_the_installed_one() -> None:
    assert foopack_extras.__version__ == version("foopack-extras")


def test_hello_names_what_it_stands_on() -> None:
    assert hello_extras() == (
        f"Hello from foopack-extras {foopack_extras.__version__}, "
        f"on foopack-core {version('foopack-core')} and pandas {pd.__version__}"
    )


def test_readme() -> None:
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


def test_to_frame_is_tidy() -> None:
    array = labelled([[1, 2], [3, 4]], {"row": ["b", "a"], "column": [20, 10]}, name="size", units="m")
    frame = to_frame(array)
    assert list(frame.columns) == ["row", "column", "size"]
    assert frame.to_numpy().tolist() == [["b", 20, 1], ["b", 10, 2], ["a", 20, 3], ["a", 10, 4]]
    assert list(frame.index) == [0, 1, 2, 3]
    assert frame.attrs == {"units": "m"}


def test_to_frame_names_values_without_a_name() -> None:
    assert list(to_frame(labelled([1], {"x": ["a"]})).columns) == ["x", "value"]


def test_to_frame_numbers_positions_without_labels() -> None:
    assert to_frame(labelled([7, 8], {"x": [0, 1]}).drop_vars("x"))["x"].tolist() == [0, 1]


def test_to_frame_leaves_the_array_alone() -> None:
    array = labelled([1], {"x": ["a"]}, units="m")
    to_frame(array).attrs["units"] = "km"
    assert array.attrs == {"units": "m"}


def test_to_frame_refuses_a_single_number() -> None:
    with pytest.raises(ValueError, match=r"^an array without dimensions is a single number, not a table$"):
        to_frame(labelled(1, {}))


def test_to_frame_refuses_a_name_that_is_a_dimension() -> None:
    with pytest.raises(ValueError, match=r"^'x' would be two columns"):
        to_frame(labelled([1], {"x": ["a"]}, name="x"))


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "a", "c"],
        [3, 1, 2],
        [0.5, -2.0, 9.0],
        [True, False, "neither"],
        pd.date_range("2026-10-25", periods=3),
        pd.date_range("2026-10-25", periods=3, freq="h", tz="Europe/Oslo"),
        pd.timedelta_range("1h", periods=3),
    ],
    ids=["names", "integers", "floats", "mixed", "times", "times with a zone", "durations"],
)
@pytest.mark.parametrize("dtype", ["int64", "float32", "bool", "datetime64[ns]"])
def test_round_trip_loses_nothing(labels: list, dtype: str) -> None:
    values = np.array([[0, 1], [1, 1], [0, 0]]).astype(dtype)
    array = labelled(values, {"label": labels, "side": ["right", "left"]}, name="size", units="m")
    there_and_back = from_frame(to_frame(array))
    assert there_and_back.identical(array)
    assert there_and_back.dtype == array.dtype


@pytest.mark.parametrize("dims", [1, 3])
def test_round_trip_of_other_numbers_of_dimensions(dims: int) -> None:
    array = labelled(np.arange(2**dims).reshape([2] * dims), {f"d{i}": ["y", "x"] for i in range(dims)}, name="n")
    assert from_frame(to_frame(array)).identical(array)


def test_round_trip_keeps_missing_values() -> None:
    array = labelled([[np.nan, 1.0]], {"x": ["a"], "y": ["b", "c"]}, name="n")
    assert from_frame(to_frame(array)).identical(array)


def test_from_frame_takes_rows_in_any_order_and_with_any_index() -> None:
    frame = pd.DataFrame({"x": ["b", "a", "a", "b"], "y": [1, 2, 1, 2], "n": [1, 4, 3, 2]}, index=[7, 7, 0, "z"])
    array = from_frame(frame)
    assert array.identical(labelled([[1, 2], [3, 4]], {"x": ["b", "a"], "y": [1, 2]}, name="n"))


def test_from_frame_has_nan_for_a_cell_without_a_row() -> None:
    array = from_frame(pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"], "n": [1, 2]}))
    assert np.array_equal(array.to_numpy(), [[1.0, np.nan], [np.nan, 2.0]], equal_nan=True)


def test_from_frame_of_no_rows_is_empty() -> None:
    assert from_frame(pd.DataFrame({"x": [], "y": [], "n": []})).shape == (0, 0)


@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        (["n"], [[1]], r"a table needs columns of labels and then one of values; there are \['n'\]"),
        ([], [], r"a table needs columns of labels and then one of values; there are \[\]"),
        (["x", "x", "n"], [["a", "b", 1]], "two columns of the table are named x"),
        (["x", "n"], [["a", 1], [None, 2]], "'x' has a missing label in row 1, counted from 0"),
        (["x", "y", "n"], [["a", 3, 1], ["b", 3, 1], ["a", 3, 2]], "two rows are about the same cell, x = a, y = 3"),
    ],
)
def test_from_frame_refuses_what_is_not_tidy(columns: list[str], rows: list[list], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        from_frame(pd.DataFrame(rows, columns=columns))
