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
    """The Chromium of this machine. Without one the tests are named as not run, but in CI, which has one, they fail."""
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
    """A dashboard for all tests, and the folder in which packages can be broken while it runs.

    Its first report is of the packages themselves. From then on its import tests get stand-ins that weigh nothing: a
    refresh takes a fraction of a second, and each test needs some. Its interpreters write no byte code into the folder,
    which may be cleared while one runs.
    """
    assert browser
    site = tmp_path_factory.mktemp("site")
    environ = {"IMAGE_REVISION": "0123456789abcdef", "IMAGE_CREATED": "1767225600", "PYTHONDONTWRITEBYTECODE": "1"}
    environ |= {"DEPLOYED_BEFORE": "fedcba9876543210 2026-01-02T14:20:00Z"}
    # As it stands behind a proxy: by a name, below a path. On its own machine it can be reached directly, too.
    names = {"MYAPP_ALLOW_ORIGIN": "HTTP://Dash.Example.com/", "MYAPP_PREFIX": "/dash"}
    with serve(site, **environ, **names) as running:
        running.wait()
        assert running.get("healthz")[0] == 200
        light(site)
        yield running, site


def light(site: Path) -> None:
    """Let interpreters that are started for an import test find empty modules in place of the packages."""
    empty = site / "empty"
    empty.mkdir()
    for package in pins(project().requires):
        (empty / f"{package.replace('-', '_')}.py").touch()
    program = f"import sys\nif '-c' in sys.orig_argv:\n    sys.path.insert(1, {str(empty)!r})\n"
    (site / "sitecustomize.py").write_text(program)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder for a dashboard of one test alone, whose import tests get the stand-ins from the start."""
    light(tmp_path)
    return tmp_path


@pytest.fixture
def dashboard(served: tuple[Served, Path]) -> Served:
    """The dashboard."""
    return served[0]


@pytest.fixture
def well(browser: Browser, dashboard: Served) -> Served:
    """The dashboard, whose latest report is a good one, whatever the test before has broken."""
    if dashboard.get("healthz")[0] != 200:
        page = browser.new_page()
        arrive(page, dashboard)
        refresh(page, "All well")
        page.close()
    return dashboard


@pytest.fixture
def broken(served: tuple[Served, Path]) -> Iterator[Path]:
    """The folder in which a test may break packages of the running dashboard. They are mended after it."""
    folder = served[1]
    light = set(folder.iterdir())
    yield folder
    for each in set(folder.iterdir()) - light:
        shutil.rmtree(each) if each.is_dir() else each.unlink()


class Watched:
    """What a page asked for and said."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def watch(self, page: Page) -> None:
        """Keep what this page asks for and says from now on."""
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: self.requests.append(socket.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))

    def hold(self, dashboard: Served) -> None:
        """See that it has asked only its own server for anything, and had nothing to complain of."""
        ours = dashboard.url.split("/")[2]
        foreign = [url for url in self.requests if not url.startswith("data:") and ours not in url]
        assert self.requests
        assert foreign == []
        assert self.complaints == []


@pytest.fixture
def watched() -> Watched:
    """What the page asked for and said."""
    return Watched()


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A visitor, with the options that a test gives as a parameter of this fixture."""
    made = browser.new_context(**{"viewport": VIEWPORT} | getattr(request, "param", {}))
    made.set_default_timeout(PATIENCE)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext, dashboard: Served, watched: Watched) -> Iterator[Page]:
    """A page that in the end has asked only its own server for anything, and had nothing to complain of."""
    made = context.new_page()
    watched.watch(made)
    yield made
    watched.hold(dashboard)


@pytest.fixture(scope="session")
def opened(browser: Browser, served: tuple[Served, Path]) -> Iterator[tuple[Page, Watched]]:
    """A page that was opened once, for all tests that do not care how: most of what a test costs is to open one."""
    context = browser.new_context(viewport=VIEWPORT)
    context.set_default_timeout(PATIENCE)
    page, watched = context.new_page(), Watched()
    watched.watch(page)
    arrive(page, served[0])
    yield page, watched
    context.close()


@pytest.fixture
def shown(opened: tuple[Page, Watched], dashboard: Served) -> Iterator[Page]:
    """That page, with its controls as a visitor finds them. In the end the same holds of it as of `page`."""
    page, watched = opened
    page.emulate_media(color_scheme="light", forced_colors="none")
    page.get_by_label("Live").check()
    page.get_by_label("every").select_option("1 min")
    yield page
    page.get_by_label("Live").uncheck()  # it asks the server for nothing while others are tested
    watched.hold(dashboard)
