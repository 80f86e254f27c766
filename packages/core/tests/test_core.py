import ast
import datetime as dt
import doctest
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from enum import Enum
from fractions import Fraction
from importlib.metadata import version
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import foopack_core
from foopack_core import hello, labelled, summarize


def test_version_is_the_installed_one() -> None:
    assert foopack_core.__version__ == version("foopack-core")


def test_hello_names_its_dependencies() -> None:
    assert hello() == (
        f"Hello from foopack-core {foopack_core.__version__}, on numpy {np.__version__} and xarray {version('xarray')}"
    )


def test_imports_equal_requirements() -> None:
    root = Path(__file__).parents[1]
    imported = set()
    for path in (root / "src" / "foopack_core").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module))
            if isinstance(node, ast.Import):
                imported.update(alias.name for alias in node.names)
    tops = {name.split(".")[0] for name in imported} - sys.stdlib_module_names - {"foopack_core"}
    required = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {re.split("[=>]", each)[0].replace("-", "_") for each in required} == tops


def test_readme() -> None:
    result = doctest.testfile(str(Path(__file__).parents[1] / "README.md"), module_relative=False)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize("name", sorted({*foopack_core.__all__} - {"__version__"}))
def test_examples_in_docstrings(name: str) -> None:
    function = getattr(foopack_core, name)
    (examples,) = doctest.DocTestFinder().find(function, name, globs=function.__globals__)
    result = doctest.DocTestRunner().run(examples)
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
        ([[1, 2]], {"x": [0]}, r"the values have the shape \(1, 2\), but labels are given for \['x'\]"),
        ([1, 2], {}, r"the values have the shape \(2,\), but labels are given for \[\]"),
        (1, {"x": ["a"]}, r"the values have the shape \(\), but labels are given for \['x'\]"),
        ([1], {"x": []}, r"'x' has the size 1, but its labels have the shape \(0,\)"),
        ([1, 2], {"x": ["a"]}, r"'x' has the size 2, but its labels have the shape \(1,\)"),
        ([1, 2], {"x": [["a", "b"]]}, r"'x' has the size 2, but its labels have the shape \(1, 2\)"),
        ([1, 2], {"x": [np.arange(2), np.arange(2)]}, r"'x' has the size 2, but its labels have the shape \(2, 2\)"),
        ([1, 2], {"x": "ab"}, r"'x' has the size 2, but its labels have the shape \(\)"),
        ([1, 2, 3], {"x": [4, 5, 4]}, "'x' has the label 4 more than once"),
        ([1, 2], {"x": [0.5, np.nan]}, "'x' has a missing label at position 1"),
        ([1, 2], {"x": np.array(["NaT", "2026-01-01"], "datetime64[s]")}, "'x' has a missing label at position 0"),
    ],
)
def test_labelled_refuses_labels_that_do_not_fit(values: object, labels: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        labelled(values, labels)


@pytest.mark.parametrize(
    "labels",
    [
        ["a", np.nan],
        ["a", None],
        ["a", pd.NA],
        [b"a", np.nan],
        [1, None],
        [dt.datetime(2026, 1, 1), pd.NaT],
        np.array(["a", np.nan], dtype=object),
        np.ma.array([1, 2], mask=[False, True]),
        np.ma.array(["a", "b"], mask=[False, True]),
        pd.array([1, None], dtype="Int64"),
        pd.array(["a", None], dtype="string"),
        pd.Categorical(["a", None]),
        pd.DatetimeIndex(["2026-01-01", None], tz="UTC"),
        pd.to_timedelta(["1h", None]),
    ],
    ids=repr,
)
def test_a_missing_label_is_an_error_in_every_form(labels: object) -> None:
    with pytest.raises(ValueError, match=r"^'x' has a missing label at position 1$"):
        labelled([1, 2], {"x": labels})


@pytest.mark.parametrize(
    ("labels", "index"),
    [
        (pd.date_range("2026-10-25", periods=2, tz="Europe/Oslo"), pd.DatetimeIndex),
        ([pd.Timestamp("2026-01-01", tz="UTC"), pd.Timestamp("2026-01-02", tz="UTC")], pd.DatetimeIndex),
        (pd.Series(pd.date_range("2026-10-25", periods=2, tz="Asia/Tokyo")), pd.DatetimeIndex),
        (pd.Categorical(["b", "a"], categories=["b", "a", "c"], ordered=True), pd.CategoricalIndex),
        (pd.CategoricalIndex([1, 2]), pd.CategoricalIndex),
        (pd.timedelta_range("1h", periods=2), pd.TimedeltaIndex),
        ([dt.timedelta(1), dt.timedelta(2)], pd.TimedeltaIndex),
        ([dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 2)], pd.DatetimeIndex),
        (pd.period_range("2026-01", periods=2, freq="M"), pd.PeriodIndex),
        (pd.interval_range(0, 2), pd.IntervalIndex),
    ],
)
def test_labels_of_pandas_keep_their_index(labels: Sequence, index: type[pd.Index]) -> None:
    made = labelled([1, 2], {"x": labels}).indexes["x"]
    assert isinstance(made, index)
    assert made.equals(pd.Index(labels))
    assert getattr(made, "tz", None) == getattr(pd.Index(labels), "tz", None)
    assert getattr(made, "categories", pd.Index([])).equals(getattr(pd.Index(labels), "categories", pd.Index([])))


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [
        (["a", 1, 2.5], "object"),
        ([True, False, "neither"], "object"),
        ([True, 2], "object"),
        ([b"\0a", b"b"], "object"),
        ([b"a", "a"], "object"),
        ([dt.date(2026, 1, 1), "later"], "object"),
        ([1, 2.5], "float64"),
        ([True, False], "bool"),
        (np.array([1, 2], dtype="uint8"), "uint8"),
        (np.array([0.5, 2], dtype="float16"), "float64"),
        (pd.array([1, 2], dtype="Int64"), "int64"),
        (pd.Index(["a", "b"]), "<U1"),
        (["a", "nan"], "<U3"),
    ],
)
def test_each_label_keeps_its_type(labels: Sequence, dtype: str) -> None:
    array = labelled(np.arange(len(labels)), {"x": labels})
    assert array["x"].dtype == dtype
    for position, label in enumerate(labels):
        assert array.indexes["x"][position] == label
        assert isinstance(array.indexes["x"][position], bytes) == isinstance(label, bytes)
        assert array.indexes["x"].get_loc(label) == position


