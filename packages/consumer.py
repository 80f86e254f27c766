"""A program that uses the installed packages. It is both type-checked by mypy and run.

Each line with "type: ignore" must be an error for mypy, which reports the comment as unused if the line is not.
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
    """Call each of the packages' functions once, and check its declared return type."""
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
    """Call the functions with arguments of wrong types."""
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
