from __future__ import annotations

import warnings
from copy import deepcopy
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from foopack_core import labelled

if TYPE_CHECKING:
    from collections.abc import Hashable

MANY = 1_000_000  # cells: 8 MB of numbers
SPARSE = 10  # cells for each row
LARGEST = np.iinfo(np.intp).max  # what numpy can count to
EXACT = 2**53  # the last integer up to which a float of 64 bits has each one
# Labels of one of them that are equal are one label: a number of numpy's is one of Python's.
KINDS = ((bool, np.bool_), (int, np.integer), (float, np.floating), (complex, np.complexfloating), str, bytes)


def to_frame(array: xr.DataArray) -> pd.DataFrame:
    """Write a labelled array as a tidy table.

    Args:
        array: At least one dimension. One without labels gets its positions, 0 and up.

    Returns:
        One row for each cell, the last dimension changing fastest. One column for each dimension, with its labels, then
        one for the values, named as the array is, or "value". A copy of the array's attributes, units included, is in
        `attrs`. All is a copy, and may be written to. Coordinates beside those of dimensions, and the attributes of
        coordinates, have no place in a table and are left out.

    Raises:
        TypeError: This is no `xarray.DataArray`.
        ValueError: The array has no dimension, or has the name of one of its dimensions.

    Examples:
        >>> from foopack_core import labelled
        >>> print(to_frame(labelled([3.0, 5.0], {"day": ["Mon", "Tue"]}, name="rain", units="mm")))
           day  rain
        0  Mon   3.0
        1  Tue   5.0
    """
    if not isinstance(array, xr.DataArray):
        raise TypeError(f"only a labelled array can be written as a table, not a {type(array).__name__}")
    value = "value" if array.name is None else array.name
    if not array.dims:
        raise ValueError("an array without dimensions is a single number, not a table")
    if value in array.dims:
        raise ValueError(f"{value!r} would be two columns: it is a dimension and names the values; rename one of them")
    indexes = [array.indexes[dim] if dim in array.indexes else pd.RangeIndex(array.sizes[dim]) for dim in array.dims]
    places = np.indices(array.shape).reshape(array.ndim, -1)
    columns: list[Any] = [index.take(place) for index, place in zip(indexes, places, strict=True)]
    frame = pd.DataFrame(dict(enumerate([*columns, array.to_numpy().ravel()])), copy=True)
    frame.columns = pd.Index([*array.dims, value], tupleize_cols=False)
    frame.attrs = deepcopy(dict(array.attrs))
    return frame


def from_frame(frame: pd.DataFrame) -> xr.DataArray:
    """Read a tidy table as a labelled array.

    Args:
        frame: As `to_frame` writes it: the last column holds the values, each other one the labels of a dimension. Rows
            may be in any order. The frame's index is ignored.

    Returns:
        One dimension for each column of labels, as long as it has different labels, in the order in which they first
        appear. Name and attributes are those of the last column and of the frame, copied. A cell without a row is
        missing: NaN, which makes integers and truth values floats, and NaT for times. All is a copy, and may be written
        to. Where many more cells are made than there are rows, a UserWarning says so.

    Raises:
        TypeError: This is no `pandas.DataFrame`, or a column of labels is not named by a text.
        ValueError: There are fewer than two columns or two of one name. A label is missing, equals one of another type
            in its column (1 and True) or is one that `labelled` refuses; or two rows are about the same cell. A cell
            without a row makes floats of integers that no float has, or there are more cells than an array can have.

    Examples:
        >>> frame = pd.DataFrame({"day": ["Mon", "Tue"], "site": ["hill", "shore"], "rain": [3, 5]})
        >>> array = from_frame(frame)
        >>> array.sel(day="Tue", site="shore").item()
        5.0
        >>> array.sel(day="Mon", site="shore").item()
        nan
    """
    if not isinstance(frame, pd.DataFrame):
        raise TypeError(f"only a table of pandas can be read, not a {type(frame).__name__}")
    if not frame.columns.is_unique:
        raise ValueError(f"two columns of the table are named {frame.columns[frame.columns.duplicated()][0]}")
    if len(frame.columns) < 2:
        raise ValueError(f"a table needs columns of labels and then one of values; there are {list(frame.columns)}")
    *dims, value = frame.columns
    for dim in dims:
        if frame[dim].hasnans:
            raise ValueError(f"{dim!r} has a missing label in row {int(frame[dim].isna().argmax())}, counted from 0")
    found = [_factorize(frame[dim]) for dim in dims]
    shape = tuple(len(labels) for _, labels in found)
    count = prod(shape)
    if count > LARGEST:
        raise ValueError(
            f"{len(frame)} rows make an array of {count} cells, more than one can have: "
            f"leave out columns that do not tell rows apart; there are {dims}"
        )
    cells = np.ravel_multi_index([codes for codes, _ in found], shape) if len(frame) else np.zeros(0, dtype=np.int64)
    _, first = np.unique(cells, return_index=True)
    if len(first) < len(frame):
        row = int(np.setdiff1d(np.arange(len(frame)), first)[0])
        cell = ", ".join(f"{dim} = {frame[dim].iloc[row]}" for dim in dims)
        raise ValueError(f"two rows are about the same cell, {cell}")
    if count >= MANY and count > SPARSE * len(frame):
        warnings.warn(
            f"{len(frame)} rows make an array of {count} cells, {' x '.join(map(str, shape))}: all others are missing",
            stacklevel=2,
        )
    values = _spread(frame[value], cells, count)
    labels = dict(zip(dims, (labels for _, labels in found), strict=True))
    return labelled(values.reshape(shape), labels, name=value).assign_attrs(deepcopy(frame.attrs))


