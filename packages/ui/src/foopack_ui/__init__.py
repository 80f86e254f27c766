"""Views of labelled arrays: a Bokeh chart, a Panel view with a summary, and the same view as a single HTML file."""

from importlib.metadata import version

from foopack_ui._hello import hello_ui
from foopack_ui._page import save
from foopack_ui._view import chart, view

__all__ = ["__version__", "chart", "hello_ui", "save", "view"]

__version__ = version("foopack-ui")
