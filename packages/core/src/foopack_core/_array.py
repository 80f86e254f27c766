from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Set, ValuesView
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

STATISTICS = ("count", "mean", "std", "min", "max")
EXACT = 2**53  # up to here, a 64-bit float can represent every integer
UNORDERED = (Set, Mapping, Iterator, ValuesView)
FINER = ("ps", "fs", "as")  # units of time that pandas and xarray would truncate to nanoseconds
# Array types that have a pandas index but no numpy type.
PLAIN = (pd.arrays.DatetimeArray, pd.arrays.PeriodArray, pd.arrays.IntervalArray)
KEPT = (*PLAIN, pd.Categorical)  # separate because categories may have any type
NULLABLE = (pd.arrays.BooleanArray, pd.arrays.IntegerArray, pd.arrays.FloatingArray)


def labelled(
    values: ArrayLike,
    labels: Mapping[str, Any],
    *,
    name: Hashable | None = None,
    units: str | None = None,
) -> xr.DataArray:
    """Make a labelled array: name each axis, and label each position along it.

    Args:
        values: An array with any number of axes and any type. If it is a numpy array, the result shares its memory. If
            values are masked, or missing in a nullable pandas array, the result is a copy in which they are NaN, and
            integers and booleans become 64-bit floats. The same applies to each column of a DataFrame.
        labels: Maps the name of each axis to its labels, in the order of the axes. Each position needs a unique label.
            Labels keep their types, with two exceptions: integers mixed with floats become floats, if a float can
            represent all of them, and 16-bit floats and long doubles become 64-bit floats. Labels with a timezone,
            categories, periods and intervals keep their pandas index.
        name: The name of the values, such as "temperature".
        units: The units of the values, stored in the attribute "units".

    Returns:
        An array with the shape and type of the values, and an indexed coordinate for each dimension.

    Raises:
        TypeError: The values, or the labels of a dimension, are unordered (a set), can be read only once (a generator)
            or are a mapping; `labels` is not a mapping; or `name` or `units` is not a single value.
        ValueError: The labels do not match the shape of the values. A label is missing, duplicate, a tuple or
            unhashable (a dict), ends with NUL, which numpy strips, or is a long double that no 64-bit float can
            represent. Numpy would convert a number among the values to a string, or change a string. A list mixes
            floats or masked values with an integer that no float can represent. Values or labels are times with a
            resolution finer than nanoseconds.

    Examples:
        >>> rain = labelled([3.0, 5.0], {"day": ["Mon", "Tue"]}, name="rain", units="mm")
        >>> rain.sel(day="Tue").item()
        5.0
        >>> rain.attrs
        {'units': 'mm'}
        >>> labelled([3.0, 5.0], {"day": ["Mon", None]})
        Traceback (most recent call last):
            ...
        ValueError: 'day' has a missing label at position 1
    """
    if not isinstance(labels, Mapping):
        raise TypeError(f"the labels must be a mapping from dimensions to labels, not a {type(labels).__name__}")
    for dim in labels:
        if not isinstance(dim, str):
            raise TypeError(f"the name of a dimension with labels must be a text, not {dim!r}")
    for what, given in (("name", name), ("units", units)):
        if not isinstance(given, Hashable):
            raise TypeError(f"{what} must be a single text, not a {type(given).__name__}")
    data = _values(values)
    if data.ndim != len(labels):
        raise ValueError(f"the values have the shape {data.shape}, but labels are given for {list(labels)}")
    coords = {
        dim: ((dim,), _index(dim, given, size)) for (dim, given), size in zip(labels.items(), data.shape, strict=True)
    }
    return xr.DataArray(data, coords, dims=list(coords), name=name, attrs={} if units is None else {"units": units})


