"""Conversion of labelled arrays to and from pandas tables.

The table is tidy: it has a row for each cell of the array, a column for each dimension, and a last column for the
values. `from_frame(to_frame(array))` returns an equal array, with the same name, attributes, order of labels and type
of values. README lists what is kept, changed, dropped and rejected.
"""

from importlib.metadata import version

from foopack_extras._frame import from_frame, to_frame
from foopack_extras._hello import hello_extras

__all__ = ["__version__", "from_frame", "hello_extras", "to_frame"]

__version__ = version("foopack-extras")
