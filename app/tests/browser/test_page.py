import importlib.metadata
import json
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect
from serving import PATIENCE, READY, Served, arrive, claim, deaf, passed, refresh, serve, shadow, taken

from myapp.cli import main
from myapp.report import Report
from myapp.requirements import pins, project

BREAKS = "def load():\n    raise RuntimeError('no <table>')\n\n\nload()\n"
PHONE = {"viewport": {"width": 375, "height": 812}}


def row(page: Page, package: str) -> list[str]:
    """Return the texts in a package's table row: its version and its requirements."""
    found = page.locator(".then tbody tr", has=page.get_by_role("rowheader", name=package))
    return [found.locator(".installed").inner_text().strip(), found.locator(".asked").inner_text()]


def test_page_shows_the_installed_versions(shown: Page) -> None:
    refresh(shown, "All well")
    for package, version in pins(project().requires).items():
        installed, required = row(shown, package)
        assert installed == importlib.metadata.version(package) == version
        assert required.startswith(f"=={version}")
        expect(shown.locator(".then .import", has_text=package)).to_contain_text(" s")
    assert row(shown, "xarray")[0] == importlib.metadata.version("xarray")
    expect(shown.locator(".then dl")).to_contain_text("CPython")
    expect(shown.locator(".then dl")).to_contain_text("0123456789abcdef")
    expect(shown).to_have_title("All well · myapp: diagnostics")
    expect(shown.locator(".before")).to_have_text("Before: fedcba987654 until 2026-01-02 14:20 UTC")


@pytest.mark.parametrize("context", [{"java_script_enabled": False}], indirect=True)
def test_page_is_readable_without_scripts(page: Page, well: Served) -> None:
    page.goto(well.url)
    expect(page.locator(".first .headline")).to_have_text("All well")
    expect(page.locator(".first table").first).to_contain_text("foopack-core")
    expect(page.locator(".card", has=page.get_by_role("heading", name="Sample view"))).to_contain_text("summit")


def test_live_content_replaces_the_servers_html(page: Page, dashboard: Served) -> None:
    arrive(page, dashboard)
    expect(page.get_by_text("All well").locator("visible=true")).to_have_count(1)
    expect(page.locator(".first .headline")).to_be_hidden()


def test_manual_refresh_shows_new_and_fixed_problems(shown: Page, dashboard: Served, broken: Path) -> None:
    shown.get_by_label("Live").uncheck()
    shadow(broken, "foopack_extras", BREAKS)
    before = taken(shown)
    refresh(shown, "1 problem")
    assert taken(shown) > before
    assert "foopack-extras does not import: RuntimeError: no <table>" in shown.locator(".then .verdict").inner_text()
    expect(shown).to_have_title("1 problem · myapp: diagnostics")
    expect(shown.locator(".then .since")).to_contain_text("Failing since 20")
    status, body = dashboard.get("healthz")
    assert status == 503
    assert json.loads(body)["reason"] == "foopack-extras does not import: RuntimeError: no <table>"

    (broken / "foopack_extras.py").unlink()
    refresh(shown, "All well")
    assert dashboard.get("healthz")[0] == 200
    expect(shown.locator(".then .since")).to_have_count(0)

    claim(broken, "foopack-core", "0.1.0")  # makes the refresh fail
    (broken / "foopack_core-0.1.0.dist-info" / "METADATA").write_bytes(
        b"Name: foopack-core\nVersion: 0.1.0\nSummary: \xff\n"
    )
    shown.get_by_role("button", name="Refresh").click()
    expect(shown.locator(".then .headline")).to_have_text("Not known")
    expect(shown.locator(".then .verdict")).to_contain_text("the metadata of foopack-core is not in UTF-8")
    expect(shown).to_have_title("Not known · myapp: diagnostics")
    for path in ("healthz", "report.json"):
        status, body = dashboard.get(path)
        assert (status, json.loads(body)["status"]) == (503, "failing")
    shutil.rmtree(broken / "foopack_core-0.1.0.dist-info")
    refresh(shown, "All well")


def test_a_traceback_opens_by_keyboard_and_stays_open(shown: Page, dashboard: Served, broken: Path) -> None:
    shadow(broken, "foopack_extras", BREAKS)
    refresh(shown, "1 problem")
    traceback = shown.locator(".then details", has_text="Traceback of foopack-extras")
    traceback.locator("summary").focus()
    shown.keyboard.press("Enter")
    expect(traceback.locator("pre")).to_contain_text('foopack_extras.py", line 2, in load')
    refresh(shown, "1 problem")
    expect(traceback.locator("pre")).to_be_visible()


