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
EXACT = 2**53  # the last integer up to which a float of 64 bits has each one
UNORDERED = (Set, Mapping, Iterator, ValuesView)
FINER = ("ps", "fs", "as")  # units of time that pandas and xarray would cut to nanoseconds
# What pandas has an index for, and numpy no type.
PLAIN = (pd.arrays.DatetimeArray, pd.arrays.PeriodArray, pd.arrays.IntervalArray)
KEPT = (*PLAIN, pd.Categorical)  # whose categories may be anything
NULLABLE = (pd.arrays.BooleanArray, pd.arrays.IntegerArray, pd.arrays.FloatingArray)


def labelled(
    values: ArrayLike,
    labels: Mapping[str, Any],
    *,
    name: Hashable | None = None,
    units: str | None = None,
) -> xr.DataArray:
    """Name every axis of an array and label every position along it.

    Args:
        values: Any number of axes, any type. Memory is shared where this already is a numpy array. Where some of them
            are masked, or missing in a nullable array of pandas, a copy has NaN for these, and integers and truth
            values are floats of 64 bits. So are those of such a column of a table.
        labels: For each axis, in their order, its name and its labels: one for each position, none missing, none twice.
            Each keeps its type, but integers beside floats are floats, if a float has each of them, and floats of 16
            bits and long doubles are floats of 64. Labels with a timezone, categories, periods and intervals keep their
            pandas index.
        name: What the values are, such as "temperature".
        units: What the values are measured in, kept as the attribute "units".

    Returns:
        An array with the shape and type of the values, and one indexed coordinate for each dimension.

    Raises:
        TypeError: The values, or the labels of a dimension, are in no order (a set), are used up by being read (a
            generator) or are a mapping; the labels are no mapping, or name and units are no single ones.
        ValueError: The labels do not fit the shape of the values. A label is missing, stands twice, is a tuple, cannot
            be looked up (a dict), ends in NUL, which numpy strips, or is a long double that no float of 64 bits has.
            Numpy makes a text of a number among the values, or another one of a text; an integer that no float has
            stands beside floats in a list, or a masked value beside it. Times, of either, are finer than nanoseconds.

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
        raise TypeError(f"the labels are a mapping from each dimension to its own, not a {type(labels).__name__}")
    for dim in labels:
        if not isinstance(dim, str):
            raise TypeError(f"a dimension with labels is named by a text, as xarray wants it, and not by {dim!r}")
    for what, given in (("name", name), ("units", units)):
        if not isinstance(given, Hashable):
            raise TypeError(f"{what} is a single text, not a {type(given).__name__}")
    data = _values(values)
    if data.ndim != len(labels):
        raise ValueError(f"the values have the shape {data.shape}, but labels are given for {list(labels)}")
    coords = {
        dim: ((dim,), _index(dim, given, size)) for (dim, given), size in zip(labels.items(), data.shape, strict=True)
    }
    return xr.DataArray(data, coords, dims=list(coords), name=name, attrs={} if units is None else {"units": units})


def summarize(array: xr.DataArray, dim: Hashable | None = None) -> xr.Dataset:
    """Describe the values along one dimension, or all of them. NaN is a missing value and is left out.

    Args:
        array: Real numbers or integers, of any size. The mean and the deviation of floats of 16 and 32 bits, and of
            integers, are counted in 64 bits. No sum and no square leaves the floats on the way: what is counted of
            values around 1e300 or 1e-300 is as exact as of those around 1.
        dim: The dimension to reduce. None reduces all of them.

    Returns:
        "count" (of the values that are not missing), "mean", "std" (of the population: divided by the count), "min" and
        "max", each with the shape of the array without `dim`. All but the count keep the array's attributes, units
        included. Where every value is missing, the count is 0 and the others are NaN; where one is infinite, the mean
        is infinite or NaN, and the deviation NaN. Mean and deviation have at least 64 bits, "min" and "max" the type of
        the array. Nothing is shared with the array but its coordinates.

    Raises:
        TypeError: This is no `xarray.DataArray`, its values are not numbers that have an order, or `dim` is a list.
        ValueError: There is no such dimension, or it has no positions; or a coordinate or dimension that stays has the
            name of a statistic.

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
        ValueError: there is no dimension 'week'; there are ['day', 'site']
    """
    if not isinstance(array, xr.DataArray):
        raise TypeError(f"only a labelled array can be summarized, not a {type(array).__name__}: `labelled` makes one")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"only real numbers can be summarized, not values of type {array.dtype}")
    if not isinstance(dim, Hashable):
        raise TypeError(f"`dim` is one dimension, or None for all of them, not a {type(dim).__name__}")
    if dim is not None and dim not in array.dims:
        raise ValueError(f"there is no dimension {dim!r}; there are {list(array.dims)}")
    if 0 in (array.shape if dim is None else [array.sizes[dim]]):
        raise ValueError(f"an array of shape {dict(array.sizes)} has nothing to summarize")
    reduced = list(array.dims) if dim is None else [dim]
    stay = {dim for dim in array.dims if dim not in reduced}
    stay |= {name for name, coord in array.coords.items() if stay.issuperset(coord.dims)}
    for statistic in STATISTICS:
        if statistic in stay:
            raise ValueError(f"{statistic!r} is a statistic, and a coordinate of the array has that name: rename it")
    least, most = array.min(reduced), array.max(reduced)
    with np.errstate(all="ignore"):  # of what is infinite, and of what is too small to count beside the others
        mean, deviation = _mean_and_deviation(array, reduced, least, most)
    parts = {"mean": mean, "std": deviation, "min": least, "max": most}
    counts = {"count": array.count(reduced, keep_attrs=False)}
    return xr.Dataset(counts | {name: part.assign_attrs(deepcopy(array.attrs)) for name, part in parts.items()})


def _mean_and_deviation(
    array: xr.DataArray, dims: list[Hashable], least: xr.DataArray, most: xr.DataArray
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the mean and the deviation, counted among values that are made as large as 1 by a power of two."""
    wide = np.result_type(array.dtype, np.float64)
    low, high = least.astype(wide), most.astype(wide)
    _, power = np.frexp(np.maximum(abs(low), abs(high)))
    parts: list[Any] = [np.ldexp(part, -power) for part in (array.astype(wide), low, high)]
    values, low, high = parts
    mean = values.mean(dims).clip(low, high)  # rounding may lead out of the values by a last digit
    apart: Any = values - mean
    between = high - low
    if array.dtype.kind in "iu":
        # No float has every large integer; how far each is from the least, 64 bits without a sign have.
        apart = np.ldexp((array.astype(np.uint64) - least.astype(np.uint64)).astype(wide), -power)
        between = apart.max(dims)
    apart = apart - apart.mean(dims)  # once more: the mean is rounded
    deviation = ((apart**2).mean(dims) ** 0.5).clip(max=between / 2)
    return np.ldexp(mean, power), np.ldexp(deviation, power)


