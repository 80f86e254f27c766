"""Import tests: each package in a fresh interpreter, so that nothing which is loaded here already hides a fault."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

from myapp.report import Import

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMEOUT = 300.0  # seconds; a cold disk and an emulated processor are slow, and slower still under load
SAID = 20_000  # characters of what an interpreter said that are kept, from its end

# The interpreter gives way to what serves people meanwhile. The last line tells an import from an exit within it.
PROGRAM = "import os; os.nice(5); del os; import {module}; print('imported', '{module}', flush=True)"

_running: set[subprocess.Popen[str]] = set()
_ending = Event()


def module_of(package: str) -> str:
    """Return the module of a package: its name, with "_" for "-"."""
    return package.replace("-", "_")


def try_all(packages: Iterable[str], timeout: float = TIMEOUT) -> tuple[Import, ...]:
    """Import packages, a few at a time, and return what came of each, in the order given."""
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        return tuple(pool.map(lambda package: try_one(package, timeout), packages))


def try_one(package: str, timeout: float = TIMEOUT) -> Import:
    """Import one package in a fresh interpreter, which is killed with all its children after so many seconds.

    Whatever goes wrong becomes the result's error: finding that out is what this is for.
    """
    module = module_of(package)
    begin = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-P", "-X", "faulthandler", "-c", PROGRAM.format(module=module)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    _running.add(child)
    if _ending.is_set():  # kill_all sets it before it looks at who is running, so one of the two kills the child
        _kill(child)
    try:
        out, err = child.communicate(timeout=timeout)
        error = _fault(child.returncode, out, err, module)
    except subprocess.TimeoutExpired:
        _kill(child)
        _, err = child.communicate()
        error = f"it was not done after {timeout:g} seconds"
    finally:
        _running.discard(child)
    seconds = round(time.monotonic() - begin, 3)
    said = err.strip()[-SAID:]
    return Import(package, module, seconds, error, said if error and said else None)


def kill_all() -> None:
    """Kill the interpreters that are running and all that come after them, in a process that is to end."""
    _ending.set()
    for child in list(_running):
        _kill(child)


def _kill(child: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _fault(status: int, out: str, err: str, module: str) -> str | None:
    """Say in one line why an import did not work; None where it did."""
    if status == 0 and out.endswith(f"imported {module}\n"):
        return None
    if status < 0:
        return f"the interpreter was ended by {signal.Signals(-status).name}"
    last = next((line for line in reversed(err.splitlines()) if line and not line[0].isspace()), None)
    if status == 1 and last:
        return last
    return f"the interpreter exited with {status} before the import was done"
