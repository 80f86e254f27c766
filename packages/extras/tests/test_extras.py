import ast
import datetime as dt
import doctest
import re
import sys
import tomllib
import warnings
from collections.abc import Callable
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import foopack_extras
from foopack_core import labelled
from foopack_extras import from_frame, hello_extras, to_frame


def test_version_is_the_installed_one() -> None:
    assert foopack_extras.__version__ == version("foopack-extras")


def test_hello_names_its_dependencies() -> None:
    assert hello_extras() == (
        f"Hello from foopack-extras {foopack_extras.__version__}, "
        f"on foopack-core {version('foopack-core')} and pandas {pd.__version__}"
    )


def test_imports_equal_requirements() -> None:
    root = Path(__file__).parents[1]
    imported = set()
    for path in (root / "src" / "foopack_extras").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module))
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
    tops = {name.split(".")[0] for name in imported} - sys.stdlib_module_names - {"foopack_extras"}
    required = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split("[=>]", each)[0].replace("-", "_") for each in required} == tops


def test_readme() -> None:
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted({*foopack_extras.__all__} - {"__version__"}))
def test_examples_in_docstrings(name: str) -> None:
    function = getattr(foopack_extras, name)
    (examples,) = doctest.DocTestFinder().find(function, name, globs=function.__globals__)
    result = doctest.DocTestRunner().run(examples)
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
    with pytest.raises(ValueError, match=r"^'x' would name two columns"):
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
        (["n"], [[1]], r"a table needs columns of labels, then one of values; its columns are \['n'\]"),
        ([], [], r"a table needs columns of labels, then one of values; its columns are \[\]"),
        (["x", "x", "n"], [["a", "b", 1]], "two columns of the table are named x"),
        (["x", "n"], [["a", 1], [None, 2]], "'x' has a missing label in row 1, counted from 0"),
        (["x", "y", "n"], [["a", 3, 1], ["b", 3, 1], ["a", 3, 2]], "two rows have the same cell, x = a, y = 3"),
        (["x", "n"], [["a", 1], ["b", 1], ["b", 2], ["a", 2]], "two rows have the same cell, x = b"),
    ],
)
def test_from_frame_refuses_untidy_tables(columns: list[str], rows: list[list], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        from_frame(pd.DataFrame(rows, columns=columns))


LABELS: list[Callable[[int], Any]] = [
    lambda size: [f"label {i}" for i in range(size)],
    lambda size: np.arange(size)[::-1] * 3,
    lambda size: np.arange(size) / 4,
    lambda size: np.arange(size, dtype="int8"),
    lambda size: np.arange(size, dtype="float32"),
    lambda size: [b"\0" * i + b"a" for i in range(size)],
    lambda size: np.arange(size, dtype=">i4"),
    lambda size: np.arange(size, dtype="longdouble") / 2,
    lambda size: [i if i % 2 else str(i) for i in range(size)],
    lambda size: pd.date_range("2026-10-25", periods=size, freq="h"),
    lambda size: pd.date_range("2026-10-25", periods=size, freq="h", tz="Europe/Oslo"),
    lambda size: pd.timedelta_range("1h", periods=size),
    lambda size: pd.period_range("2026-01", periods=size, freq="M"),
    lambda size: pd.Categorical([f"c{i}" for i in range(size)]),
]
DTYPES = ["bool", "int8", "uint16", "int64", "uint64", "float16", "float32", "float64", "complex128"]
DTYPES += ["datetime64[ns]", "timedelta64[ns]", "object"]
# The same characters as in `st.text()`, which would spend two seconds in each new clone to find what UTF-8 can encode.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@st.composite
def arrays(draw: st.DrawFn) -> xr.DataArray:
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    names = draw(st.lists(NAMES, min_size=len(shape) + 1, max_size=len(shape) + 1, unique=True))
    labels = {name: draw(st.sampled_from(LABELS))(size) for name, size in zip(names, shape, strict=False)}
    numbers = draw(st.lists(st.integers(0, 127), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    values = np.array(numbers).astype(draw(st.sampled_from(DTYPES))).reshape(shape)
    attrs = draw(st.dictionaries(TEXTS, TEXTS | st.lists(st.integers()), max_size=2))
    return labelled(values, labels, name=names[-1]).assign_attrs(attrs)


@settings(deadline=None)
@given(arrays(), st.randoms(use_true_random=False))
def test_round_trip_keeps_what_readme_promises(array: xr.DataArray, random: Any) -> None:  # noqa: ANN401
    frame = to_frame(array)
    back = from_frame(frame)
    assert back.identical(array)  # values, name, attributes, order of dimensions, order of labels
    assert back.dtype == array.dtype
    for dim in array.dims:
        assert back.indexes[dim].dtype == array.indexes[dim].dtype
    rows = list(range(len(frame)))
    random.shuffle(rows)
    assert from_frame(frame.iloc[rows]).reindex_like(array).equals(array) or array.dtype == object


@pytest.mark.parametrize("dtype", ["int64", "float32", "Int64", "boolean", "datetime64[ns]"])
def test_results_are_writable_copies(dtype: str) -> None:
    frame = pd.DataFrame({"x": ["a", "b"], "n": pd.array([0, 1], dtype="int64").astype(dtype)})
    frame.attrs = {"history": ["made"]}
    before = frame.copy(deep=True)
    array = from_frame(frame)
    array[0] = array[1].item() if dtype != "datetime64[ns]" else np.datetime64("2026-01-01", "ns")
    array.attrs["history"].append("changed")
    assert frame.equals(before)
    assert frame.attrs == {"history": ["made"]}


@pytest.mark.parametrize("dtype", ["int64", "float32", "datetime64[ns]"])
def test_a_table_is_a_writable_copy(dtype: str) -> None:
    array = labelled(np.array([0, 1]).astype(dtype), {"x": ["a", "b"]}, name="n").assign_attrs(history=["made"])
    before = array.copy(deep=True)
    frame = to_frame(array)
    frame.loc[0, "n"] = frame.loc[1, "n"]
    frame.attrs["history"].append("changed")
    assert array.identical(before)
    assert array.attrs == {"history": ["made"]}


@pytest.mark.parametrize("value", ["a", b"a"])
def test_texts_and_bytes_as_values_come_back_as_objects(value: str | bytes) -> None:
    array = from_frame(to_frame(labelled([value], {"x": ["p"]})))
    assert array.dtype == object
    assert array.item() == value


@pytest.mark.parametrize("dtype", ["float16", "longdouble"])
def test_labels_without_an_index_type_return_as_floats(dtype: str) -> None:
    array = labelled([1, 2], {"x": np.array([0.5, 2], dtype)}, name="n")
    assert array.indexes["x"].dtype == "float64"
    assert from_frame(to_frame(array)).identical(array)


def test_parts_that_a_table_cannot_hold_are_omitted() -> None:
    array = labelled([[1, 2]], {"x": ["a"], "y": ["b", "c"]}, name="n")
    more = array.assign_coords(height=("y", [1, 2]), station=7)
    more["y"].attrs["units"] = "m"
    assert from_frame(to_frame(more)).identical(array)


@pytest.mark.parametrize(
    ("values", "expected", "dtype"),
    [
        (pd.array([1, 2], dtype="Int64"), [1, 2], "int64"),
        (pd.array([1, None], dtype="Int64"), [1.0, np.nan], "float64"),
        (pd.array([True, None], dtype="boolean"), [1.0, np.nan], "float64"),
        (pd.array([0.5, None], dtype="Float32"), [0.5, np.nan], "float32"),
        (pd.Categorical(["a", "b"]), ["a", "b"], "object"),
        (pd.Categorical([1, 2]), [1, 2], "object"),
        (pd.array(["a", "b"], dtype="string"), ["a", "b"], "object"),
        (pd.array([1, 2], dtype="UInt8"), [1, 2], "uint8"),
        (pd.array([True, False], dtype="boolean"), [True, False], "bool"),
        (np.array([b"a", b"b"]), [b"a", b"b"], "object"),
    ],
)
def test_values_of_pandas_own_types(values: Any, expected: list, dtype: str) -> None:  # noqa: ANN401
    array = from_frame(pd.DataFrame({"x": ["p", "q"], "n": values}))
    assert array.dtype == dtype
    assert pd.Series(array.to_numpy(), dtype=dtype).equals(pd.Series(expected, dtype=dtype))


@pytest.mark.parametrize(
    ("dtype", "expected", "there"),
    [
        ("bool", "float64", 1.0),
        ("int8", "float64", 1.0),
        ("uint16", "float64", 1.0),
        ("int64", "float64", 1.0),
        ("float32", "float32", 1.0),
    ],
)
def test_a_cell_without_a_row_is_missing(dtype: str, expected: str, there: float) -> None:
    frame = pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"], "n": np.array([1, 1], dtype=dtype)})
    array = from_frame(frame)
    assert array.dtype == expected
    assert np.array_equal(array.to_numpy(), [[there, np.nan], [np.nan, there]], equal_nan=True)


@pytest.mark.parametrize("dtype", ["datetime64[ns]", "timedelta64[ns]"])
def test_a_time_without_a_row_is_missing(dtype: str) -> None:
    times = np.array([1, 2], "int64").astype(dtype)
    array = from_frame(pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"], "n": times}))
    assert array.dtype == dtype
    assert array.isnull().to_numpy().tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize("number", [2**53 + 1, -(2**53) - 1, 2**62])
def test_a_missing_cell_beside_an_integer_beyond_floats(number: int) -> None:
    whole = pd.DataFrame({"x": ["a", "b"], "n": [number, 1]})
    assert from_frame(whole).to_numpy().tolist() == [number, 1]
    with pytest.raises(
        ValueError, match=r"^a value of 'n' is missing and becomes NaN, but floats cannot hold integers above 2\*\*53: "
    ):
        from_frame(pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"], "n": [number, 1]}))
    with pytest.raises(ValueError, match=r"^a value of 'n' is missing and becomes NaN"):
        from_frame(pd.DataFrame({"x": ["a", "b"], "n": pd.array([number, None], dtype="Int64")}))
    with pytest.raises(ValueError, match=r"^a value of 'n' is missing and becomes NaN"):
        from_frame(pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"], "n": pd.arrays.SparseArray([number, 1])}))


@pytest.mark.parametrize("number", [2**53, -(2**53)])
def test_a_missing_cell_beside_the_largest_integers_that_floats_have(number: int) -> None:
    array = from_frame(pd.DataFrame({"x": ["a", "b"], "y": ["c", "d"], "n": [number, 1]}))
    assert array.sel(x="a", y="c").item() == number


@pytest.mark.parametrize("dtype", ["Int64", "boolean"])
def test_values_that_are_all_missing(dtype: str) -> None:
    array = from_frame(pd.DataFrame({"x": ["a", "b"], "n": pd.array([None, None], dtype=dtype)}))
    assert array.dtype == "float64"
    assert np.isnan(array.to_numpy()).all()


@pytest.mark.parametrize(("size", "warns"), [(999, False), (1000, True), (1500, True)])
def test_a_sparse_table_of_millions_of_cells_warns(size: int, warns: bool) -> None:
    frame = pd.DataFrame({"x": np.arange(size), "y": np.arange(size), "n": 1.0})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert from_frame(frame).shape == (size, size)
    said = f"{size} rows make an array of {size * size} cells, {size} x {size}: all others are missing"
    assert [str(each.message) for each in told] == ([said] if warns else [])
    assert {each.filename for each in told} <= {__file__}  # the warning points to the call


@pytest.mark.parametrize(("rows", "warns"), [(100_000, False), (99_999, True)])
def test_a_table_warns_of_more_than_ten_cells_for_each_row(rows: int, warns: bool) -> None:
    row = np.arange(rows)
    frame = pd.DataFrame({"x": row % 1000, "y": (row // 1000 + row) % 1000, "n": 1.0})
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert from_frame(frame).shape == (1000, 1000)
    assert len(told) == warns


def test_a_full_table_of_millions_of_cells_does_not_warn() -> None:
    array = labelled(np.zeros((1000, 1000)), {"x": np.arange(1000), "y": np.arange(1000)}, name="n")
    assert from_frame(to_frame(array)).identical(array)


@pytest.mark.parametrize("given", [[1], {"x": [1]}, pd.Series([1])])
def test_from_frame_takes_a_table(given: object) -> None:
    with pytest.raises(TypeError, match=r"^only a table of pandas can be read, not a \w+$"):
        from_frame(given)


@pytest.mark.parametrize("given", [[1], pd.Series([1]), xr.Dataset()])
def test_to_frame_takes_a_labelled_array(given: object) -> None:
    with pytest.raises(
        TypeError, match=f"^only a labelled array can be written as a table, not a {type(given).__name__}$"
    ):
        to_frame(given)  # type: ignore[arg-type]


@pytest.mark.parametrize("numbers", [[0, 1], [0.0, 1.5], [True, False]])
def test_from_frame_takes_sparse_values(numbers: list) -> None:
    array = from_frame(pd.DataFrame({"x": ["a", "b"], "n": pd.arrays.SparseArray(numbers)}))
    assert array.to_numpy().tolist() == numbers
    assert array.dtype == np.array(numbers).dtype


@pytest.mark.parametrize("name", [0, None, ("a", 1)])
def test_from_frame_requires_dimension_names_as_texts(name: object) -> None:
    frame = pd.DataFrame([["a", 3]], columns=pd.Index([name, "n"], tupleize_cols=False, dtype=object))
    with pytest.raises(TypeError, match=r"^the name of a dimension with labels must be a text, "):
        from_frame(frame)


def test_names_that_are_tuples_are_columns_of_one_level() -> None:
    frame = to_frame(xr.DataArray([3.0], dims=[("a", 1)], name=("b", 2)))
    assert frame.columns.nlevels == 1
    assert frame.columns.tolist() == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    "labels",
    [
        [1, True],
        [0, False],
        [1, 1.0],
        [np.int64(1), np.float32(1)],
        [True, np.float64(1)],
        [2, 2 + 0j],
        [1, Fraction(1)],
        [dt.datetime(2026, 1, 1), pd.Timestamp(2026, 1, 1)],
    ],
    ids=repr,
)
def test_labels_that_are_equal_and_of_several_types_are_refused(labels: list) -> None:
    one_and_another = np.empty(3, dtype=object)
    one_and_another[:] = ["other", *labels]
    frame = pd.DataFrame({"x": one_and_another, "y": ["p", "q", "r"], "n": [1, 2, 3]})
    said = f"'x' has the labels {labels[0]!r} and {labels[1]!r}, which are equal: keep one label"
    with pytest.raises(ValueError, match=f"^{re.escape(said)}$"):
        from_frame(frame)


@pytest.mark.parametrize(
    "labels",
    [
        [1, np.int8(1)],
        [True, np.True_],
        ["a", np.str_("a")],
        [0.5, np.float32(0.5)],
        [0.5j, np.complex64(0.5j)],
        [b"a", np.bytes_(b"a")],
    ],
)
def test_numpy_labels_equal_python_labels(labels: list) -> None:
    one_and_another = np.empty(3, dtype=object)
    one_and_another[:] = [{"a": "b", b"a": b"b"}.get(labels[0], 7), *labels]
    array = from_frame(pd.DataFrame({"x": one_and_another, "y": ["p", "q", "r"], "n": [1, 2, 3]}))
    assert array.shape == (2, 3)
    assert array.sel(x=labels[0], y="r").item() == 3


MIXED = st.one_of(
    st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 0.5, 1.0, 2.0]), st.sampled_from(["", "1", "True", b"1"])
)


@settings(deadline=None)
@given(st.lists(MIXED, min_size=1, max_size=8))
def test_each_row_is_found_by_its_label_or_refused(labels: list) -> None:
    column = np.empty(len(labels), dtype=object)
    column[:] = labels
    frame = pd.DataFrame({"x": pd.Series(column, dtype=object), "row": range(len(labels)), "n": range(len(labels))})
    kinds = {label: {type(each) for each in labels if each == label} for label in labels}
    if any(len(types) > 1 for types in kinds.values()):
        with pytest.raises(ValueError, match=r"^'x' has the labels .*, which are equal: keep one label$"):
            from_frame(frame)
        return
    array = from_frame(frame)
    assert array.shape == (len(kinds), len(labels))
    found = array.indexes["x"]
    numbers = all(isinstance(label, (int, float)) and not isinstance(label, bool) for label in kinds)
    for row, label in enumerate(labels):
        assert array[found.get_loc(label), row].item() == row
        assert numbers or type(found[found.get_loc(label)]) in (type(label), np.bool_)


@pytest.mark.parametrize("labels", [["a", "a\0"], [b"a", b"a\0"], ["b\0", "b\0"]])
@pytest.mark.parametrize("dtype", [None, object, "string", "category"])
def test_labels_that_end_in_nul_are_refused(labels: list, dtype: Any) -> None:  # noqa: ANN401
    if dtype == "string" and isinstance(labels[0], bytes):
        dtype = None
    column = pd.Series(labels, dtype=dtype)
    if dtype == "category" and column.iloc[1] == "a":
        pytest.skip("pandas 2 has merged them in its categories")
    frame = pd.DataFrame({"x": column, "y": ["p", "q"], "n": [1, 2]})
    with pytest.raises(ValueError, match=r"^'x' has b?'[ab]' with NUL at its end, which numpy strips: remove the NUL$"):
        from_frame(frame)


@pytest.mark.parametrize("labels", [["a\0b", "a\0c", "a"], [b"a\0b", b"a\0c", b"a"], ["\0a", "\0b", ""]])
@pytest.mark.parametrize("dtype", [object, "string"])
def test_labels_that_differ_after_nul_are_distinct(labels: list, dtype: Any) -> None:  # noqa: ANN401
    column = pd.Series(labels, dtype=object).astype(object if isinstance(labels[0], bytes) else dtype)
    array = from_frame(pd.DataFrame({"x": column, "n": [1, 2, 3]}))
    assert [array.sel(x=label).item() for label in labels] == [1, 2, 3]


@pytest.mark.parametrize("dtype", [">i2", ">u8", ">f4", ">f8", ">c16", "float16", "longdouble", "clongdouble"])
def test_number_labels_without_a_pandas_index(dtype: str) -> None:
    frame = pd.DataFrame({"x": np.array([3, 1, 3], dtype=dtype), "y": [1, 1, 2], "n": [1, 2, 3]})
    array = from_frame(frame)
    same = labelled([0, 0], {"x": np.array([3, 1], dtype=dtype)}).indexes["x"]
    assert array.indexes["x"].identical(same)
    assert array.indexes["x"].dtype == same.dtype
    assert array.sel(x=3, y=2).item() == 3


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(np.float64).eps, reason="long doubles are floats here")
def test_long_doubles_equal_as_floats_are_refused() -> None:
    one = np.longdouble(1)
    frame = pd.DataFrame({"x": np.array([one, np.nextafter(one, 2 * one)]), "y": ["p", "q"], "n": [1, 2]})
    with pytest.raises(ValueError, match=r"^'x' has the label 1\.0+1\d*, a long double that no 64-bit float can hold$"):
        from_frame(frame)


@pytest.mark.parametrize("labels", [[[1], [2]], [{}, {"a": 1}], [{1}, "a"], [([1],), "a"]])
def test_labels_that_cannot_be_looked_up_get_a_sentence(labels: list) -> None:
    frame = pd.DataFrame({"x": pd.Series(labels, dtype=object), "n": [1, 2]})
    with pytest.raises(ValueError, match=r"^'x' has a label that cannot be hashed: unhashable type: '\w+'"):
        from_frame(frame)


def test_more_cells_than_an_array_can_have_get_a_sentence() -> None:
    frame = pd.DataFrame({**{f"c{i}": [0, 1] for i in range(63)}, "n": [1, 2]})
    said = f"^2 rows make an array of {2**63} cells, more than an array can have: leave out columns of labels that do"
    with pytest.raises(ValueError, match=said):
        from_frame(frame)


def test_a_label_that_is_made_of_levels_is_a_tuple_in_a_table() -> None:
    array = labelled([[1, 2]], {"x": ["a"], "y": ["b", "c"]}, name="n").stack(z=("x", "y"))
    frame = to_frame(array)
    assert frame["z"].tolist() == [("a", "b"), ("a", "c")]
    with pytest.raises(ValueError, match=r"^'z' has tuples as labels: "):
        from_frame(frame)
