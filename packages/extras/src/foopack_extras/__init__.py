"""Labelled arrays to and from pandas.

The table is tidy: one row for each cell of the array, one column for each dimension and a last one for the values.
`from_frame(to_frame(array))` is the array again, its name, its attributes, the order of its labels and the type of its
values included. README lists what is kept, what changes, what is left out and what is refused.
"""

from importlib.metadata import version

from foopack_extras._frame import from_frame, to_frame
from foopack_extras._hello import hello_extras

__all__ = ["__version__", "from_frame", "hello_extras", "to_frame"]

__version__ = version("foopack-extras")
