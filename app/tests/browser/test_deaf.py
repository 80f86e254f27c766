"""Tests that a page without a connection to its server says so, and does not present old values as current."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Route, TimeoutError, WebSocketRoute, expect
from serving import PATIENCE, READY, Served, arrive, deaf, passed, refresh

from myapp.requirements import CHECKOUT

NEVER = "This page has no connection to its server, so Refresh and Live do nothing"


def nothing(_: WebSocketRoute) -> None:
    """Accept the connection, and send nothing."""


def blocked(page: Page) -> None:
    """Block all scripts except the page's own."""
    page.route("**/static/**", lambda route: route.abort())


def silent(page: Page) -> None:
    """Accept the page's connection, but send no messages."""
    page.route_web_socket("**/ws", nothing)


def broken(page: Page) -> None:
    """Make Bokeh's script fail, as it would if a content security policy blocked something it needs."""
    page.route("**/static/js/bokeh.min.js*", lambda route: route.fulfill(body="throw new Error('no')", status=200))


@pytest.mark.parametrize("spoil", [silent, blocked, broken], ids=lambda spoil: spoil.__name__)
def test_ten_seconds_without_a_document(context: BrowserContext, well: Served, spoil: Callable[[Page], None]) -> None:
    page = context.new_page()
    page.clock.install()
    hold(page)
    spoil(page)
    page.route("**/livez", lambda route: route.abort())
    page.goto(well.url)
    expect(page.locator(".first .headline")).to_have_text("All well")
    expect(page.get_by_role("alert")).to_be_hidden()
    page.clock.fast_forward(11_000)
    expect(page.get_by_role("alert")).to_contain_text(NEVER)
    deaf(page)
    page.unroute("**/livez")
    with page.expect_event("load", timeout=PATIENCE):  # the page reloads after a response with any status
        page.clock.fast_forward(2_000)
    # After a reload the timeout is doubled. Otherwise, a page that draws slowly would reload forever.
    page.evaluate("window.waits = true")
    page.clock.fast_forward(16_000)
    page.clock.fast_forward(2_000)
    with pytest.raises(TimeoutError):
        page.wait_for_event("load", timeout=500)
    assert page.evaluate("window.waits")
    with page.expect_event("load", timeout=PATIENCE):
        page.clock.fast_forward(4_000)
        page.clock.fast_forward(4_000)


def hold(page: Page) -> None:
    """Stop the page's clock, so that its time does not depend on how busy the machine is."""
    page.clock.pause_at(page.evaluate("Date.now()") / 1000 + 1)


class Hole:
    """A connection that can stop passing messages without being closed."""

    def __init__(self, page: Page) -> None:
        self.open = True
        page.route_web_socket("**/ws", self.connect)
        page.route("**/livez", self.ask)

    def connect(self, socket: WebSocketRoute) -> None:
        """Forward messages while `open` is set."""
        server = socket.connect_to_server()
        socket.on_message(lambda message: server.send(message) if self.open else None)
        server.on_message(lambda message: socket.send(message) if self.open else None)

    def ask(self, route: Route) -> None:
        """Forward the request if `open` is set, otherwise abort it."""
        route.continue_() if self.open else route.abort()


def test_a_connection_that_dies_silently(context: BrowserContext, dashboard: Served) -> None:
    page = context.new_page()
    page.clock.install()
    hole = Hole(page)
    arrive(page, dashboard)
    refresh(page, "All well")
    hole.open = False
    page.evaluate("window.before = true")
    hold(page)
    page.clock.fast_forward(60_000)
    expect(page.locator(".then .ago")).to_contain_text("1 min ago")
    expect(page.get_by_role("alert")).to_be_hidden()
    for seconds in (90, 11):  # after a jump of the clock, messages in transit may still arrive
        page.clock.fast_forward(1000 * seconds)
        page.clock.run_for(1000)
    expect(page.get_by_role("alert")).to_contain_text("The server has sent no report for longer than it should")
    deaf(page)
    expect(page.locator(".lost .shown")).to_contain_text("2 min ago")
    hole.open = True
    page.clock.resume()
    page.wait_for_function(f"!window.before && {READY}", timeout=PATIENCE)
    expect(page.get_by_role("alert")).to_be_hidden()

    # Without Live, no report is due, so the page notices the lost connection only when the visitor refreshes. It still
    # shows the report's age.
    page.get_by_label("Live").uncheck()
    expect(page.get_by_label("every")).to_be_disabled()
    hole.open = False
    hold(page)
    page.clock.fast_forward(26 * 3600 * 1000)
    expect(page.locator(".then .ago")).to_have_text(re.compile(r"^26 h ago, on 20\d\d-\d\d-\d\d$"))
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_role("button", name="Refresh").click()
    page.clock.fast_forward(11_000)
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer this page")
    deaf(page)


def test_time_without_a_report_counts_from_the_visitors_choice(context: BrowserContext, dashboard: Served) -> None:
    page = context.new_page()
    page.clock.install()
    arrive(page, dashboard)
    page.evaluate("window.before = true")
    live, expects = page.get_by_label("Live"), page.locator(".then .taken[data-within]")
    live.uncheck()
    expect(expects).to_have_count(0)
    page.clock.fast_forward(600_000)  # no report arrived in this time, and none was due
    live.check()
    expect(expects).to_have_count(1)
    page.clock.run_for(3_000)
    expect(page.get_by_role("alert")).to_be_hidden()
    page.clock.fast_forward(60_000)
    page.get_by_label("every").select_option("10 s")
    expect(page.locator(".then .taken[data-within='20']")).to_have_count(1)
    page.clock.run_for(3_000)
    expect(page.get_by_role("alert")).to_be_hidden()
    assert page.evaluate("window.before")


