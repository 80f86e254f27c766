import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from serving import MISSING, PATIENCE, Served, arrive, chromium, launch, refresh, serve

from myapp.requirements import pins, project

VIEWPORT = {"width": 1280, "height": 900}
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The installed Chromium. If there is none, the tests are skipped, except in CI, where they fail."""
    if chromium() is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        found = launch(playwright)
        yield found
        found.close()


@pytest.fixture(scope="session")
def served(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A dashboard that all tests share, and a folder in which tests can break packages while it runs.

    The first report is about the real packages. After that, the import tests find empty stand-ins, because tests
    refresh often, and a refresh with stand-ins takes only a fraction of a second. The interpreters write no bytecode
    into the folder, because it may be cleared while they run.
    """
    assert browser
    site = tmp_path_factory.mktemp("site")
    environ = {"IMAGE_REVISION": "0123456789abcdef", "IMAGE_CREATED": "1767225600", "PYTHONDONTWRITEBYTECODE": "1"}
    environ |= {"DEPLOYED_BEFORE": "fedcba9876543210 2026-01-02T14:20:00Z"}
    # Configured as behind a proxy, with a host name and a path prefix. It can also be reached directly.
    names = {"MYAPP_ALLOW_ORIGIN": "HTTP://Dash.Example.com/", "MYAPP_PREFIX": "/dash"}
    with serve(site, **environ, **names) as running:
        running.wait()
        assert running.get("healthz")[0] == 200
        light(site)
        yield running, site


def light(site: Path) -> None:
    """Make the import tests' interpreters find empty modules instead of the packages."""
    empty = site / "empty"
    empty.mkdir()
    for package in pins(project().requires):
        (empty / f"{package.replace('-', '_')}.py").touch()
    program = f"import sys\nif '-c' in sys.orig_argv:\n    sys.path.insert(1, {str(empty)!r})\n"
    (site / "sitecustomize.py").write_text(program)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder for a dashboard of a single test. Its import tests use stand-ins from the start."""
    light(tmp_path)
    return tmp_path


@pytest.fixture
def dashboard(served: tuple[Served, Path]) -> Served:
    """The shared dashboard."""
    return served[0]


@pytest.fixture
def well(browser: Browser, dashboard: Served) -> Served:
    """The shared dashboard, refreshed if the previous test left it with a bad report."""
    if dashboard.get("healthz")[0] != 200:
        page = browser.new_page()
        arrive(page, dashboard)
        refresh(page, "All well")
        page.close()
    return dashboard


@pytest.fixture
def broken(served: tuple[Served, Path]) -> Iterator[Path]:
    """The folder in which a test may break the running dashboard's packages. It is restored after the test."""
    folder = served[1]
    light = set(folder.iterdir())
    yield folder
    for each in set(folder.iterdir()) - light:
        shutil.rmtree(each) if each.is_dir() else each.unlink()


class Watched:
    """Records the requests and errors of pages."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def watch(self, page: Page) -> None:
        """Start to record the requests and errors of a page."""
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))

    def hold(self, dashboard: Served) -> None:
        """Check that pages made requests only to their own server, and had no errors."""
        ours = dashboard.url.split("/")[2]
        foreign = [url for url in self.requests if not url.startswith("data:") and ours not in url]
        assert self.requests
        assert foreign == []
        assert self.complaints == []


@pytest.fixture
def watched() -> Watched:
    """The requests and errors of a test's page."""
    return Watched()


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser context for one visitor. A test can parametrize this fixture with its options."""
    made = browser.new_context(**{"viewport": VIEWPORT} | getattr(request, "param", {}))
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, dashboard: Served, watched: Watched) -> Iterator[Page]:
    """A new page. After the test, checks that it made requests only to its own server, and had no errors."""
    made = context.new_page()
    watched.watch(made)
    yield made
    watched.hold(dashboard)


@pytest.fixture(scope="session")
def opened(browser: Browser, served: tuple[Served, Path]) -> Iterator[tuple[Page, Watched]]:
    """A page that tests share if they do not need their own, because opening one is most of a test's cost."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(PATIENCE)
    page, watched = context.new_page(), Watched()
    watched.watch(page)
    arrive(page, served[0])
    yield page, watched
    context.close()


@pytest.fixture
def shown(opened: tuple[Page, Watched], dashboard: Served) -> Iterator[Page]:
    """The shared page, with its controls reset. After the test, checks the same as `page`."""
    page, watched = opened
    page.emulate_media(color_scheme="light", forced_colors="none")
    page.get_by_label("Live").check()
    page.get_by_label("every").select_option("1 min")
    yield page
    page.get_by_label("Live").uncheck()  # it must not request refreshes during other tests
    watched.hold(dashboard)