def summarize(array: xr.DataArray, dim: Hashable | None = None) -> xr.Dataset:
    """Compute statistics of the values along one dimension, or along all. NaN is a missing value and is skipped.

    Args:
        array: An array of real numbers or integers. The mean and the deviation of integers and of 16-bit and 32-bit
            floats are computed in 64 bits. Intermediate sums and squares do not overflow or underflow: results for
            values around 1e300 or 1e-300 are as exact as for values around 1.
        dim: The dimension to reduce. None reduces all dimensions.

    Returns:
        "count" (the number of values that are not missing), "mean", "std" (the population standard deviation), "min"
        and "max", each with the shape of the array without `dim`. All except "count" keep the array's attributes,
        including units. If all values are missing, "count" is 0 and the others are NaN. If a value is infinite, "mean"
        is infinite or NaN, and "std" is NaN. "mean" and "std" have at least 64 bits; "min" and "max" have the array's
        type. The result shares nothing with the array except the coordinates.

    Raises:
        TypeError: `array` is not an `xarray.DataArray`, its values are not real numbers, or `dim` is a list.
        ValueError: The dimension does not exist or is empty; or a remaining coordinate or dimension has the name of a
            statistic.

    Examples:
        >>> rain = labelled([[3.0, 1.0], [5.0, 0.0]], {"day": ["Mon", "Tue"], "site": ["hill", "shore"]}, units="mm")
        >>> summary = summarize(rain, "day")
        >>> summary["mean"].values.tolist(), summary["mean"].units
        ([4.0, 0.5], 'mm')
        >>> dict(summary.sizes)
        {'site': 2}
        >>> summarize(rain, "week")
        Traceback (most recent call last):
            ...
        ValueError: there is no dimension 'week'; the dimensions are ['day', 'site']
    """
    if not isinstance(array, xr.DataArray):
        raise TypeError(f"only a labelled array can be summarized, not a {type(array).__name__}: `labelled` makes one")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"only real numbers can be summarized, not values of type {array.dtype}")
    if not isinstance(dim, Hashable):
        raise TypeError(f"`dim` must be one dimension, or None for all, not a {type(dim).__name__}")
    if dim is not None and dim not in array.dims:
        raise ValueError(f"there is no dimension {dim!r}; the dimensions are {list(array.dims)}")
    if 0 in (array.shape if dim is None else [array.sizes[dim]]):
        raise ValueError(f"an array of shape {dict(array.sizes)} has nothing to summarize")
    reduced = list(array.dims) if dim is None else [dim]
    stay = {dim for dim in array.dims if dim not in reduced}
    stay |= {name for name, coord in array.coords.items() if stay.issuperset(coord.dims)}
    for statistic in STATISTICS:
        if statistic in stay:
            raise ValueError(f"{statistic!r} names a statistic and a coordinate of the array: rename the coordinate")
    least, most = array.min(reduced), array.max(reduced)
    with np.errstate(all="ignore"):  # infinite values are invalid here, and negligible values underflow
        mean, deviation = _mean_and_deviation(array, reduced, least, most)
    parts = {"mean": mean, "std": deviation, "min": least, "max": most}
    counts = {"count": array.count(reduced, keep_attrs=False)}
    return xr.Dataset(counts | {name: part.assign_attrs(deepcopy(array.attrs)) for name, part in parts.items()})


