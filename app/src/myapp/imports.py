"""Import tests. Each imports a package in a new interpreter, because a module that is loaded here could hide a fault.

Whatever the interpreter does, the test ends in bounded time, keeps only the end of the output, and leaves no process
behind. See `warden`.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import selectors
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath
from threading import Event
from typing import TYPE_CHECKING

from myapp.report import Import

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMEOUT = 300.0  # seconds; imports are slow from a cold disk, in an emulator and under load
SAID = 20_000  # how much of the end of an interpreter's output is kept, in characters
LEAVE = 15.0  # additional seconds for the warden to kill everything, before it is killed itself
WARDEN = str(Path(__file__).with_name("warden.py"))

# The result is written to a separate descriptor, because standard output belongs to the package. The program ends with
# os._exit, because the package may have started threads and registered functions with atexit.
PROGRAM = """\
import os; end, write = os._exit, os.write; os.set_inheritable({fd}, False); del os
try:
    import {modules}
except BaseException as error:
    kind = type(error)
    if not isinstance(error, SystemExit) or isinstance(error.code, str):
        known = kind.__module__ in ("builtins", "__main__")
        try:
            text = str(error.msg if isinstance(error, SyntaxError) else error)
        except BaseException:
            text = "(its message cannot be written)"
        line = next((line.strip() for line in text.splitlines() if line.strip()), "")
        name = kind.__qualname__ if known else kind.__module__ + "." + kind.__qualname__
        write({fd}, ("error " + (name + ": " + line if line else name)[:2000] + "\\n").encode("utf-8", "replace"))
    raise