@pytest.mark.parametrize("labels", [[("a", 1), ("b", 2)], ["a", ("b",)], pd.MultiIndex.from_tuples([(1, 2), (3, 4)])])
def test_labels_that_are_tuples_are_refused(labels: object) -> None:
    with pytest.raises(ValueError, match=r"^'x' has tuples as labels: give each part a dimension, or join the parts$"):
        labelled([1, 2], {"x": labels})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.ma.array([1, -9999], mask=[False, True]), [1.0, np.nan]),
        (np.ma.array([1.5, -9999], mask=[False, True], dtype="float32"), [1.5, np.nan]),
        ([np.ma.array([1, 2], mask=[False, True])[0], np.ma.array([-9999], mask=True)[0]], [1.0, np.nan]),
        (np.ma.array([True, True], mask=[False, True]), [1.0, np.nan]),
        (np.ma.array([3, 4]), [3.0, 4.0]),
        (pd.array([1, None], dtype="Int64"), [1.0, np.nan]),
        (pd.array([1, None], dtype="UInt8"), [1.0, np.nan]),
        (pd.array([True, None], dtype="boolean"), [1.0, np.nan]),
        (pd.array([0.5, None], dtype="Float32"), [0.5, np.nan]),
        (pd.Series([True, None], dtype="boolean"), [1.0, np.nan]),
        (pd.Index([0.5, None], dtype="Float64"), [0.5, np.nan]),
    ],
)
@pytest.mark.filterwarnings("ignore:Warning. converting a masked element to nan")
def test_masked_values_are_missing(values: object, expected: list[float]) -> None:
    array = labelled(values, {"x": ["a", "b"]})
    assert np.array_equal(array.to_numpy(), expected, equal_nan=True)
    assert summarize(array)["count"].item() == np.isfinite(expected).sum()


@pytest.mark.parametrize("dtype", ["Int64", "UInt8", "boolean", "Float32"])
def test_values_of_nullable_arrays_have_the_type_of_numpy(dtype: str) -> None:
    values = pd.array([1, 0], dtype="int64").astype(dtype)
    array = labelled(values, {"x": ["a", "b"]})
    assert array.dtype == dtype.lower().replace("boolean", "bool")
    assert array.to_numpy().tolist() == [1, 0]
    array[0] = 0
    assert values[0] == 1


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_masked_values_in_nested_lists_are_missing(depth: int) -> None:
    values: Any = [np.ma.array([1, -9999], mask=[False, True]), [3, 4]]
    for _ in range(depth):
        values = [values]
    array = labelled(values, {f"d{axis}": range(n) for axis, n in enumerate([*[1] * depth, 2, 2])})
    assert np.array_equal(array.to_numpy().ravel(), [1, np.nan, 3, 4], equal_nan=True)


