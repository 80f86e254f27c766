"""Labelled arrays: n-dimensional arrays with named axes, and a label for each position along an axis.

A labelled array is an `xarray.DataArray` and supports everything that xarray does. `labelled` makes an array and
validates its labels, so selecting by label is never ambiguous. `summarize` computes statistics along a dimension.
"""

from importlib.metadata import version

from foopack_core._array import labelled, summarize
from foopack_core._hello import hello

__all__ = ["__version__", "hello", "labelled", "summarize"]

__version__ = version("foopack-core")
