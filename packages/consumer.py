"""A program that uses the packages as they are installed. It is checked by mypy, and runs as well.

A line with "type: ignore" has to be a fault for mypy: one that it does not see is a fault itself.
"""

from typing import assert_type

import pandas as pd
import panel as pn
import xarray as xr
from bokeh.plotting import figure

import foopack_core
import foopack_extras
import foopack_ui


def use() -> list[str]:
    """Do once what the packages offer, with what each of it says that it takes and gives."""
    rain = foopack_core.labelled([[3, 1], [5, 0]], {"day": ["Mon", "Tue"], "site": [1, 2]}, name="rain", units="mm")
    assert_type(rain, xr.DataArray)
    assert_type(foopack_core.summarize(rain, "day"), xr.Dataset)
    assert_type(foopack_extras.to_frame(rain), pd.DataFrame)
    assert_type(foopack_extras.from_frame(pd.DataFrame({"day": ["Mon"], "rain": [3.0]})), xr.DataArray)
    assert_type(foopack_ui.chart(rain), figure)
    assert_type(foopack_ui.view(rain), pn.Column)
    assert_type(foopack_core.__version__, str)
    return [foopack_core.hello(), foopack_extras.hello_extras(), foopack_ui.hello_ui()]


def misuse() -> None:
    """Do what none of them takes."""
    foopack_core.labelled([1], ["a"])  # type: ignore[arg-type]
    foopack_core.labelled([1], {"x": ["a"]}, units=1)  # type: ignore[arg-type]
    foopack_core.summarize([1])  # type: ignore[arg-type]
    foopack_core.summarize(xr.DataArray([1]), ["dim_0"])  # type: ignore[arg-type]
    foopack_extras.to_frame([1])  # type: ignore[arg-type]
    foopack_extras.from_frame({"x": [1]})  # type: ignore[arg-type]
    foopack_ui.chart(pd.Series([1]))  # type: ignore[arg-type]
    foopack_ui.save(xr.DataArray([1]), 1)  # type: ignore[arg-type]


if __name__ == "__main__":
    print(*use(), sep="\n")