def _values(values: ArrayLike) -> np.ndarray[Any, Any]:
    """Return the values as an array, with NaN for those that are masked."""
    if isinstance(values, UNORDERED):
        raise TypeError(f"the values are an array or nested lists, not a {type(values).__name__}")
    if isinstance(values, (list, tuple)) and _has_masked(values):
        stacked = _stack(values)
        _refuse_changed(values, stacked)
        values = stacked
    if isinstance(values, pd.DataFrame):
        # By columns: pandas itself makes objects of all, once a value of a nullable one is missing.
        values = pd.DataFrame({number: _values(column) for number, (_, column) in enumerate(values.items())})
    held: Any = getattr(values, "array", values)  # of a Series or an Index
    if isinstance(held, NULLABLE):
        # Numpy makes objects of truth values, and with pandas 2 of all, once one is missing.
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
            raise ValueError("a masked value is NaN, and integers above 2**53 are no floats: make them smaller")
        values = values.astype(np.float64)
    return xr.Variable([str(axis) for axis in range(values.ndim)], values).to_numpy()


def _refuse_changed(given: ArrayLike, array: np.ndarray[Any, Any]) -> None:
    """Refuse values of which numpy has made others: texts of numbers, and floats of integers that no float has."""
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
    """Report whether this is a masked array or nested lists with one in them."""
    if isinstance(given, (list, tuple)):
        return any(_has_masked(part) for part in given)
    return isinstance(given, np.ma.MaskedArray)


def _stack(given: Any) -> Any:  # noqa: ANN401
    """Return nested lists as a masked array; numpy alone sees a mask in the outermost list only."""
    return np.ma.array([_stack(part) for part in given]) if isinstance(given, (list, tuple)) else given