@pytest.mark.parametrize("number", [2**60 + 1, 2**53 + 1, -(2**53) - 1])
def test_a_masked_value_beside_an_integer_beyond_floats(number: int) -> None:
    with pytest.raises(ValueError, match=r"^a masked value is NaN, but floats cannot hold integers above 2\*\*53"):
        labelled(np.ma.array([number, 1], mask=[False, True]), {"x": ["a", "b"]})
    with pytest.raises(ValueError, match=r"^a masked value is NaN, but floats cannot hold integers above 2\*\*53"):
        labelled(pd.array([number, None], dtype="Int64"), {"x": ["a", "b"]})


@pytest.mark.parametrize("number", [2**53, -(2**53)])
def test_a_masked_value_beside_the_largest_integers_that_floats_have(number: int) -> None:
    assert labelled(np.ma.array([number, 2**62], mask=[False, True]), {"x": ["a", "b"]})[0].item() == number
    assert labelled(pd.array([number, None], dtype="Int64"), {"x": ["a", "b"]})[0].item() == number
    assert np.isnan(labelled(np.ma.array([number], mask=[True]), {"x": ["a"]})).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], ["a", "b"]), "the labels must be a mapping from dimensions to labels, not a list"),
        (([1, 2], np.array(["a", "b"])), "the labels must be a mapping from dimensions to labels, not a ndarray"),
        (([1, 2], {"a", "b"}), "the labels must be a mapping from dimensions to labels, not a set"),
        (({1, 2}, {"x": [0, 1]}), "the values must be an array or nested lists, not a set"),
        (((n for n in [1, 2]), {"x": [0, 1]}), "the values must be an array or nested lists, not a generator"),
        (({"a": 1}, {"x": [0]}), "the values must be an array or nested lists, not a dict"),
        (([1, 2], {"x": {0, 1}}), "the labels of 'x' must have an order, as in a list, unlike a set"),
        (
            ([1, 2], {"x": iter("ab")}),
            "the labels of 'x' must have an order, as in a list, unlike a str_ascii_iterator",
        ),
        (([1, 2], {"x": {"a": 1, "b": 2}}), "the labels of 'x' must have an order, as in a list, unlike a dict"),
    ],
)
def test_other_types_get_a_sentence(arguments: tuple[Any, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        labelled(*arguments)


@pytest.mark.parametrize("words", [{"name": ["a"]}, {"units": {"m"}}, {"name": np.array(["a"])}])
def test_a_name_and_units_are_single_ones(words: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"^(name|units) must be a single text, not a (list|set|ndarray)$"):
        labelled([1], {"x": [0]}, **words)


NUMBERS = st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9)


@pytest.mark.parametrize(
    ("of", "dtype"),
    [
        *(
            (of, dtype)
            for of in (np.asarray, pd.Index, pd.Series, np.ma.array)
            for dtype in ("int8", "uint16", "float32")
        ),
        *((of, dtype) for of in (np.asarray, np.ma.array) for dtype in (">i4", ">f8")),
    ],
)
def test_numbers_as_labels_keep_their_size(of: Callable[..., Any], dtype: str) -> None:
    index = labelled([1, 2], {"x": of(np.array([3, 4], dtype=dtype))}).indexes["x"]
    assert index.dtype == np.dtype(dtype).newbyteorder("=")
    assert index.tolist() == [3, 4]


@pytest.mark.parametrize("labels", [[2**53 + 1, 0.5], [2**63 + 1, 2**63 + 2, -1], [np.int64(-(2**63)), 1.5]])
def test_an_integer_beyond_floats_stays_an_integer(labels: list[Any]) -> None:
    index = labelled(range(len(labels)), {"x": labels}).indexes["x"]
    assert [(type(label), label) for label in index] == [(type(label), label) for label in labels]


@settings(deadline=None)
@given(
    st.lists(NUMBERS, unique=True)
    | st.lists(st.text("ab\0é\ud800"), unique=True)
    | st.lists(st.lists(st.sampled_from([b"a", b"b", b"\0"])).map(b"".join), unique=True)
)
def test_every_label_is_found_or_refused(labels: list[Any]) -> None:
    ended = [label for label in labels if isinstance(label, (str, bytes)) and label[-1:] in ("\0", b"\0")]
    if ended:
        with pytest.raises(ValueError, match=re.escape(f"'x' has {ended[0][:-1]!r} with NUL at its end, which numpy ")):
            labelled(np.arange(len(labels)), {"x": labels})
        return
    array = labelled(np.arange(len(labels)), {"x": labels})
    assert [array.indexes["x"].get_loc(label) for label in labels] == list(range(len(labels)))
    assert [array.sel(x=label).item() for label in labels] == list(range(len(labels)))


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "a\0"],
        ["b", "a\0\0"],
        ["a", "a\0"],
        [b"b", b"a\0"],
        [1, "a\0"],
        ("b", "\0"),
        np.array(["b", "a\0"], dtype=object),
        np.array([b"b", b"a\0"], dtype=object),
        np.array([b"b\0", b"a\0"], dtype="V2"),
        np.ma.array(["b", "a\0"], dtype=object),
        pd.Index(["b", "a\0"]),
        pd.Index([b"b", b"a\0"]),
        pd.Series(["b", "a\0"]),
        pd.array(["b", "a\0"], dtype="string"),
        pd.Categorical(["b", "a\0"]),
        [np.str_("b"), np.str_("a\0")],
        *([np.array(["b", "a\0"], dtype=np.dtypes.StringDType())] if hasattr(np.dtypes, "StringDType") else []),
    ],
    ids=repr,
)
def test_a_label_that_ends_in_nul_is_refused(labels: object) -> None:
    with pytest.raises(
        ValueError, match=r"^'x' has b?'(a|b|a\\x00|)' with NUL at its end, which numpy strips: remove the NUL$"
    ):
        labelled([1, 2], {"x": labels})


