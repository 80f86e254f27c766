"""The sample view: the one thing on the page that really uses the packages, in this process.

What a package does when it is loaded or used here could be anything, so it is tried in a thread beside, and drawn for a
visitor only once that has worked.
"""

from __future__ import annotations

import threading
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import panel as pn

TIMEOUT = 60.0  # seconds


class Sample:
    """Whether the sample can be drawn here, and the drawing of it."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        """Begin with nothing loaded."""
        self.works = False
        self.text = ""  # the sample as a table to read, once it works
        self._timeout = timeout
        self._trial: threading.Thread | None = None
        self._fault: str | None = None

    def attempt(self) -> str | None:
        """Try to draw it, if that has not yet worked; return why it does not work, in one line, or None."""
        if self.works:
            return None
        if self._trial is None:
            self._trial = threading.Thread(target=self._try, daemon=True)
            self._trial.start()
        self._trial.join(self._timeout)
        if self._trial.is_alive():
            return f"it was not done after {self._timeout:g} seconds"
        self._trial = None
        return self._fault

    def draw(self) -> pn.Column:
        """Draw it for a visitor.

        Raises:
            Exception: Whatever the packages raise; it counts as not working until the next attempt.
        """
        try:
            sample, ui = import_module("myapp.sample"), import_module("foopack_ui")
            return ui.view(sample.temperatures())
        except Exception:
            self.works = False
            raise

    def _try(self) -> None:
        try:
            self.draw()
            sample = import_module("myapp.sample")
            self.text = sample.text(sample.temperatures())
        except BaseException as error:  # SystemExit too
            self._fault = line(error)
        else:
            self.works, self._fault = True, None


def line(error: BaseException) -> str:
    """Write an error in one line."""
    text = next((each.strip() for each in str(error).splitlines() if each.strip()), "")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
