"""Sample data: a labeled array, and a table of it."""

from __future__ import annotations

from math import cos, pi
from typing import TYPE_CHECKING

from foopack_core import labelled, summarize
from foopack_extras import to_frame

if TYPE_CHECKING:
    import xarray as xr

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
STATIONS = {"coast": (9.0, 6.0), "valley": (7.0, 11.0), "summit": (-2.0, 8.0)}  # mean and amplitude over the year, degC


def temperatures() -> xr.DataArray:
    """Return the monthly temperatures of three invented stations: shape (12, 3), in degC, coldest in January."""
    values = [
        [round(mean - amplitude * cos(2 * pi * month / 12), 1) for mean, amplitude in STATIONS.values()]
        for month in range(12)
    ]
    return labelled(values, {"month": MONTHS, "station": list(STATIONS)}, name="temperature", units="degC")


def text(array: xr.DataArray) -> str:
    """Return the array as a table: a row for each month, a column for each station, and a last row with the means."""
    table = to_frame(array).pivot_table(index="month", columns="station", values="temperature", sort=False)
    table.loc["mean"] = summarize(array, "month")["mean"].to_series()
    return f"temperature [{array.attrs['units']}]\n{table.to_string(float_format='{:.1f}'.format)}"
