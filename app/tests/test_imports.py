import os
import resource
import signal
import subprocess
import sys
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest
from probes import install, marked

from myapp import imports
from myapp.imports import try_all, try_one


@pytest.mark.usefixtures("site")
def test_a_package_that_imports(site: Path) -> None:
    install(site, "probe-well", "1.0", "import sys; print('hello'); print('a warning', file=sys.stderr)")
    tried = try_one("probe-well")
    assert (tried.package, tried.module, tried.error, tried.traceback) == ("probe-well", "probe_well", None, None)
    assert tried.seconds > 0


@pytest.mark.parametrize(
    "code",
    [
        "import atexit; atexit.register(print, 'bye')",
        "import sys; sys.stdout = sys.stderr = None",
        "import os, sys; os.close(1); os.close(2)",
        "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start()",
        "import atexit, os; atexit.register(os._exit, 3)",
        "import os; os._exit = os.write = None",
    ],
)
def test_output_that_does_not_fail_an_import(site: Path, code: str) -> None:
    install(site, "probe-odd", "1.0", code)
    assert try_one("probe-odd", 30).error is None


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import probe_gone", "ModuleNotFoundError: No module named 'probe_gone'"),
        ("def oops(:", "SyntaxError: invalid syntax"),
        ("raise ValueError('first\\n  second')", "ValueError: first"),
        ("raise SystemExit(0)", "the interpreter exited with 0 before the import was done"),
        ("raise SystemExit(3)", "the interpreter exited with 3 before the import was done"),
        ("raise SystemExit('no license')", "SystemExit: no license"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "the interpreter was ended by SIGSEGV"),
        ("import os; os.kill(os.getpid(), 40)", "the interpreter was ended by signal 40"),
        ("import os; os.kill(os.getpid(), 63)", "the interpreter was ended by signal 63"),
        ("import os; os._exit(0)", "the interpreter exited with 0 before the import was done"),
        ("print('imported probe_broken'); print('done'); raise OSError(5, 'no disk')", "OSError: [Errno 5] no disk"),
        ("raise ImportError('\\n\\nREAD THIS\\n\\nit is long\\nand says: nothing')", "ImportError: READ THIS"),
        ("raise RuntimeError('first\\nValueError: second')", "RuntimeError: first"),
        ("e = KeyError('a'); e.add_note('ask them'); raise e", "KeyError: 'a'"),
        ("raise ExceptionGroup('both', [ValueError(1), OSError(2)])", "ExceptionGroup: both (2 sub-exceptions)"),
        (
            "class Own(Exception):\n    def __str__(self): raise ValueError\nraise Own",
            "probe_broken.Own: (its message cannot be written)",
        ),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_a_package_that_does_not_import(site: Path, code: str, error: str) -> None:
    install(site, "probe-broken", "1.0", code)
    assert try_one("probe-broken").error == error


def test_the_traceback_has_the_position(site: Path) -> None:
    install(site, "probe-broken", "1.0", "def load():\n    raise RuntimeError('no table')\n\nload()\n")
    told = try_one("probe-broken").traceback
    assert told is not None
    assert told.startswith("Traceback (most recent call last):")
    assert f'File "{site}/probe_broken.py", line 2, in load' in told
    assert told.endswith("RuntimeError: no table")


def test_an_endless_import_is_killed_with_its_children(site: Path, tmp_path: Path) -> None:
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
    for timeout in (2, 10, 60):  # on a busy machine, the child may not run before a short timeout
        told = try_one("probe-endless", timeout)
        assert told.error is not None
        assert told.error.startswith(f"the import took longer than {timeout} seconds")
        if child.exists():
            break
    assert told.error.endswith(f": it hangs at {site}/probe_endless.py, line 7, in <module>")
    assert "most recent call first" in (told.traceback or "")
    gone(int(child.read_text()))


HELPERS = {
    "its own session": "subprocess.Popen(['sleep', '600'], start_new_session=True)",
    "a daemon": "os.fork() or (os.setsid(), os.fork() and os._exit(0), os.execvp('sleep', ['sleep', '600']))",
    "one that ignores": "subprocess.Popen(['sh', '-c', 'trap : TERM; sleep 600; sleep 601'], start_new_session=True)",
    "one that dies": "subprocess.Popen(['sh', '-c', 'sleep 600 & :'], start_new_session=True).wait()",
}


@pytest.mark.parametrize("code", HELPERS.values(), ids=HELPERS)
def test_children_of_an_import_end_with_it(site: Path, tmp_path: Path, code: str) -> None:
    mark = str(tmp_path)
    install(site, "probe-starts", "1.0", f"import os, subprocess\nos.environ['PROBE'] = {mark!r}\n{code}")
    begin = time.monotonic()
    assert try_one("probe-starts", 60).error is None
    assert time.monotonic() - begin < 30
    assert marked(mark) == []