def _index(dim: Hashable, given: object, size: int) -> pd.Index[Any] | np.ndarray[Any, Any]:
    """Return the labels of a dimension, each of them there, and once."""
    if isinstance(given, UNORDERED):
        raise TypeError(f"the labels of {dim!r} have to be in an order, as in a list, not in a {type(given).__name__}")
    if isinstance(given, pd.MultiIndex):
        raise ValueError(f"{dim!r} has tuples as labels: give each part a dimension, or join them")
    array: Any = getattr(given, "array", given)  # of a Series or an Index
    kept = isinstance(array, KEPT)
    index = pd.Index(array if kept else _flat(dim, given, size), tupleize_cols=False)
    if index.shape != (size,):
        raise ValueError(f"{dim!r} has the size {size}, but its labels have the shape {index.shape}")
    if index.hasnans:
        raise ValueError(f"{dim!r} has a missing label at position {int(index.isna().argmax())}")
    labels = list(index) if index.dtype.kind == "O" and not isinstance(array, PLAIN) else []
    for label in labels:
        if not isinstance(label, Hashable):
            raise ValueError(f"{dim!r} has a label that cannot be looked up, a {type(label).__name__}")
    _refuse_nul(f"{dim!r} has", labels)
    if not index.is_unique:
        raise ValueError(f"{dim!r} has the label {index[index.duplicated()][0]} more than once")
    texts = not kept and len(labels) > 0 and all(isinstance(label, str) for label in labels)
    return np.asarray(index, dtype=str) if texts else index  # pandas 2 and 3 have different types for texts


def _refuse_nul(who: str, found: Iterable[object]) -> None:
    """Refuse texts and bytes that numpy would make shorter, so that another one is found in their place."""
    for text in found:
        if isinstance(text, (str, bytes)) and text[-1:] in ("\0", b"\0"):
            raise ValueError(f"{who} {text[:-1]!r} with NUL at its end, which numpy strips: remove it")


def _refuse_finer(who: str, dtype: Any) -> None:  # noqa: ANN401
    if dtype.kind in "mM" and np.datetime_data(dtype)[0] in FINER:
        raise ValueError(f"{who} times in {np.datetime_data(dtype)[0]}, and the finest of pandas are ns: round them")


def _flat(dim: Hashable, given: object, size: int) -> np.ndarray[Any, Any]:
    """Return labels as an array of one dimension, in which each has the type that it has in a list."""
    found: Any = given
    if np.ma.is_masked(given):
        found = found.tolist()  # None for what is masked
    dtype = getattr(found, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        found = np.asarray(found)  # of a table's column too, with the type that it has there
    kind = getattr(dtype, "kind", "")
    if isinstance(dtype, np.dtype) and kind in "VT":
        found = found.tolist()  # of records, and of numpy's own texts of any length
    if isinstance(found, (list, tuple)) or hasattr(found, "array") or (isinstance(found, np.ndarray) and kind == "O"):
        # Numpy calls a text that is the member of an enumeration by another one, and cuts that.
        labels = [str.__str__(label) if isinstance(label, str) else label for label in found]
        if any(isinstance(label, tuple) for label in labels):
            raise ValueError(f"{dim!r} has tuples as labels: give each part a dimension, or join them")
        truths = sum(isinstance(label, (bool, np.bool_)) for label in labels)
        numbers = sum(isinstance(label, (int, float, np.number)) for label in labels)
        alike = max(truths, numbers - truths) == len(labels)
        if alike and np.asarray(labels).dtype.kind == "f":
            alike = all(abs(int(label)) <= EXACT for label in labels if isinstance(label, (int, np.integer)))
        # Numpy would make texts of numbers that stand beside one.
        found = np.asarray(labels) if alike else _of_objects(labels)
    array = np.asarray(found)
    if array.ndim != 1:
        raise ValueError(f"{dim!r} has the size {size}, but its labels have the shape {array.shape}")
    _refuse_finer(f"{dim!r} has", array.dtype)
    # Pandas has no index of these, nor of the other order of bytes.
    narrow: Any = {"e": np.float64, "g": np.float64, "G": np.complex128}.get(array.dtype.char)
    if narrow is None:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    with np.errstate(over="ignore"):
        narrowed = array.astype(narrow)
    changed = (narrowed != array) & (array == array)
    if changed.any():
        raise ValueError(f"{dim!r} has the label {array[changed][0]!s}, a long double that no float of 64 bits has")
    return narrowed


def _of_objects(labels: list[Any]) -> np.ndarray[Any, Any]:
    """Return labels as an array of objects: of one dimension, unless all are arrays or lists of one shape."""
    if any(isinstance(label, (list, np.ndarray)) for label in labels):
        return np.array(labels, dtype=object)
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    return array
