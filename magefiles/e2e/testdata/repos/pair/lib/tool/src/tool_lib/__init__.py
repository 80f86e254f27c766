"""The tool."""

import base_lib