class Color(str, Enum):  # noqa: UP042
    RED = "red"
    DARK = "dark"


@pytest.mark.parametrize("of", [list, tuple, lambda labels: np.array(labels, dtype=object), pd.Series])
def test_members_of_an_enumeration_are_their_texts(of: Callable[..., Any]) -> None:
    array = labelled([1, 2], {"x": of(list(Color))})
    assert [type(label) for label in array["x"].to_numpy().tolist()] == [str, str]
    assert (array.sel(x="red").item(), array.sel(x="dark").item()) == (1, 2)


@pytest.mark.parametrize(
    "values",
    [
        ["a\0", "b"],
        [["a"], ["b\0"]],
        (b"a\0",),
        "a\0",
        [1, "a\0"],
        list(Color),
        [b"a", "b"],
        [1, "a"],
        ["a", np.nan],
        [[True], ["a"]],
        [1.5, b"a"],
    ],
)
def test_values_that_numpy_would_change_are_refused(values: object) -> None:
    whole = np.array(values, dtype=object)
    labels = {f"d{axis}": range(n) for axis, n in enumerate(whole.shape)}
    with pytest.raises(ValueError, match=r"^numpy makes .* of the value .*: give an array of objects$"):
        labelled(values, labels)
    assert labelled(whole, labels).to_numpy().tolist() == whole.tolist()


@pytest.mark.parametrize(
    "values",
    [
        [2**60 + 1, 0.5],
        [2**53 + 1, np.nan],
        (-(2**53) - 1, np.float32(0.5)),
        [2**63 + 1, -1],
        [2**60 + 1, 1j],
        [np.int64(2**60 + 1), 0.5],
        [np.array(2**60 + 1), np.array(0.5)],
        [np.ma.array(2**60 + 1), np.ma.array(0.5)],
    ],
    ids=repr,
)
def test_integers_beyond_floats_are_refused_beside_floats(values: Any) -> None:  # noqa: ANN401
    said = r"^numpy makes .* of the value [-(\w.]*\d+\)*: give an array of objects$"
    for nested, labels in ((values, {"x": [0, 1]}), ([values], {"y": [0], "x": [0, 1]})):
        with pytest.raises(ValueError, match=said):
            labelled(nested, labels)
    whole = np.empty(2, dtype=object)
    whole[:] = values
    assert labelled(whole, {"x": [0, 1]}).to_numpy().tolist() == whole.tolist()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([2**53, 0.5], "float64"),
        ([2**60, -(2**60), np.nan], "float64"),
        ([1e300, np.inf, 1], "float64"),
        ([2**60, 1j], "complex128"),
        ([2**60 + 1, 2], "int64"),
        ([2**63 + 1, 2**63 + 3], "uint64"),
        ([np.ma.array([2**53 + 1, 5], mask=[True, False]), [0.5, 1]], "float64"),
    ],
    ids=repr,
)
def test_integers_that_floats_hold_are_accepted(values: Any, dtype: str) -> None:  # noqa: ANN401
    array = labelled(values, {f"d{axis}": range(n) for axis, n in enumerate(np.shape(values))})
    assert array.dtype == dtype
    flat = [value for row in values for value in (row if isinstance(row, (list, np.ndarray)) else [row])]
    for value, made in zip(flat, array.to_numpy().ravel().tolist(), strict=True):
        assert made == value or (made != made and (value is np.ma.masked or value != value))