def _mean_and_deviation(
    array: xr.DataArray, dims: list[Hashable], least: xr.DataArray, most: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the mean and the deviation. To avoid overflow, values are first scaled to at most 1 by a power of two."""
    wide = np.result_type(array.dtype, np.float64)
    low, high = least.astype(wide), most.astype(wide)
    _, power = np.frexp(np.maximum(abs(low), abs(high)))
    parts: list[Any] = [np.ldexp(part, -power) for part in (array.astype(wide), low, high)]
    values, low, high = parts
    mean = values.mean(dims).clip(low, high)  # rounding may put the mean just outside the range of the values
    apart: Any = values - mean
    between = high - low
    if array.dtype.kind in "iu":
        # Floats cannot represent all large integers, but the distance from the minimum fits into 64 unsigned bits.
        apart = np.ldexp((array.astype(np.uint64) - least.astype(np.uint64)).astype(wide), -power)
        between = apart.max(dims)
    apart = apart - apart.mean(dims)  # subtract the mean again, because it was rounded
    deviation = ((apart**2).mean(dims) ** 0.5).clip(max=between / 2)
    return np.ldexp(mean, power), np.ldexp(deviation, power)


def _values(values: ArrayLike) -> np.ndarray[Any, Any]:
    """Return the values as an array, with NaN for masked values."""
    if isinstance(values, UNORDERED):
        raise TypeError(f"the values must be an array or nested lists, not a {type(values).__name__}")
    if isinstance(values, (list, tuple)) and _has_masked(values):
        stacked = _stack(values)
        _refuse_changed(values, stacked)
        values = stacked
    if isinstance(values, pd.DataFrame):
        # Column by column: if a nullable column has a missing value, pandas would convert all columns to objects.
        values = pd.DataFrame({number: _values(column) for number, (_, column) in enumerate(values.items())})
    held: Any = getattr(values, "array", values)  # the array of a Series or an Index
    if isinstance(held, NULLABLE):
        # If a value is missing, numpy would convert booleans to objects, and with pandas 2 values of every type.
        there = held.fillna(held.dtype.type(0)).to_numpy(dtype=held.dtype.type)
        values = np.ma.array(there, mask=held.isna())
    if not isinstance(values, np.ma.MaskedArray) or not np.ma.is_masked(values):
        array = np.asarray(values)
        if not hasattr(values, "dtype"):
            _refuse_changed(values, array)
        _refuse_finer("the values have", array.dtype)
        return array
    if values.dtype.kind in "iub":
        there = values.compressed()
        if len(there) and max(abs(int(there.max())), abs(int(there.min()))) > EXACT:
            raise ValueError("a masked value is NaN, but floats cannot hold integers above 2**53: use smaller integers")
        values = values.astype(np.float64)
    return xr.Variable([str(axis) for axis in range(values.ndim)], values).to_numpy()


def _refuse_changed(given: ArrayLike, array: np.ndarray[Any, Any]) -> None:
    """Reject values that numpy has changed: numbers to strings, strings, or integers to floats that are not equal."""
    if array.dtype.kind in "US":
        suspects = np.ones(array.shape, dtype=bool)
    elif array.dtype.kind in "fc":
        suspects = np.ma.filled(abs(array.real) >= np.float64(EXACT), False)
    else:
        return
    if not suspects.any():
        return
    objects = given.to_numpy(dtype=object) if isinstance(given, pd.DataFrame) else np.array(given, dtype=object)
    for value, made in zip(objects[suspects], array[suspects], strict=True):
        one = value.item() if isinstance(value, (np.ndarray, np.generic)) else value
        changed = one != made if array.dtype.kind in "US" else isinstance(one, int) and one != int(made.real)
        if changed:
            raise ValueError(f"numpy makes {made!r} of the value {one!r}: give an array of objects")


def _has_masked(given: object) -> bool:
    """Report whether this is a masked array or nested lists that contain one."""
    if isinstance(given, (list, tuple)):
        return any(_has_masked(part) for part in given)
    return isinstance(given, np.ma.MaskedArray)


def _stack(given: Any) -> Any:  # noqa: ANN401
    """Convert nested lists to a masked array. Numpy alone would respect only masked arrays in the outermost list."""
    return np.ma.array([_stack(part) for part in given]) if isinstance(given, (list, tuple)) else given


def _index(dim: Hashable, given: object, size: int) -> pd.Index[Any] | np.ndarray[Any, Any]:
    """Return the labels of a dimension. Reject invalid labels, such as missing ones and duplicates."""
    if isinstance(given, UNORDERED):
        raise TypeError(f"the labels of {dim!r} must have an order, as in a list, unlike a {type(given).__name__}")
    if isinstance(given, pd.MultiIndex):
        raise ValueError(f"{dim!r} has tuples as labels: give each part a dimension, or join the parts")
    array: Any = getattr(given, "array", given)  # the array of a Series or an Index
    kept = isinstance(array, KEPT)
    index = pd.Index(array if kept else _flat(dim, given, size), tupleize_cols=False)
    if index.shape != (size,):
        raise ValueError(f"{dim!r} has the size {size}, but its labels have the shape {index.shape}")
    if index.hasnans:
        raise ValueError(f"{dim!r} has a missing label at position {int(index.isna().argmax())}")
    labels = list(index) if index.dtype.kind == "O" and not isinstance(array, PLAIN) else []
    for label in labels:
        if not isinstance(label, Hashable):
            raise ValueError(f"{dim!r} has a label that cannot be hashed, a {type(label).__name__}")
    _refuse_nul(f"{dim!r} has", labels)
    if not index.is_unique:
        raise ValueError(f"{dim!r} has the label {index[index.duplicated()][0]} more than once")
    texts = not kept and len(labels) > 0 and all(isinstance(label, str) for label in labels)
    return np.asarray(index, dtype=str) if texts else index  # pandas 2 and 3 have different string types


def _refuse_nul(who: str, found: Iterable[object]) -> None:
    """Reject strings and bytes that end with NUL. Numpy would strip it, so a lookup could find another label."""
    for text in found:
        if isinstance(text, (str, bytes)) and text[-1:] in ("\0", b"\0"):
            raise ValueError(f"{who} {text[:-1]!r} with NUL at its end, which numpy strips: remove the NUL")


def _refuse_finer(who: str, dtype: Any) -> None:  # noqa: ANN401
    if dtype.kind in "mM" and np.datetime_data(dtype)[0] in FINER:
        raise ValueError(f"{who} times in {np.datetime_data(dtype)[0]}, but the finest unit is ns: round the times")


def _flat(dim: Hashable, given: object, size: int) -> np.ndarray[Any, Any]:
    """Convert labels to a one-dimensional array, in which each label has the type that it has in a list."""
    found: Any = given
    if np.ma.is_masked(given):
        found = found.tolist()  # None for masked labels
    dtype = getattr(found, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        found = np.asarray(found)  # also keeps the type of a DataFrame's column
    kind = getattr(dtype, "kind", "")
    if isinstance(dtype, np.dtype) and kind in "VT":
        found = found.tolist()  # records, and numpy's variable-length strings
    if isinstance(found, (list, tuple)) or hasattr(found, "array") or (isinstance(found, np.ndarray) and kind == "O"):
        # For a member of a string enumeration, numpy would use another string, and truncate it.
        labels = [str.__str__(label) if isinstance(label, str) else label for label in found]
        if any(isinstance(label, tuple) for label in labels):
            raise ValueError(f"{dim!r} has tuples as labels: give each part a dimension, or join the parts")
        truths = sum(isinstance(label, (bool, np.bool_)) for label in labels)
        numbers = sum(isinstance(label, (int, float, np.number)) for label in labels)
        alike = max(truths, numbers - truths) == len(labels)
        if alike and np.asarray(labels).dtype.kind == "f":
            alike = all(abs(int(label)) <= EXACT for label in labels if isinstance(label, (int, np.integer)))
        # Numpy would convert numbers to strings if there is a string among them.
        found = np.asarray(labels) if alike else _of_objects(labels)
    array = np.asarray(found)
    if array.ndim != 1:
        raise ValueError(f"{dim!r} has the size {size}, but its labels have the shape {array.shape}")
    _refuse_finer(f"{dim!r} has", array.dtype)
    # Pandas has no index for these types, or for the non-native byte order.
    narrow: Any = {"e": np.float64, "g": np.float64, "G": np.complex128}.get(array.dtype.char)
    if narrow is None:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    with np.errstate(over="ignore"):
        narrowed = array.astype(narrow)
    changed = (narrowed != array) & (array == array)
    if changed.any():
        raise ValueError(f"{dim!r} has the label {array[changed][0]!s}, a long double that no 64-bit float can hold")
    return narrowed


def _of_objects(labels: list[Any]) -> np.ndarray[Any, Any]:
    """Convert labels to an array of objects, with one dimension unless all are lists or arrays of the same shape."""
    if any(isinstance(label, (list, np.ndarray)) for label in labels):
        return np.array(labels, dtype=object)
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    return array
