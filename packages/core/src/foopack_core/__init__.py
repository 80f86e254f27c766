"""Labelled arrays: n-dimensional values whose axes have names and whose positions have labels.

A labelled array is an `xarray.DataArray`, with everything that xarray can do. `labelled` makes one and checks its
labels once, so that selecting by label is never ambiguous afterwards; `summarize` says what it holds along a dimension.
"""

from importlib.metadata import version

from foopack_core._array import labelled, summarize
from foopack_core._hello import hello

__all__ = ["__version__", "hello", "labelled", "summarize"]

__version__ = version("foopack-core")
