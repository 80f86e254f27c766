from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Set, ValuesView
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
# What pandas has an index for, and numpy no type.
KEPT = (pd.arrays.DatetimeArray, pd.Categorical, pd.arrays.PeriodArray, pd.arrays.IntervalArray)


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
            are masked, a copy has NaN for these, and integers are floats of 64 bits.
        labels: For each axis, in their order, its name and its labels: one for each position, none missing, none twice.
            Each keeps its type, but integers beside floats are floats, if a float has each of them. Labels with a
            timezone, categories, periods and intervals keep their pandas index.
        name: What the values are, such as "temperature".
        units: What the values are measured in, kept as the attribute "units".

    Returns:
        An array with the shape and type of the values, and one indexed coordinate for each dimension.

    Raises:
        TypeError: The values, or the labels of a dimension, are in no order (a set), are used up by being read (a
            generator) or are a mapping; the labels are no mapping, or name and units are no single ones.
        ValueError: The labels do not fit the shape of the values, one of them is missing, stands twice or is a tuple.
            A masked value stands beside integers that a float cannot hold.

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
        raise ValueError(f"the values have {data.ndim} axes, but labels are given for {len(labels)}: {list(labels)}")
    coords = {
        dim: ((dim,), _index(dim, given, size)) for (dim, given), size in zip(labels.items(), data.shape, strict=True)
    }
    return xr.DataArray(data, coords, dims=list(coords), name=name, attrs={} if units is None else {"units": units})


def summarize(array: xr.DataArray, dim: Hashable | None = None) -> xr.Dataset:
    """Describe the values along one dimension, or all of them. NaN is a missing value and is left out.

    Args:
        array: Real numbers or integers, of any size. The mean and the deviation of floats of 16 and 32 bits, and of
            integers, are counted in 64 bits.
        dim: The dimension to reduce. None reduces all of them.

    Returns:
        "count" (of the values that are not missing), "mean", "std" (of the population: divided by the count), "min" and
        "max", each with the shape of the array without `dim`. All but the count keep the array's attributes, units
        included. Where every value is missing, the count is 0 and the others are NaN. Mean and deviation have at least
        64 bits, "min" and "max" the type of the array. Nothing is shared with the array but its coordinates.

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
    wide = array.astype(np.result_type(array.dtype, np.float64))
    mean = wide.mean(reduced, keep_attrs=True)
    least, most = array.min(reduced, keep_attrs=True), array.max(reduced, keep_attrs=True)
    summary = xr.Dataset(
        {
            "count": array.count(reduced, keep_attrs=False),
            # Rounding may lead out of the values by a last digit; a sum that is too large for a float is left infinite.
            "mean": mean.clip(least, most, keep_attrs=True).where(np.isfinite(mean), mean).assign_attrs(array.attrs),
            "std": (((wide - mean) ** 2).mean(reduced) ** 0.5).assign_attrs(array.attrs),
            "min": least,
            "max": most,
        }
    )
    for part in summary.data_vars.values():
        part.attrs = deepcopy(part.attrs)
    return summary


def _values(values: ArrayLike) -> np.ndarray[Any, Any]:
    """Return the values as an array, with NaN for those that are masked."""
    if isinstance(values, UNORDERED):
        raise TypeError(f"the values are an array or nested lists, not a {type(values).__name__}")
    if isinstance(values, (list, tuple)) and _has_masked(values):
        values = _stack(values)
    if not isinstance(values, np.ma.MaskedArray) or not np.ma.is_masked(values):
        return np.asarray(values)
    if values.dtype.kind in "iu":
        if values.dtype.itemsize == 8 and np.abs(values.astype(np.float64)).max() > EXACT:
            raise ValueError("a masked value is NaN, and integers above 2**53 are no floats: make them smaller")
        values = values.astype(np.float64)
    return xr.Variable([str(axis) for axis in range(values.ndim)], values).to_numpy()


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
        raise ValueError(f"{dim!r} has {size} positions, but its labels have the shape {index.shape}")
    if index.hasnans:
        raise ValueError(f"{dim!r} has a missing label at position {int(index.isna().argmax())}")
    if not index.is_unique:
        raise ValueError(f"{dim!r} has the label {index[index.duplicated()][0]} more than once")
    texts = not kept and len(index) > 0 and all(isinstance(label, str) for label in index)
    return np.asarray(index, dtype=str) if texts else index  # pandas 2 and 3 have different types for texts


def _flat(dim: Hashable, given: object, size: int) -> np.ndarray[Any, Any]:
    """Return labels as an array of one dimension, in which each has the type that it has in a list."""
    found: Any = given
    if np.ma.is_masked(given):
        found = found.tolist()  # None for what is masked
    dtype = getattr(found, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        found = np.asarray(found)  # of a table's column too, with the type that it has there
    if isinstance(found, (list, tuple)) or hasattr(found, "array") or _is_of_objects(found):
        labels = list(found)
        if any(isinstance(label, tuple) for label in labels):
            raise ValueError(f"{dim!r} has tuples as labels: give each part a dimension, or join them")
        truths = sum(isinstance(label, (bool, np.bool_)) for label in labels)
        numbers = sum(isinstance(label, (int, float, np.number)) for label in labels)
        alike = max(truths, numbers - truths) == len(labels)
        if alike and np.asarray(labels).dtype.kind == "f":
            alike = all(abs(int(label)) <= EXACT for label in labels if isinstance(label, (int, np.integer)))
        if not alike and not any(isinstance(label, (list, np.ndarray)) for label in labels):
            flat = np.empty(len(labels), dtype=object)  # numpy would make texts of numbers that stand beside one
            flat[:] = labels
            return flat
        found = labels
    array = np.asarray(found)
    if array.ndim != 1:
        raise ValueError(f"{dim!r} has {size} positions, but its labels have the shape {array.shape}")
    if array.dtype == np.float16:  # pandas has no index of it, nor of the other order of bytes
        return array.astype(np.float64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _is_of_objects(given: object) -> bool:
    return isinstance(given, np.ndarray) and given.dtype.kind == "O"
