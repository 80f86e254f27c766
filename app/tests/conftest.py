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
    """Make a report of packages and imports, on a machine that is always the same."""

    def report(
        packages: tuple[Package, ...] = (WELL,), imports: tuple[Import, ...] = (IMPORTS,), **system: object
    ) -> Report:
        about = System(**vars(SYSTEM) | system)
        return Report("probe", "0.1.0", "2026-01-02T03:04:06+00:00", about, packages, imports)

    return report


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, for this interpreter and those that it starts."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    return folder


def pytest_configure(config: pytest.Config) -> None:
    """Where a machine keeps no byte code, keep it for as long as the tests run.

    Each server that they start, and each import test, would compile all of Panel: more than half of their time.
    """
    if sys.dont_write_bytecode and sys.pycache_prefix is None:
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = tempfile.mkdtemp()
        sys.dont_write_bytecode = False
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        config.add_cleanup(lambda: shutil.rmtree(os.environ["PYTHONPYCACHEPREFIX"], ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: from its start to its end Playwright keeps an event loop running in this thread."""
    items.sort(key=lambda item: "browser" in item.path.parts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was not run, once for each reason: among the dots it would look like a pass."""
    skipped = Counter(report.longrepr[2] for report in terminalreporter.stats.get("skipped", []))
    for reason, count in skipped.items():
        terminalreporter.write_line(f"NOT RUN, {count} tests: {reason.removeprefix('Skipped: ')}")
