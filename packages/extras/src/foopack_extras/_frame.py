from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from foopack_core import labelled

if TYPE_CHECKING:
    import xarray as xr


def to_frame(array: xr.DataArray) -> pd.DataFrame:
    """Write a labelled array as a tidy table.

    Args:
        array: At least one dimension. One without labels gets its positions, 0 and up.

    Returns:
        One row for each cell, the last dimension changing fastest. One column for each dimension, with its labels, then
        one for the values, named as the array is, or "value". The array's attributes, units included, are in `attrs`.

    Raises:
        ValueError: The array has no dimension, or has the name of one of its dimensions.
    """
    value = "value" if array.name is None else array.name
    if not array.dims:
        raise ValueError("an array without dimensions is a single number, not a table")
    if value in array.dims:
        raise ValueError(f"{value!r} would be two columns: it is a dimension and names the values; rename one of them")
    frame: pd.DataFrame = array.to_series().reset_index(name=value)
    frame.attrs = dict(array.attrs)
    return frame


def from_frame(frame: pd.DataFrame) -> xr.DataArray:
    """Read a tidy table as a labelled array.

    Args:
        frame: As `to_frame` writes it: the last column holds the values, each other one the labels of a dimension. Rows
            may be in any order. The frame's index is ignored.

    Returns:
        One dimension for each column of labels, as long as it has different labels, in the order in which they first
        appear. Name and attributes are those of the last column and of the frame. A cell without a row is NaN, which
        makes integers floats.

    Raises:
        ValueError: There are fewer than two columns or two of one name, a label is missing, or two rows are about the
            same cell.
    """
    if not frame.columns.is_unique:
        raise ValueError(f"two columns of the table are named {frame.columns[frame.columns.duplicated()][0]}")
    if len(frame.columns) < 2:
        raise ValueError(f"a table needs columns of labels and then one of values; there are {list(frame.columns)}")
    *dims, value = frame.columns
    for dim in dims:
        if frame[dim].hasnans:
            raise ValueError(f"{dim!r} has a missing label in row {int(frame[dim].isna().argmax())}, counted from 0")
    cells = pd.MultiIndex.from_frame(frame[dims])
    if not cells.is_unique:
        cell = ", ".join(f"{dim} = {label}" for dim, label in zip(dims, cells[cells.duplicated()][0], strict=True))
        raise ValueError(f"two rows are about the same cell, {cell}")
    labels = {dim: frame[dim].unique() for dim in dims}
    values = pd.Series(frame[value].array, index=cells).reindex(pd.MultiIndex.from_product(list(labels.values())))
    shape = [len(given) for given in labels.values()]
    return labelled(values.to_numpy().reshape(shape), labels, name=value).assign_attrs(frame.attrs)
