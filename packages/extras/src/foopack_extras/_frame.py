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
LARGEST = np.iinfo(np.intp).max  # the maximum number of cells of a numpy array
EXACT = 2**53  # up to here, a 64-bit float can represent every integer
# Equal labels are the same label if their types are in one entry, for example a numpy integer and a Python integer.
KINDS = ((bool, np.bool_), (int, np.integer), (float, np.floating), (complex, np.complexfloating), str, bytes)


def to_frame(array: xr.DataArray) -> pd.DataFrame:
    """Convert a labelled array to a tidy table.

    Args:
        array: An array with at least one dimension. If a dimension has no labels, its positions are used, from 0.

    Returns:
        A table with a row for each cell; the last dimension changes fastest. It has a column of labels for each
        dimension, then a column for the values, named after the array, or "value". `attrs` has a copy of the array's
        attributes, including units. The table shares no memory with the array, and may be modified. Coordinates that
        are not dimensions, and the attributes of coordinates, are dropped.

    Raises:
        TypeError: `array` is not an `xarray.DataArray`.
        ValueError: The array has no dimensions, or has the same name as one of its dimensions.

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
        raise ValueError(f"{value!r} would name two columns, a dimension and the values: rename one of the two")
    indexes = [array.indexes[dim] if dim in array.indexes else pd.RangeIndex(array.sizes[dim]) for dim in array.dims]
    places = np.indices(array.shape).reshape(array.ndim, -1)
    columns: list[Any] = [index.take(place) for index, place in zip(indexes, places, strict=True)]
    frame = pd.DataFrame(dict(enumerate([*columns, array.to_numpy().ravel()])), copy=True)
    frame.columns = pd.Index([*array.dims, value], tupleize_cols=False)
    frame.attrs = deepcopy(dict(array.attrs))
    return frame


def from_frame(frame: pd.DataFrame) -> xr.DataArray:
    """Convert a tidy table to a labelled array.

    Args:
        frame: A table as returned by `to_frame`. The last column has the values, and each other column has the labels
            of a dimension. Rows may be in any order. The frame's index is ignored.

    Returns:
        An array with a dimension for each column of labels. A dimension's labels are the distinct labels in its column,
        in the order in which they first appear. The array is named after the last column, and has a copy of the frame's
        attributes. A cell without a row is NaN, which converts integers and booleans to floats, or NaT for times. The
        array shares no memory with the frame, and may be modified. A UserWarning is issued if there are many more cells
        than rows.

    Raises:
        TypeError: `frame` is not a `pandas.DataFrame`, or the name of a column of labels is not a string.
        ValueError: There are fewer than two columns, or two have the same name. A label is missing, is equal to a label
            of another type in its column (as 1 and True are), or is rejected by `labelled`. Two rows have the same
            cell. A cell has no row, and a float cannot represent all of the integers. There are more cells than an
            array can have.

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
        raise ValueError(f"a table needs columns of labels, then one of values; its columns are {list(frame.columns)}")
    *dims, value = frame.columns
    for dim in dims:
        if frame[dim].hasnans:
            raise ValueError(f"{dim!r} has a missing label in row {int(frame[dim].isna().argmax())}, counted from 0")
    found = [_factorize(frame[dim]) for dim in dims]
    shape = tuple(len(labels) for _, labels in found)
    count = prod(shape)
    if count > LARGEST:
        raise ValueError(
            f"{len(frame)} rows make an array of {count} cells, more than an array can have: "
            f"leave out columns of labels that do not identify rows; these columns are {dims}"
        )
    cells = np.ravel_multi_index([codes for codes, _ in found], shape) if len(frame) else np.zeros(0, dtype=np.int64)
    _, first = np.unique(cells, return_index=True)
    if len(first) < len(frame):
        row = int(np.setdiff1d(np.arange(len(frame)), first)[0])
        cell = ", ".join(f"{dim} = {frame[dim].iloc[row]}" for dim in dims)
        raise ValueError(f"two rows have the same cell, {cell}")
    if count >= MANY and count > SPARSE * len(frame):
        warnings.warn(
            f"{len(frame)} rows make an array of {count} cells, {' x '.join(map(str, shape))}: all others are missing",
            stacklevel=2,
        )
    values = _spread(frame[value], cells, count)
    labels = dict(zip(dims, (labels for _, labels in found), strict=True))
    return labelled(values.reshape(shape), labels, name=value).assign_attrs(deepcopy(frame.attrs))


def _factorize(column: pd.Series[Any]) -> tuple[np.ndarray[Any, Any], Any]:
    """Return an index into the labels for each row, and the distinct labels in the order in which they first appear."""
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype) or (isinstance(dtype, np.dtype) and dtype.char in "egGO"):
        # Pandas would convert these floats to 32 or 64 bits, and pandas 2 compares strings only up to the first NUL.
        return _count(column.name, column.astype(object).tolist())
    if isinstance(dtype, np.dtype):
        column = column.astype(dtype.newbyteorder("="))  # pandas supports only the machine's byte order
    return pd.factorize(column)


def _count(dim: Hashable, labels: list[Any]) -> tuple[np.ndarray[Any, Any], list[Any]]:
    """Like `_factorize`, but for labels that are Python objects. Equal labels must have the same kind of type."""
    numbers: dict[Any, int] = {}
    try:
        codes = [numbers.setdefault(label, len(numbers)) for label in labels]
    except TypeError as error:
        raise ValueError(f"{dim!r} has a label that cannot be hashed: {error}") from error
    first = list(numbers)
    for label, code in zip(labels, codes, strict=True):
        if type(label) is not type(first[code]) and _kind(label) != _kind(first[code]):
            raise ValueError(f"{dim!r} has the labels {first[code]!r} and {label!r}, which are equal: keep one label")
    return np.array(codes, dtype=np.int64), first


def _kind(label: object) -> object:
    return next((kind for kind in KINDS if isinstance(label, kind)), type(label))


def _spread(column: pd.Series[Any], cells: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
    """Return an array that has a column's values in the given cells, and missing values in all other cells."""
    if isinstance(column.dtype, pd.SparseDtype):
        column = pd.Series(np.asarray(column), name=column.name)
    missing = bool(column.isna().any()) or len(cells) < count
    dtype: Any = column.dtype
    kind = getattr(dtype, "kind", "O")
    if missing and kind in "iub":
        there = column.dropna()
        if len(there) and max(abs(int(there.max())), abs(int(there.min()))) > EXACT:
            raise ValueError(
                f"a value of {column.name!r} is missing and becomes NaN, but floats cannot hold integers above 2**53: "
                "give each cell a row, or use smaller integers"
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