def test_imports_have_low_priority(site: Path) -> None:
    code = """
import os
from pathlib import Path
group = Path("/proc/self/autogroup")  # of the session: where there is one, nice alone says nothing to other sessions
if os.nice(0) < 5 or (group.exists() and not group.read_text().endswith(" nice 5\\n")):
    raise SystemExit(group.read_text())
"""
    for name in ("probe-one", "probe-two", "probe-three"):  # these run concurrently
        install(site, name, "1.0", code)
    assert [each.error for each in try_all(["probe-one", "probe-two", "probe-three"])] == [None] * 3


def test_output_of_a_package_is_discarded(site: Path) -> None:
    code = """
import sys
for _ in range(640):
    print("x" * 65535), print("y" * 65535, file=sys.stderr)
raise ValueError("end")
"""
    install(site, "probe-loud", "1.0", code)
    tracemalloc.start()
    told = try_one("probe-loud")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert told.error == "ValueError: end"
    assert len(told.traceback or "") == imports.SAID
    assert peak < 2_000_000


def test_an_interpreter_that_cannot_be_started(site: Path) -> None:
    install(site, "probe-well", "1.0")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 1, limits[1]))
        try:
            tried = try_one("probe-well")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert tried.error == "the interpreter cannot be started: Too many open files"


def test_a_killed_parent_leaves_no_import(site: Path, tmp_path: Path) -> None:
    mark = str(tmp_path)
    code = "import subprocess, time\nsubprocess.Popen(['sleep', '600'], start_new_session=True)\ntime.sleep(600)"
    install(site, "probe-endless", "1.0", code)
    program = "from myapp.imports import try_one; try_one('probe-endless')"
    path = os.pathsep.join([str(Path(imports.__file__).parents[1]), os.environ["PYTHONPATH"]])
    parent = subprocess.Popen([sys.executable, "-c", program], env=os.environ | {"PROBE": mark, "PYTHONPATH": path})
    until = time.monotonic() + 60
    while "sleep" not in marked(mark) and time.monotonic() < until:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.05)
    assert marked(mark) == []


RECORDS = [
    ("PyYAML", ["yaml/__init__.py", "yaml/reader.py", "_yaml/__init__.py", "PyYAML-1.dist-info/METADATA"], ["yaml"]),
    ("python-dateutil", ["dateutil/__init__.py", "dateutil/zoneinfo/__init__.py"], ["dateutil"]),
    (
        "setuptools",
        ["setuptools/__init__.py", "pkg_resources/__init__.py", "_distutils_hack/__init__.py"],
        ["setuptools"],
    ),
    ("two-in-one", ["alpha.py", "beta/__init__.py", "tests/__init__.py", "../../../bin/alpha.py"], ["alpha", "beta"]),
    ("google-cloud-x", ["google/cloud/x/__init__.py", "google/cloud/x/y/__init__.py"], ["google.cloud.x"]),
    ("compiled", ["speed.cpython-311-x86_64-linux-gnu.so", "compiled-1.dist-info/RECORD"], ["speed"]),
    ("only-scripts", ["../../../bin/tool", "only_scripts-1.dist-info/RECORD"], []),
    ("edited-probe", ["_edited_probe.pth", "edited_probe-1.dist-info/RECORD"], ["edited_probe"]),
    ("bare.spaces", ["bare/spaces/one.py", "bare/spaces/two.py"], ["bare"]),
]


@pytest.mark.parametrize(("name", "files", "modules"), RECORDS, ids=[each[0] for each in RECORDS])
def test_the_modules_of_a_package(site: Path, name: str, files: list[str], modules: list[str]) -> None:
    install(site, name, "1")
    folder = next(site.glob("*.dist-info"))
    (folder / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    for file in files:
        if not file.startswith(".."):  # since Python 3.12, a missing file is not listed
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            (site / file).touch()
    assert list(imports.modules_of(name)) == modules


def test_a_package_with_modules_of_other_names(site: Path) -> None:
    install(site, "two-in-one", "1")
    (site / "alpha.py").write_text("")
    (site / "beta.py").write_text("1 / 0")
    record = next(site.glob("*.dist-info")) / "RECORD"
    record.write_text("alpha.py,,\nbeta.py,,\n")
    tried = try_one("two-in-one")
    assert (tried.module, tried.error) == ("alpha, beta", "ZeroDivisionError: division by zero")
    record.write_text("two_in_one-1.dist-info/METADATA,,\n")
    assert try_one("two-in-one").error is None


def test_results_are_in_the_given_order(site: Path) -> None:
    install(site, "probe-slow", "1.0", "import time; time.sleep(0.3)")
    install(site, "probe-fast", "1.0")
    assert [each.package for each in try_all(["probe-slow", "probe-fast"])] == ["probe-slow", "probe-fast"]
    assert try_all([]) == ()


def test_running_and_waiting_imports_can_be_canceled(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    """Wait until a process has exited, even if its new parent has not reaped it yet."""
    status = Path(f"/proc/{process}/stat")
    with suppress(FileNotFoundError, ProcessLookupError):  # the latter if it exits during the read
        while status.read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.05)