@pytest.mark.parametrize(
    ("columns", "expected", "dtype"),
    [
        ([("Int64", [1, None]), ("Int64", [2, 3])], [[1, 2], [np.nan, 3]], "float64"),
        ([("Int64", [2**60 + 1, 1]), ("Int64", [2, 3])], [[2**60 + 1, 2], [1, 3]], "int64"),
        ([("Int8", [1, None]), ("float64", [0.5, 2])], [[1, 0.5], [np.nan, 2]], "float64"),
        ([("boolean", [True, None])], [[1], [np.nan]], "float64"),
        ([("boolean", [True, False])], [[True], [False]], "bool"),
        ([("Float64", [0.5, None]), ("int64", [1, 2])], [[0.5, 1], [np.nan, 2]], "float64"),
        ([("Float32", [0.5, None])], [[0.5], [np.nan]], "float32"),
        ([("string", ["a", None]), ("Int64", [1, 2])], [["a", 1], [np.nan, 2]], "object"),
        ([("category", ["a", "b"])], [["a"], ["b"]], "object"),
    ],
)
def test_a_table_with_nullable_columns_has_values_of_numpy(columns: list, expected: list, dtype: str) -> None:
    frame = pd.concat([pd.Series(column, dtype=kind, name="n") for kind, column in columns], axis=1)
    array = labelled(frame, {"row": ["a", "b"], "column": range(len(columns))})
    assert array.dtype == dtype
    for value, made in zip(np.array(expected, dtype=object).flat, array.to_numpy().flat, strict=True):
        assert made == value if value == value else pd.isna(made)
    assert array.isnull().to_numpy().tolist() == [[value != value for value in row] for row in expected]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [2**60 + 1, 2], "b": [0.5, 1]}),
        pd.DataFrame({"a": pd.array([2**60 + 1, 2], dtype="Int64"), "b": [0.5, 1]}),
        pd.DataFrame({"a": pd.array([2**60 + 1, 2], dtype="Int64"), "b": pd.array([1, None], dtype="Int64")}),
        pd.DataFrame({"a": pd.array([2**60 + 1, None], dtype="Int64")}),
    ],
)
def test_a_table_with_integers_beyond_floats_is_refused_beside_floats(frame: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"(give an array of objects|floats cannot hold integers above 2\*\*53: use)"):
        labelled(frame, {"row": ["a", "b"], "column": list(frame.columns)})


def test_labels_and_values_with_nul_elsewhere_are_kept() -> None:
    array = labelled(["\0a", "b\0c", ""], {"x": ["\0a", "b\0c", ""]})
    assert array.sel(x="b\0c").item() == "b\0c"
    assert array.to_numpy().tolist() == array["x"].to_numpy().tolist() == ["\0a", "b\0c", ""]


@pytest.mark.parametrize("of", [np.asarray, list, np.ma.array, lambda array: array.astype(object), pd.Series])
@pytest.mark.parametrize("dtype", ["longdouble", "clongdouble", "float16"])
def test_float_labels_have_64_bits(of: Callable[..., Any], dtype: str) -> None:
    index = labelled([1, 2], {"x": of(np.array([0.5, 2], dtype=dtype))}).indexes["x"]
    assert index.dtype == {"clongdouble": "complex128"}.get(dtype, "float64")
    assert index.tolist() == [0.5, 2]


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(np.float64).eps, reason="long doubles are floats here")
@pytest.mark.parametrize("text", ["0.1", "1e400", "1e-400", "9007199254740993", "-1e400"])
@pytest.mark.parametrize("of", [np.asarray, list, pd.Series])
def test_a_long_double_beyond_float_precision_is_refused(text: str, of: Callable[..., Any]) -> None:
    labels = np.array([1, np.longdouble(text)])
    with pytest.raises(ValueError, match=r"^'x' has the label [-+.e\d]+, a long double that no 64-bit float can hold$"):
        labelled([1, 2], {"x": of(labels)})


def test_a_missing_long_double_label_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^'x' has a missing label at position 1$"):
        labelled([1, 2], {"x": np.array([1, np.nan], dtype=np.longdouble)})