def test_a_version_that_differs_is_marked(shown: Page, dashboard: Served, broken: Path) -> None:
    claim(broken, "foopack-core", "9.9.9")
    refresh(shown, "1 problem")
    wrong = shown.locator(".then tr.wrong")
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("9.9.9")
    expect(wrong.locator("li.unmet")).to_contain_text("==")
    status, body = dashboard.get("healthz")
    assert (status, json.loads(body)["status"]) == (503, "mismatch")


# Returns the visible text of each element, and the number of lines that it takes. Package names may break at hyphens.
LINES = """(elements) => elements.map((each) => {
  const texts = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
  const seen = [], tops = new Set();
  while (texts.nextNode()) {
    const node = texts.currentNode;
    if (node.parentElement.closest(".sr")) continue; // for those who listen
    const range = document.createRange();
    range.selectNodeContents(node);
    seen.push(node.data);
    for (const box of range.getClientRects()) tops.add(Math.round(box.top));
  }
  return [seen.join(""), tops.size];
})"""


@pytest.mark.parametrize("context", [{"viewport": {"width": 320, "height": 700}}], indirect=True)
def test_words_and_numbers_stay_whole_on_narrow_screens(page: Page, dashboard: Served) -> None:
    arrive(page, dashboard)
    for selector in (".then .installed", ".then thead th", ".then .panel-df td", ".then .panel-df th", "header time"):
        told = page.locator(selector).locator("visible=true").evaluate_all(LINES)
        assert told, selector
        assert [text for text, lines in told if lines > 1] == []
    names = page.locator(".then tbody.pinned th, .then tbody.pinned + tbody th").evaluate_all(LINES)
    assert [text for text, lines in names if lines > 1 + text.count("-") + 2 * text.count("work tree")] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_live_page_refreshes_itself_and_one_that_is_not_does_not(
    shown: Page, context: BrowserContext, dashboard: Served, broken: Path
) -> None:
    refresh(shown, "All well")
    other = context.new_page()
    arrive(other, dashboard)
    other.get_by_label("Live").uncheck()
    expect(other.get_by_label("every")).to_be_disabled()
    still = taken(other)
    shown.get_by_label("every").select_option("5 s")
    shadow(broken, "foopack_extras", BREAKS)
    expect(shown.locator(".then .headline")).to_have_text("1 problem")
    (broken / "foopack_extras.py").unlink()
    expect(shown.locator(".then .headline")).to_have_text("All well")
    assert taken(shown) > still
    assert taken(other) == still
    shown.get_by_label("Live").uncheck()  # otherwise the server refreshes every 5 s until the session times out
    expect(shown.get_by_label("every")).to_be_disabled()


def test_a_live_page_shows_another_visitors_refresh(shown: Page, context: BrowserContext, dashboard: Served) -> None:
    other = context.new_page()
    arrive(other, dashboard)
    before = passed(shown)
    other.get_by_role("button", name="Refresh").click()
    deadline = time.monotonic() + PATIENCE / 1000
    while not before < taken(shown) == taken(other):
        assert time.monotonic() < deadline
        shown.wait_for_timeout(50)


def test_the_server_is_idle_after_controls_were_used(shown: Page, dashboard: Served) -> None:
    refresh(shown, "All well")
    shown.get_by_label("Live").uncheck()
    expect(shown.get_by_label("every")).to_be_disabled()
    process = psutil.Process(dashboard.process.pid)
    deadline = time.monotonic() + PATIENCE / 1000
    while True:  # a server in a busy loop switches context a thousand times a second
        before = sum(process.num_ctx_switches())
        shown.wait_for_timeout(2000)
        if sum(process.num_ctx_switches()) - before < 100:
            break
        assert time.monotonic() < deadline


def test_everything_can_be_reached_and_used_by_keyboard(page: Page, dashboard: Served) -> None:
    arrive(page, dashboard)
    before = passed(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Refresh")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".then .taken time")).not_to_have_attribute("datetime", before)
    expect(page.get_by_role("button", name="Refresh", exact=True)).to_be_enabled()  # needed to focus it
    page.get_by_role("button", name="Refresh").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_label("Live")).not_to_be_checked()
    expect(page.get_by_label("every")).to_be_disabled()
    page.keyboard.press("Space")
    expect(page.get_by_label("every")).to_be_enabled()
    page.keyboard.press("Tab")
    expect(page.get_by_label("every")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("every")).to_have_value("5 min")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Download JSON")).to_be_focused()


