from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike


def labelled(
    values: ArrayLike,
    labels: Mapping[str, ArrayLike],
    *,
    name: str | None = None,
    units: str | None = None,
) -> xr.DataArray:
    """Name every axis of an array and label every position along it.

    Args:
        values: Any number of axes, any type. Memory is shared where this already is a numpy array.
        labels: For each axis, in their order, its name and its labels: one for each position, none missing, none twice.
        name: What the values are, such as "temperature".
        units: What the values are measured in, kept as the attribute "units".

    Returns:
        An array with the shape and type of the values, and one indexed coordinate for each dimension.

    Raises:
        ValueError: The labels do not fit the shape of the values, or one of them is missing or stands twice.
    """
    data = np.asarray(values)
    if data.ndim != len(labels):
        raise ValueError(f"the values have {data.ndim} axes, but labels are given for {len(labels)}: {list(labels)}")
    coords = {dim: np.asarray(given) for dim, given in labels.items()}
    for (dim, coord), size in zip(coords.items(), data.shape, strict=True):
        if coord.shape != (size,):
            raise ValueError(f"{dim!r} has {size} positions, but its labels have the shape {coord.shape}")
    array = xr.DataArray(data, coords, dims=list(coords), name=name, attrs={} if units is None else {"units": units})
    for dim, index in array.indexes.items():
        if index.hasnans:
            raise ValueError(f"{dim!r} has a missing label at position {int(index.isna().argmax())}")
        if not index.is_unique:
            raise ValueError(f"{dim!r} has the label {index[index.duplicated()][0]} more than once")
    return array


def summarize(array: xr.DataArray, dim: str | None = None) -> xr.Dataset:
    """Describe the values along one dimension, or all of them. NaN is a missing value and is left out.

    Args:
        array: Real numbers or integers.
        dim: The dimension to reduce. None reduces all of them.

    Returns:
        "count" (of the values that are not missing), "mean", "std" (of the population: divided by the count), "min" and
        "max", each with the shape of the array without `dim`. All but the count keep the array's attributes, units
        included. Where every value is missing, the count is 0 and the others are NaN.

    Raises:
        TypeError: The values are not numbers that have an order.
        ValueError: There is no such dimension, or it has no positions.
    """
    if array.dtype.kind not in "iuf":
        raise TypeError(f"only real numbers can be summarized, not values of type {array.dtype}")
    if dim is not None and dim not in array.dims:
        raise ValueError(f"there is no dimension {dim!r}; there are {list(array.dims)}")
    if 0 in (array.shape if dim is None else [array.sizes[dim]]):
        raise ValueError(f"an array of shape {dict(array.sizes)} has nothing to summarize")
    return xr.Dataset(
        {
            "count": array.count(dim, keep_attrs=False),
            "mean": array.mean(dim, keep_attrs=True),
            "std": array.std(dim, keep_attrs=True),
            "min": array.min(dim, keep_attrs=True),
            "max": array.max(dim, keep_attrs=True),
        }
    )