@pytest.mark.parametrize("unit", ["ps", "fs", "as"])
@pytest.mark.parametrize("kind", ["M8", "m8"])
def test_times_that_pandas_would_cut_are_refused(kind: str, unit: str) -> None:
    times = np.array([1000, 1001], f"{kind}[{unit}]")
    with pytest.raises(ValueError, match=f"^'x' has times in {unit}, but the finest unit is ns: round the times$"):
        labelled([1, 2], {"x": times})
    with pytest.raises(ValueError, match=f"^the values have times in {unit}, but the finest unit is ns"):
        labelled(times, {"x": [1, 2]})
    assert labelled(times.astype(f"{kind}[us]"), {"x": [1, 2]}).dtype.kind == kind[0]


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ([{}, {"a": 1}], "dict"),
        ([{1}, "a"], "set"),
        ([[1], [2, 3]], "list"),
        ([bytearray(b"a"), bytearray(b"b")], "bytearray"),
        ([xr.DataArray(1), xr.DataArray(2)], "DataArray"),
        ([np.arange(2), "a"], "ndarray"),
        (pd.Series([{}, {}]), "dict"),
    ],
    ids=repr,
)
def test_labels_that_cannot_be_looked_up_get_a_sentence(labels: object, kind: str) -> None:
    with pytest.raises(ValueError, match=f"^'x' has a label that cannot be hashed, a {kind}$"):
        labelled([1, 2], {"x": labels})


@pytest.mark.parametrize("labels", [np.array([(1, 2), (3, 4)], "i4,i4"), np.rec.array([(1, "a"), (3, "b")])])
def test_records_are_tuples(labels: object) -> None:
    with pytest.raises(ValueError, match=r"^'x' has tuples as labels: "):
        labelled([1, 2], {"x": labels})


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


@pytest.mark.parametrize("statistic", ["mean", "std", "min", "max"])
def test_summarize_shares_no_attribute(statistic: str) -> None:
    array = labelled([1, 2], {"x": ["a", "b"]}).assign_attrs(history=["made"])
    summary = summarize(array)
    summary[statistic].attrs["history"].append("summarized")
    assert array.attrs == {"history": ["made"]}
    assert [part.attrs for name, part in summary.items() if name not in ("count", statistic)] == [array.attrs] * 3


def test_summarize_of_everything_is_one_number_each() -> None:
    summary = summarize(labelled(np.arange(6).reshape(2, 3), {"x": [0, 1], "y": [0, 1, 2]}))
    assert {name: part.item() for name, part in summary.items()} == pytest.approx(
        {"count": 6, "mean": 2.5, "std": np.arange(6).std(), "min": 0, "max": 5}
    )


def test_summarize_if_every_value_is_missing() -> None:
    summary = summarize(labelled([[np.nan, 1.0]], {"x": [0], "y": ["none", "one"]}), "x")
    assert summary["count"].to_numpy().tolist() == [0, 1]
    for name in ("mean", "std", "min", "max"):
        assert np.isnan(summary[name].sel(y="none"))
        assert not np.isnan(summary[name].sel(y="one"))


@pytest.mark.parametrize("values", [["a"], [True], [1j], np.array(["2026-01-01"], "datetime64[s]")])
def test_summarize_refuses_non_numbers(values: list) -> None:
    with pytest.raises(TypeError, match=r"^only real numbers can be summarized, not values of type "):
        summarize(labelled(values, {"x": [0]}))


def test_summarize_refuses_an_unknown_dimension() -> None:
    with pytest.raises(ValueError, match=r"^there is no dimension 'z'; the dimensions are \['x'\]$"):
        summarize(labelled([1], {"x": [0]}), "z")


@pytest.mark.parametrize("dim", ["x", None])
def test_summarize_refuses_an_empty_array(dim: str | None) -> None:
    with pytest.raises(ValueError, match=r"^an array of shape {'x': 0, 'y': 1} has nothing to summarize$"):
        summarize(labelled(np.zeros((0, 1)), {"x": [], "y": ["a"]}), dim)


@pytest.mark.parametrize("statistic", list(summarize(labelled([1.0], {"x": [0]}))))
@pytest.mark.parametrize("of", ["a dimension", "a dimension without labels", "an auxiliary", "a scalar"])
def test_summarize_refuses_a_coordinate_that_is_named_like_a_statistic(statistic: str, of: str) -> None:
    array = labelled(np.ones((2, 2)), {"x": [0, 1], "y": ["a", "b"]})
    match of:
        case "a dimension":
            array = array.rename(y=statistic)
        case "a dimension without labels":
            array = array.drop_vars("y").rename(y=statistic)
        case "an auxiliary":
            array = array.assign_coords({statistic: ("y", [1, 2])})
        case "a scalar":
            array = array.assign_coords({statistic: 7})
    with pytest.raises(ValueError, match=f"^'{statistic}' names a statistic and a coordinate of the array: rename"):
        summarize(array, "x")