def test_the_report_can_be_saved(shown: Page, tmp_path: Path) -> None:
    refresh(shown, "All well")
    with shown.expect_download() as waiting:
        shown.get_by_role("link", name="Download JSON").click()
    assert waiting.value.suggested_filename == "myapp-report.json"
    waiting.value.save_as(tmp_path / "report.json")
    report = Report.from_json((tmp_path / "report.json").read_text())
    assert report.problems == []
    assert {each.name for each in report.pinned} == set(pins(project().requires))


@pytest.mark.parametrize(
    "context", [PHONE | {"color_scheme": scheme} for scheme in ("light", "dark")], indirect=True, ids=["light", "dark"]
)
def test_no_horizontal_scrolling_on_a_phone(page: Page, dashboard: Served, broken: Path) -> None:
    shadow(broken, "foopack_extras", BREAKS.replace("no <table>", "a_word_that_nobody_can_break" * 8))
    claim(broken, "foopack-core", "9.9.9.dev20260102030405")
    arrive(page, dashboard)
    refresh(page, "2 problems")
    for folded in page.locator(".then summary").all():
        folded.click()
    page.wait_for_function("document.documentElement.scrollWidth == 375")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chart_has_the_colors_of_the_page(shown: Page, scheme: str) -> None:
    shown.emulate_media(color_scheme=scheme)
    shown.wait_for_function(
        """() => {
          const text = getComputedStyle(document.documentElement).getPropertyValue("--text").trim()
          const axes = [...Bokeh.documents[0]._all_models.values()].filter((each) => each.type.endsWith("LinearAxis"))
          return axes.length == 1 && axes[0].major_label_text_color == text
        }"""
    )


def test_a_page_reloads_once_its_server_is_back(browser: Browser, own: Path) -> None:
    shadow(own, "foopack_ui", BREAKS)
    page = browser.new_page()
    with serve(own) as running:
        arrive(page, running)
        expect(page.locator(".then .headline")).to_have_text("1 problem")
        expect(page.locator(".then .error", has_text="The sample cannot be drawn: RuntimeError")).to_be_visible()
        expect(page).to_have_title("1 problem · myapp: diagnostics")
        expect(page.locator(".then .since")).to_contain_text("Failing since 20")
        assert running.get("healthz")[0] == 503
        assert running.get("livez")[0] == 200
        expect(page.get_by_role("alert")).to_be_hidden()
        page.evaluate("window.before = true")
        running.process.send_signal(signal.SIGHUP)
        assert running.process.wait() == 0
    expect(page.get_by_role("alert")).to_contain_text("this page does not change any more")
    deaf(page)
    (own / "foopack_ui.py").unlink()
    # The page reloads itself as soon as a server responds, whatever the server's state.
    # A restarted container may have an outdated DEPLOYED_BEFORE, so the page shows the version that it saw itself.
    now = {"IMAGE_REVISION": "fedcba9876543210", "DEPLOYED_BEFORE": "aaaa 2026-01-02T14:20:00Z"}
    with serve(own, port=int(running.url.rstrip("/").rsplit(":", 1)[1]), **now) as running:
        page.wait_for_function(f"!window.before && {READY}", timeout=PATIENCE)
        expect(page.get_by_role("alert")).to_be_hidden()
        refresh(page, "All well")
        expect(page.locator(".then .bk-Figure")).to_be_visible()
        expect(page.locator(".before")).to_contain_text("Before: 0.1.0 until ")
        page.close()
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait() == 0


def test_a_page_reloads_if_its_connection_does_not_open(context: BrowserContext, dashboard: Served) -> None:
    page = context.new_page()
    opened: list[WebSocketRoute] = []

    def open_the_second(socket: WebSocketRoute) -> None:
        opened.append(socket)
        if len(opened) > 1:
            socket.connect_to_server()
        else:
            socket.close()

    page.route_web_socket("**/ws", open_the_second)
    arrive(page, dashboard)
    assert len(opened) == 2
    refresh(page, "All well")


def test_a_page_written_by_run_sends_no_request(context: BrowserContext, tmp_path: Path) -> None:
    path = tmp_path / "sample.html"
    assert main(["run", "--output", str(path)]) == 0
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_function(READY, timeout=PATIENCE)
    expect(page.locator("h2")).to_have_text("temperature [degC]")
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [path.as_uri()]
