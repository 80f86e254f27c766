import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from probes import IMPORTS, SYSTEM, WELL

from myapp.report import Import, Package, Report, System

Make = Callable[..., Report]


@pytest.fixture
def make() -> Make:
    """A function that makes a report from packages and imports, with fixed system information."""

    def report(
        packages: tuple[Package, ...] = (WELL,), imports: tuple[Import, ...] = (IMPORTS,), **system: object
    ) -> Report:
        about = System(**vars(SYSTEM) | system)
        return Report("probe", "0.1.0", "2026-01-02T03:04:06+00:00", about, packages, imports)

    return report


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path of this interpreter and the interpreters that it starts."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Cache bytecode for the duration of the tests, if it is disabled on this machine.

    Otherwise each server and each import test would compile all of Panel, which takes more than half of their time.
    """
    if sys.dont_write_bytecode and sys.pycache_prefix is None:
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp()
        sys.dont_write_bytecode = False
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        config.add_cleanup(lambda: shutil.rmtree(os.environ["PYTHONPYCACHEPREFIX"], ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser tests last, because Playwright keeps an event loop running in this thread once it is started."""
    items.sort(key=lambda item: "browser" in item.path.parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many tests were skipped, and why. They are easily overlooked in pytest's row of dots."""
    skipped = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    for reason, count in skipped.items():
        terminalreporter.write_line(f"NOT RUN, {count} tests: {reason.removeprefix('Skipped: ')}")