write({fd}, b"done\\n")
end(0)
"""

_running: set[subprocess.Popen[bytes]] = set()
_ending = Event()


def modules_of(package: str) -> tuple[str, ...]:
    """Return a package's modules according to its installed metadata; none if it has no importable files.

    If one of several modules has the package's name, only that module is returned. If the package is not installed, or
    its metadata lists no modules (as for some editable installations), the package's name is returned.
    """
    usual = re.sub(r"[-.]+", "_", package)
    try:
        distribution = importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return (usual,)
    files = distribution.files
    if not files or any(file.suffix == ".pth" for file in files):
        named = (distribution.read_text("top_level.txt") or "").split()
        found = {name for name in named if _is_public(name)}
    else:
        found = _modules(PurePosixPath(file) for file in files)
        if not found:
            return ()
    same = [name for name in found if name.lower() == usual.lower()]
    return tuple(same or sorted(found)) or (usual,)


def _modules(files: Iterable[PurePosixPath]) -> set[str]:
    """Return the names of the importable modules and top-level packages among installed files."""
    code = [file for file in files if file.suffix in (".py", ".so", ".pyd") and ".." not in file.parts]
    regular = {file.parent for file in code if file.name == "__init__.py"}
    found = set()
    for file in code:
        name = file.name.partition(".")[0]
        path = next((folder for folder in reversed(file.parents) if folder in regular), None)
        if path is None:  # a top-level module, or a file in a folder without __init__.py
            path = PurePosixPath(file.parts[0] if len(file.parts) > 1 else name)
        if all(_is_public(part) for part in path.parts):
            found.add(".".join(path.parts))
    leave = {"test", "tests", "doc", "docs", "example", "examples"}
    return {name for name in found if name not in leave} or found


def _is_public(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_")


def try_all(packages: Iterable[str], timeout: float = TIMEOUT) -> tuple[Import, ...]:
    """Import packages, up to four at a time, and return the results in the given order."""
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        return tuple(pool.map(lambda package: try_one(package, timeout), packages))


def try_one(package: str, timeout: float = TIMEOUT) -> Import:
    """Import a package in a new interpreter, which is killed after `timeout` seconds with all its descendants.

    Any failure is returned as the result's error, and never raised.
    """
    modules = modules_of(package)
    named = ", ".join(modules)
    if not modules:
        return Import(package, named, 0.0, None, None)
    begin = time.monotonic()
    try:
        status, told, said = _run(modules, timeout)
    except OSError as error:
        return Import(package, named, 0.0, f"the interpreter cannot be started: {error.strerror}", None)
    error = _fault(status, told, said, timeout)
    seconds = round(time.monotonic() - begin, 3)
    kept = said.strip()[-SAID:]
    return Import(package, named, seconds, error, kept if error and kept else None)


def _run(modules: tuple[str, ...], timeout: float) -> tuple[str, list[str], str]:
    """Import modules in a new interpreter.

    Returns:
        The status line that the warden wrote; all lines that the interpreter and the warden wrote to the report
        descriptor; and the end of the interpreter's standard error.

    Raises:
        OSError: The interpreter cannot be started.
    """
    report, end = os.pipe()
    try:
        program = PROGRAM.format(fd=end, modules=", ".join(modules))
        command = [sys.executable, "-P", "-X", "faulthandler", "-c", program]
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", WARDEN, str(os.getpid()), str(timeout), str(end), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(end,),
            start_new_session=True,
        )
    except BaseException:
        os.close(report)
        raise
    finally:
        os.close(end)
    _running.add(child)
    if _ending.is_set():  # kill_all sets this before it reads _running, so either it or this code ends the child
        _end(child)
    try:
        assert child.stderr is not None
        told, said = _read(child, report, child.stderr.fileno(), time.monotonic() + timeout + LEAVE)
    finally:
        _running.discard(child)
        os.close(report)
        if child.stderr is not None:
            child.stderr.close()
    lines = told.decode(errors="replace").splitlines()
    # Without a status line, the warden was killed, and the interpreter with it.
    status = next((line for line in lines if line.startswith(("exit ", "signal "))), f"signal {signal.SIGKILL:d}")
    return status, lines, said.decode(errors="replace")


def _read(child: subprocess.Popen[bytes], report: int, errors: int, until: float) -> tuple[bytes, bytes]:
    """Read both pipes until the child exits, even if other processes still hold them; return the end of each output."""
    kept = {report: bytearray(), errors: bytearray()}
    gone = False
    with selectors.PollSelector() as waiting:  # poll supports any descriptor, and needs none itself
        for each in kept:
            waiting.register(each, selectors.EVENT_READ)
        while waiting.get_map():
            ready = [key.fd for key, _ in waiting.select(0 if gone else 0.2)]
            for each in ready:
                chunk = os.read(each, 1 << 16)
                if not chunk:
                    waiting.unregister(each)
                kept[each] += chunk
                del kept[each][: -4 * SAID]
            now = time.monotonic()
            if not gone and child.poll() is not None:
                gone, until = True, min(until, now + 1)
            elif gone and not ready:
                break
            if now > until:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                break
    with suppress(subprocess.TimeoutExpired):  # the process may be in uninterruptible sleep
        child.wait(5)
    return bytes(kept[report]), bytes(kept[errors])


def kill_all() -> None:
    """End all running interpreters and the processes that they started. Called when this process is about to exit."""
    _ending.set()
    for child in list(_running):
        _end(child)


def running() -> bool:
    """Report whether any interpreter is still running."""
    return bool(_running)


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        child.terminate()


def _fault(status: str, told: list[str], said: str, timeout: float) -> str | None:
    """Return why an import failed, in one line, or None if it succeeded."""
    if "done" in told:
        return None
    if "late" in told:
        return f"the import took longer than {timeout:g} seconds{_place(said)}"
    error = next((line.partition(" ")[2] for line in told if line.startswith("error ")), None)
    if error:
        return error
    how, _, number = status.partition(" ")
    if how == "signal":
        return f"the interpreter was ended by {_signal(int(number))}"
    return f"the interpreter exited with {number} before the import was done"


def _place(said: str) -> str:
    """Return where an interpreter hung according to faulthandler's output, or "" if this is unknown."""
    stack = said.rpartition("\nCurrent thread ")[2] if "\nCurrent thread " in said else ""
    place = re.search(r'^  File "(.+)", line (\d+) in (.+)$', stack, re.MULTILINE)
    return f": it hangs at {place[1]}, line {place[2]}, in {place[3]}" if place else ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a signal without a name, such as most real-time signals
        return f"signal {number}"