@pytest.mark.parametrize("dim", ["mean", None])
def test_summarize_accepts_a_statistics_name_on_a_dropped_coordinate(dim: str | None) -> None:
    array = labelled([1.0, 3.0], {"mean": [10, 20]})
    assert summarize(array, dim)["mean"].item() == 2.0


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int64"])
@pytest.mark.parametrize("value", [10, 100, 127])
def test_summarize_counts_in_wide_floats(dtype: str, value: int) -> None:
    summary = summarize(labelled(np.full(10_001, value, dtype), {"x": np.arange(10_001)}))
    assert {name: part.item() for name, part in summary.items()} == {
        "count": 10_001,
        "mean": value,
        "std": 0,
        "min": value,
        "max": value,
    }
    assert summary["mean"].dtype == summary["std"].dtype == "float64"
    assert summary["min"].dtype == summary["max"].dtype == dtype


def exact(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the population standard deviation, computed with fractions."""
    numbers = [Fraction(value) for value in values]
    mean = sum(numbers, Fraction(0)) / len(numbers)
    variance = sum(((number - mean) ** 2 for number in numbers), Fraction(0)) / len(numbers)
    # Take the square root of an integer that is large enough for full precision, however small the variance is.
    shift = 4**1200
    return float(mean), float(Fraction(isqrt(int(variance * shift)), 2**1200))


@settings(deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6),
    st.integers(-1060, 1020).map(lambda power: float(np.ldexp(1, power))),
)
def test_counts_are_exact_at_any_size(values: list[float], size: float) -> None:
    for numbers in (values, [size * n for n in (1, -1, 0.5)]):
        summary = summarize(labelled(numbers, {"x": np.arange(len(numbers))}))
        mean, deviation = exact(numbers)
        largest = max(map(abs, numbers))
        assert summary["mean"].item() == pytest.approx(mean, rel=0, abs=largest * 2e-15 + 1e-323)
        assert summary["std"].item() == pytest.approx(deviation, rel=1e-12, abs=largest * 2e-16 + 1e-323)
        assert summary["min"] <= summary["mean"] <= summary["max"]


@pytest.mark.parametrize(
    ("values", "mean", "deviation"),
    [
        ([1e200, -1e200], 0, 1e200),
        ([1e-200, -1e-200], 0, 1e-200),
        ([1.7e308, 1.7e308], 1.7e308, 0),
        ([-1.5e200, 0, 0], -5e199, 5e199 * 2**0.5),
        ([0, 0, 1.5e200], 5e199, 5e199 * 2**0.5),
        ([-1.5e-200, 0, 0], -5e-201, 5e-201 * 2**0.5),
        ([0, 0, 1.5e-200], 5e-201, 5e-201 * 2**0.5),
        ([np.finfo("float64").max, -np.finfo("float64").max], 0, np.finfo("float64").max),
        ([5e-324, 1.5e-323], 1e-323, 5e-324),
        (np.array([60000, -60000], "float16"), 0, 60000),
        (np.array([6e-8, 6e-8], "float16"), float(np.float16(6e-8)), 0),
        (np.array([3e38, -3e38], "float32"), 0, float(np.float32(3e38))),
        (np.array([1e-45, -1e-45], "float32"), 0, float(np.float32(1e-45))),
        (np.array(["1e300", "-1e300"], "longdouble"), 0, 1e300),
        ([2**52, 2**52 + 1], 2**52, 0.5),
        ([2.0**52, 2.0**52 + 1], 2**52, 0.5),
        ([2**60 + 1, 2**60 + 2], 2**60, 0.5),
        ([-(2**63), 2**63 - 1], 0, 2.0**63),
        (np.array([0, 2**64 - 1], "uint64"), 2.0**63, 2.0**63),
        (np.array([-128, 127], "int8"), -0.5, 127.5),
        (np.array([0, 255], "uint8"), 127.5, 127.5),
        ([1e15, 1e15, 1e15 + 1], 1e15 + 1 / 3, 2**0.5 / 3),
    ],
    ids=repr,
)
def test_summarize_of_extreme_values(values: Any, mean: float, deviation: float) -> None:  # noqa: ANN401
    array = labelled([values, values], {"y": ["a", "b"], "x": np.arange(len(values))})
    for summary in (summarize(array, "x"), summarize(array)):
        assert summary["mean"].to_numpy().ravel() == pytest.approx(mean, rel=1e-15, abs=0)
        assert summary["std"].to_numpy().ravel() == pytest.approx(deviation, rel=1e-15, abs=0)


def test_rounding_stays_within_the_values() -> None:
    numbers = np.random.default_rng(1).random((2, 2000))
    constant = summarize(labelled(np.repeat(numbers[:1], 3, axis=0), {"x": range(3), "y": range(2000)}), "x")
    assert (constant["mean"].to_numpy() == numbers[0]).all()
    assert (constant["std"].to_numpy() == 0).all()
    for times in (1, 3, 5):
        ends = np.repeat(numbers, times, axis=0)
        pairs = summarize(labelled(ends, {"x": range(2 * times), "y": range(2000)}), "x")
        assert (pairs["std"] <= (pairs["max"] - pairs["min"]) / 2).all()


def test_each_line_of_a_summary_has_its_own_magnitude() -> None:
    array = labelled([[1e300, 1e-300, 0, np.nan], [-1e300, 3e-300, 0, np.nan]], {"x": [0, 1], "y": list("abcd")})
    summary = summarize(array, "x")
    assert summary["mean"].to_numpy().tolist()[:3] == [0, pytest.approx(2e-300, rel=1e-15), 0]
    assert summary["std"].to_numpy().tolist()[:3] == [1e300, pytest.approx(1e-300, rel=1e-15), 0]
    assert np.isnan([summary["mean"].sel(y="d"), summary["std"].sel(y="d")]).all()


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp == 1024, reason="long doubles are floats here")
def test_a_long_double_beyond_floats_has_a_deviation() -> None:
    large = np.longdouble("1e3000")
    summary = summarize(labelled(np.array([large, -large]), {"x": [0, 1]}))
    assert (summary["mean"].item(), summary["std"].item(), summary["std"].dtype) == (0, large, np.longdouble)


@pytest.mark.parametrize(
    ("values", "mean"), [([np.inf, 1], np.inf), ([-np.inf, 1, np.nan], -np.inf), ([np.inf, -np.inf], np.nan)]
)
def test_summarize_infinite_values(values: list[float], mean: float) -> None:
    with np.errstate(all="raise"):
        summary = summarize(labelled(values, {"x": np.arange(len(values))}))
    assert summary["mean"].item() == pytest.approx(mean, nan_ok=True)
    assert np.isnan(summary["std"].item())
    assert (summary["min"].item(), summary["max"].item()) == (np.nanmin(values), np.nanmax(values))


def test_summarize_of_a_single_number() -> None:
    summary = summarize(labelled(-1.5, {}))
    assert {name: part.item() for name, part in summary.items()} == {
        "count": 1,
        "mean": -1.5,
        "std": 0,
        "min": -1.5,
        "max": -1.5,
    }


@settings(deadline=None)
@given(st.lists(st.floats(-60000, 60000, width=16), min_size=1), st.sampled_from(["float16", "float32", "float64"]))
def test_a_mean_lies_between_minimum_and_maximum(values: list[float], dtype: str) -> None:
    summary = summarize(labelled(np.array(values, dtype), {"x": np.arange(len(values))}))
    assert summary["min"] <= summary["mean"] <= summary["max"]
    assert summary["mean"].item() == pytest.approx(sum(values) / len(values), abs=1e-9)
    assert summary["count"].item() == len(values)


@pytest.mark.parametrize("dim", [0, ("a", 1), dt.date(2026, 1, 1)])
def test_summarize_takes_any_hashable_as_a_dimension(dim: object) -> None:
    array = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=[dim, "other"])
    assert summarize(array, dim)["mean"].to_numpy().tolist() == [2.0, 3.0]


@pytest.mark.parametrize("dim", [["x"], {"x"}, np.array(["x"])])
def test_summarize_takes_one_dimension(dim: object) -> None:
    with pytest.raises(TypeError, match=r"^`dim` must be one dimension, or None for all, not a (list|set|ndarray)$"):
        summarize(labelled([1], {"x": [0]}), dim)


@pytest.mark.parametrize("array", [[1, 2], np.arange(2), pd.Series([1]), xr.Dataset()])
def test_summarize_takes_a_labelled_array(array: object) -> None:
    with pytest.raises(TypeError, match=r"^only a labelled array can be summarized, not a \w+: `labelled` makes one$"):
        summarize(array)


@pytest.mark.parametrize("dim", [0, None, ("a", 1)])
def test_labelled_takes_a_text_as_a_dimension(dim: object) -> None:
    with pytest.raises(TypeError, match=r"^the name of a dimension with labels must be a text, "):
        labelled([1.0, 3.0], {dim: ["a", "b"]})
