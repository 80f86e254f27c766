"""The tool."""

import base_lib

__all__ = ["base_lib"]
