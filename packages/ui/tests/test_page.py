"""Tests what saved pages show and request in the installed Chromium. No browser is ever downloaded."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import numpy as np
import panel as pn
import pytest
import xarray as xr
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from foopack_core import labelled
from foopack_ui import save

BROWSERS = ["chromium", "chromium-browser", "google-chrome"]
MISSING = (
    f"saved pages were not looked at in a browser: there is none on PATH ({', '.join(BROWSERS)}); "
    "on Debian: apt-get install chromium fonts-dejavu-core"
)
PATIENCE = 120_000  # milliseconds; long enough for a busy machine
OPTIONS = ["--no-sandbox", "--disable-gpu", "--renderer-process-limit=1"]  # the sandbox does not work as root
SMALL = ViewportSize(width=640, height=480)  # small, because pages are rendered in software
IDLE = "window.Bokeh && Bokeh.documents.length > 0 && Bokeh.documents[0].is_idle"

# Each string is used as name, units, dimension and label on a separate page.
HOSTILE = [
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 1</script>",
    "<!--<script>window.ran = 1</script>",
    "<img src=https://other.example/x onerror='window.ran = 1'>",
    '"><svg onload="window.ran = 1">',
    "'-window.ran=1-'",
    "</title><script>window.ran = 1</script>",
    "</style><link rel=stylesheet href=https://other.example/x.css>",
    "<style>@import 'https://other.example/x.css'</style>",
    "<iframe srcdoc='<script>parent.ran = 1</script>'></iframe>",
    "<base href=https://other.example/>",
    "<meta http-equiv=refresh content='0;url=https://other.example/'>",
    "javascript:window.ran=1",
    "{{ 7 * 7 }}{% include 'x' %}",
    "${window.ran = 1}`",
    r"$$\require{mhchem}\href{javascript:window.ran=1}{x}$$",
    r"\(a\) \[b\]",
    "&lt;b&gt; &amp; \\u003c",
    "a\u202egpj.exe\u2028\u2029\u0007 tab",
    "雨 ☔ é e\u0301 🌧",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The installed Chromium. If there is none, the tests are skipped, except in CI, where they fail."""
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        kept = {
            **os.environ,
            "XDG_CONFIG_HOME": f"{gettempdir()}/chromium-of-tests",
        }  # Chromium writes there whatever its profile
        launched = playwright.chromium.launch(executable_path=found, args=OPTIONS, env=kept)
        yield launched
        launched.close()


class Looked:
    """A browser page that opens files, and records their requests and errors."""

    def __init__(self, browser: Browser) -> None:
        self.page = browser.new_page(viewport=SMALL)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("websocket", lambda socket: self.asked.append(socket.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def open(self, path: Path) -> None:
        """Open a file, wait until it is drawn, and check that it made no requests and had no errors."""
        self.page.goto(path.as_uri(), timeout=PATIENCE)
        self.page.wait_for_function(IDLE, timeout=PATIENCE, polling=100)  # polling every frame would draw every frame
        self.page.locator("table").wait_for(timeout=PATIENCE)
        others = [url for url in self.asked if url != path.as_uri() and not url.startswith(("data:", "blob:"))]
        assert path.as_uri() in self.asked
        assert (others, self.complaints) == ([], [])
        self.asked.clear()


def hostile(text: str) -> xr.DataArray:
    labels = {f"{text} along": [text, f"{text} again"], f"{text} across": ["calm", text]}
    return labelled([[3.0, 1.0], [5.0, 0.0]], labels, name=text, units=text)


def test_hostile_names_render_without_requests(browser: Browser, tmp_path: Path) -> None:
    assert len(HOSTILE) == 20
    looked = Looked(browser)
    path = tmp_path / "page.html"  # the same path for all, because the browser caches compiled scripts by address
    for text in HOSTILE:
        save(hostile(text), path)
        looked.open(path)
        page = looked.page
        assert page.evaluate("window.ran") is None, text
        assert page.locator("h2").text_content() == f"{text} [{text}]"
        assert page.locator("canvas").count() > 0, text
        assert page.locator("tbody th").all_text_contents() == ["calm", text]


@pytest.mark.parametrize(
    "settings",
    [
        {"css_files": ["https://other.example/x.css"]},
        {"js_files": {"x": "https://other.example/x.js"}, "js_modules": {"y": "https://other.example/y.js"}},
        {"raw_css": ["@import 'https://other.example/x.css';"], "design": pn.theme.Material},
    ],
    ids=["stylesheets", "scripts", "a design"],
)
def test_resources_of_other_pages_are_not_requested(settings: dict[str, Any], tmp_path: Path) -> None:
    with pn.config.set(**settings):
        save(labelled(np.arange(2), {"x": ["a", "b"]}), tmp_path / "page.html")
    assert "other.example" not in (tmp_path / "page.html").read_text()
