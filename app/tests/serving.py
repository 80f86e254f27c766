"""Helpers to run a real dashboard, and to look at it with the installed browser."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import gettempdir

from playwright.sync_api import Browser, Page, Playwright, expect

SOURCES = Path(__file__).parents[1] / "src"
BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
MISSING = (
    f"the page was not tested in a browser: there is none on PATH ({', '.join(BROWSERS)}); "
    "on Debian: apt-get install chromium fonts-dejavu-core"
)
READY = "window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"
NAMES = "--host-resolver-rules=MAP dash.example.com 127.0.0.1"  # the host name of the dashboard behind a proxy
PATIENCE = 120_000  # milliseconds; long enough for a busy machine


def chromium() -> str | None:
    """Return the path of the installed Chromium, or None."""
    return next((path for path in map(shutil.which, BROWSERS) if path), None)


def launch(playwright: Playwright) -> Browser:
    """Start the installed Chromium, without its sandbox, which does not work as root or in most containers."""
    kept = {
        **os.environ,
        "XDG_CONFIG_HOME": f"{gettempdir()}/chromium-of-tests",
    }  # Chromium writes there whatever its profile
    return playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", NAMES], env=kept)


@dataclass
class Served:
    """A running dashboard."""

    url: str  # ends with a slash
    process: subprocess.Popen[str]

    def get(self, path: str) -> tuple[int, str]:
        """Request a path, and return the status and the body of the response."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Anything())
        with opener.open(self.url + path, timeout=PATIENCE / 1000) as answer:
            return answer.status, answer.read().decode()

    def wait(self) -> None:
        """Wait until the first import tests have finished, or the server has given up on them."""
        while json.loads(self.get("healthz")[1])["status"] == "starting":
            time.sleep(0.2)


class Anything(urllib.request.HTTPErrorProcessor):
    """Does not raise an error for a response, whatever its status."""

    def http_response(self, _: object, response: object) -> object:
        """Return the response unchanged."""
        return response


@contextmanager
def serve(site: Path, port: int = 0, wait: bool = True, log: Path | None = None, **environ: str) -> Iterator[Served]:
    """Run a dashboard on a port, or on any free port. Modules in `site` take precedence over the installed packages.

    Standard error is written to `log`, or if that is None, to the tests' own standard error.
    """
    path = [str(site), str(SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]
    with log.open("w") if log else nullcontext() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "myapp", "dashboard", "--port", str(port)],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path)} | environ,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        line = process.stdout.readline() if process.stdout and wait else "nowhere"
        yield Served(line.split()[-1], process)
    finally:
        process.terminate()
        process.wait()


def arrive(page: Page, served: Served) -> None:
    """Open the page and wait until it is drawn and has its first report."""
    page.goto(served.url, timeout=PATIENCE)
    page.wait_for_function(READY, timeout=PATIENCE)
    page.locator(".then .verdict:not(.wait)").wait_for(timeout=PATIENCE)
    page.locator(".then .bk-Figure, .then .error:has-text('sample')").first.wait_for(timeout=PATIENCE)


def deaf(page: Page) -> None:
    """Check that the page says that it has no connection, its verdict is gray, and its controls are disabled."""
    expect(page).to_have_title("No connection · myapp: diagnostics")
    expect(page.locator(".lost .shown")).to_contain_text("What it shows was so ")
    assert page.evaluate("getComputedStyle(document.querySelector('.summary')).filter") == "grayscale(1)"
    assert page.evaluate("[...document.querySelectorAll('.control')].every((each) => each.inert)")


def taken(page: Page) -> str:
    """Return the time of the report that the page shows."""
    return page.locator(".then .taken time").get_attribute("datetime") or ""


def passed(page: Page) -> str:
    """Return the time of the report that the page shows, once a new report would have a later one.

    Report times have a resolution of one second.
    """
    while (time := taken(page)) >= datetime.now(UTC).isoformat(timespec="seconds"):
        page.wait_for_timeout(50)
    return time


def refresh(page: Page, headline: str) -> None:
    """Click Refresh until the page has this headline. The first click may join a refresh that began earlier."""
    for _ in range(2):
        before = passed(page)
        page.get_by_role("button", name="Refresh").click()
        expect(page.locator(".then .taken time")).not_to_have_attribute("datetime", before)
        if page.locator(".then .headline").inner_text() == headline:
            return
    expect(page.locator(".then .headline")).to_have_text(headline)


def shadow(site: Path, module: str, code: str) -> None:
    """Write a module to the folder that shadows the installed module of the same name."""
    (site / f"{module}.py").write_text(code)


def claim(site: Path, name: str, version: str) -> None:
    """Write metadata to the folder that claims that a package is installed in this version."""
    metadata = site / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
