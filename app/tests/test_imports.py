import signal
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from probes import install

from myapp import imports
from myapp.imports import try_all, try_one


@pytest.mark.usefixtures("site")
def test_a_package_that_imports(site: Path) -> None:
    install(site, "probe-well", "1.0", "import sys; print('hello'); print('a warning', file=sys.stderr)")
    tried = try_one("probe-well")
    assert (tried.package, tried.module, tried.error, tried.traceback) == ("probe-well", "probe_well", None, None)
    assert tried.seconds > 0


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import probe_gone", "ModuleNotFoundError: No module named 'probe_gone'"),
        ("def oops(:", "SyntaxError: invalid syntax"),
        ("raise ValueError('first\\n  second')", "ValueError: first"),
        ("raise SystemExit(0)", "the interpreter exited with 0 before the import was done"),
        ("raise SystemExit(3)", "the interpreter exited with 3 before the import was done"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "the interpreter was ended by SIGSEGV"),
    ],
)
def test_a_package_that_does_not_import(site: Path, code: str, error: str) -> None:
    install(site, "probe-broken", "1.0", code)
    assert try_one("probe-broken").error == error


def test_the_traceback_says_where(site: Path) -> None:
    install(site, "probe-broken", "1.0", "def load():\n    raise RuntimeError('no table')\n\nload()\n")
    told = try_one("probe-broken").traceback
    assert told is not None
    assert told.startswith("Traceback (most recent call last):")
    assert f'File "{site}/probe_broken.py", line 2, in load' in told
    assert told.endswith("RuntimeError: no table")


def test_an_endless_import_is_ended_with_its_children(site: Path, tmp_path: Path) -> None:
    child = tmp_path / "child"
    code = f"""
import subprocess, time
from pathlib import Path
part = Path({str(child)!r} + ".part")
part.write_text(str(subprocess.Popen(["sleep", "600"]).pid))
part.rename({str(child)!r})
time.sleep(600)
"""
    install(site, "probe-endless", "1.0", code)
    for timeout in (2, 10, 60):  # a busy machine may not come to the child before the end
        assert try_one("probe-endless", timeout).error == f"it was not done after {timeout} seconds"
        if child.exists():
            break
    gone(int(child.read_text()))


def test_all_in_the_order_given(site: Path) -> None:
    install(site, "probe-slow", "1.0", "import time; time.sleep(0.3)")
    install(site, "probe-fast", "1.0")
    assert [each.package for each in try_all(["probe-slow", "probe-fast"])] == ["probe-slow", "probe-fast"]
    assert try_all([]) == ()


def test_what_is_running_and_what_waits_can_be_ended(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "_ending", Event())
    install(site, "probe-endless", "1.0", "import time\ntime.sleep(600)")
    results: list[imports.Import] = []
    thread = Thread(target=lambda: results.extend(try_all(["probe-endless"] * 5)))
    thread.start()
    while not imports._running:
        time.sleep(0.01)
    imports.kill_all()
    thread.join()
    assert [each.error for each in results] == [f"the interpreter was ended by {signal.SIGKILL.name}"] * 5


def gone(process: int) -> None:
    """Wait until a process is gone, or is only waiting for whoever inherited it to notice."""
    status = Path(f"/proc/{process}/stat")
    with suppress(FileNotFoundError, ProcessLookupError):  # the latter where it goes while it is being read
        while status.read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.05)