def _factorize(column: pd.Series[Any]) -> tuple[np.ndarray[Any, Any], Any]:
    """Return the number of each row's label, and the labels in the order in which they first appear."""
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype) or (isinstance(dtype, np.dtype) and dtype.char in "egGO"):
        # Pandas would count in floats of 64 or 32 bits, and its version 2 compares texts up to the first NUL.
        return _count(column.name, column.astype(object).tolist())
    if isinstance(dtype, np.dtype):
        column = column.astype(dtype.newbyteorder("="))  # pandas counts in that of the machine alone
    return pd.factorize(column)


def _count(dim: Hashable, labels: list[Any]) -> tuple[np.ndarray[Any, Any], list[Any]]:
    """Return the same as `_factorize` of labels that are objects. Those that are equal have to be of one type."""
    numbers: dict[Any, int] = {}
    try:
        codes = [numbers.setdefault(label, len(numbers)) for label in labels]
    except TypeError as error:
        raise ValueError(f"{dim!r} has a label that cannot be looked up: {error}") from error
    first = list(numbers)
    for label, code in zip(labels, codes, strict=True):
        if type(label) is not type(first[code]) and _kind(label) != _kind(first[code]):
            raise ValueError(f"{dim!r} has the labels {first[code]!r} and {label!r}, which are equal: keep one")
    return np.array(codes, dtype=np.int64), first


def _kind(label: object) -> object:
    return next((kind for kind in KINDS if isinstance(label, kind)), type(label))


def _spread(column: pd.Series[Any], cells: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    """Return an array of cells with the values of a column in theirs, and what is missing in all others."""
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(np.asarray(column), name=column.name)
    missing = bool(column.isna().any()) or len(cells) < count
    dtype: Any = column.dtype
    kind = getattr(dtype, "kind", "O")
    if missing and kind in "iub":
        there = column.dropna()
        if len(there) and max(abs(int(there.max())), abs(int(there.min()))) > EXACT:
            raise ValueError(
                f"a value of {column.name!r} is missing and becomes NaN, and integers above 2**53 are no floats: "
                "give each cell a row, or make them smaller"
            )
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    elif kind in "iubf" and not isinstance(dtype, np.dtype):
        values = column.to_numpy(dtype=dtype.numpy_dtype, na_value=np.nan)
    else:
        values = column.to_numpy() if isinstance(dtype, np.dtype) else column.to_numpy(dtype=object)
    spread = np.empty(count, dtype=values.dtype)
    if missing:
        spread[:] = np.array("NaT", values.dtype) if values.dtype.kind in "mM" else np.nan
    spread[cells] = values
    return spread