def test_forced_colors_show_controls(shown: Page) -> None:
    shown.emulate_media(forced_colors="active")
    style = "(each) => { const style = getComputedStyle(each); return [style.appearance, style.borderTopWidth] }"
    assert shown.get_by_label("Live").evaluate(style)[0] == "auto"
    assert shown.get_by_role("button", name="Refresh").evaluate(style)[1] == "1px"
    assert shown.get_by_label("every").evaluate(style)[1] == "1px"


@pytest.mark.parametrize("context", [{"color_scheme": "dark"}], indirect=True)
def test_a_page_is_printed_for_paper(page: Page, dashboard: Served) -> None:
    page.goto(dashboard.url)
    expect(page.locator("[data-part=sample]").locator("xpath=..")).to_contain_text("summit")  # no chart is needed
    arrive(page, dashboard)
    page.wait_for_function("document.documentElement.classList.contains('dark')")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--text')") == "#1d2430"
    assert "invert(1)" in page.evaluate("getComputedStyle(document.querySelector('.then[data-part=sample]')).filter")
    expect(page.locator(".controls")).to_be_hidden()


def test_previous_release_is_the_one_this_browser_saw(page: Page, dashboard: Served) -> None:
    seen = {
        "version": "0.0.9",
        "revision": "",
        "started": "2026-01-01T00:00:00+00:00",
        "seen": "2026-01-01T10:00:00+00:00",
    }
    page.add_init_script(f"localStorage['myapp.release ' + location.pathname] ??= JSON.stringify({seen})")
    arrive(page, dashboard)
    expect(page.locator(".before")).to_have_text(re.compile(r"^Before: 0\.0\.9 until (\S+ )?\d\d:\d\d UTC$"))
    expect(page.locator(".then .release")).to_contain_text("of 2026-01-01 00:00 UTC")
    arrive(page, dashboard)
    expect(page.locator(".before")).to_contain_text("Before: 0.0.9 until")


@pytest.fixture(scope="module")
def proxies(served: tuple[Served, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Proxies in front of the dashboard: some configured as in README, others misconfigured."""
    for program in ("nginx", "caddy"):
        if shutil.which(program) is None:
            missing = f"the page was not tested behind {program}; on Debian: apt-get install nginx-light caddy"
            pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    folder = tmp_path_factory.mktemp("proxies")
    ours = served[0].url.split("/")[2]
    readme = (CHECKOUT / "README.md").read_text()
    nginx, caddy = (re.search(rf"```{name}\n(.*?)```", readme, re.DOTALL)[1] for name in ("nginx", "caddy"))
    names = {
        name: f"http://dash.example.com:{port()}" for name in ("nginx", "caddy", "no upgrade", "a policy", "own Host")
    }
    ports = {name: url.rsplit(":", 1)[1] for name, url in names.items()}
    upgrade, server = nginx.replace("127.0.0.1:5006", ours).split("\n", 1)
    policy = "add_header Content-Security-Policy \"script-src 'self'\"; location / {"
    servers = [
        server.replace("8080", ports["nginx"]),
        re.sub(r".*(Upgrade|Connection).*\n", "", server.replace("8080", ports["no upgrade"])),
        server.replace("8080", ports["a policy"]).replace("location / {", policy),
        re.sub(r".*Host.*\n", "", server.replace("8080", ports["own Host"])),
    ]
    temporary = "".join(f"{each}_temp_path {folder};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; daemon off; worker_processes 1; events {{}}"
        f"http {{ access_log off; {temporary} {upgrade} {''.join(servers)} }}"
    )
    (folder / "Caddyfile").write_text(
        "{\n\tadmin off\n}\n" + caddy.replace("8080", ports["caddy"]).replace("127.0.0.1:5006", ours)
    )
    running = [
        subprocess.Popen(["nginx", "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]),
        subprocess.Popen(
            ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")],
            env={"HOME": str(folder), "PATH": "/usr/bin"},
            stderr=subprocess.DEVNULL,
        ),
    ]
    yield names
    for each in running:
        each.terminate()
        each.wait()


def port() -> int:
    """Return a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def go(page: Page, url: str) -> None:
    """Open a page as soon as its proxy accepts connections."""
    until = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            page.goto(url)
            return
        except Error:
            if time.monotonic() > until:
                raise
            page.wait_for_timeout(100)


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_behind_a_proxy_as_in_readme(context: BrowserContext, proxies: dict[str, str], name: str) -> None:
    page = context.new_page()
    go(page, proxies[name] + "/dash")
    assert page.url == proxies[name] + "/dash/"
    page.wait_for_function(READY, timeout=PATIENCE)
    before = passed(page)
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator(".then .taken time")).not_to_have_attribute("datetime", before)
    expect(page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize("name", ["no upgrade", "a policy", "own Host"])
def test_behind_a_misconfigured_proxy(context: BrowserContext, proxies: dict[str, str], name: str) -> None:
    page = context.new_page()
    page.clock.install()
    page.route("**/livez", lambda route: route.abort())
    go(page, proxies[name] + "/dash/")
    page.clock.fast_forward(11_000)
    expect(page.get_by_role("alert")).to_contain_text("this page does not change any more")
    deaf(page)
