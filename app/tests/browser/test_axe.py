import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from serving import Served, arrive, claim, refresh, shadow

# Violations that other packages cause, by axe-core rule. None is serious.
NOT_OURS = {
    "empty-table-header": "Panel shows a pandas table as pandas writes it, whose corner and index line are empty",
}


SCHEMES = [("light", "none"), ("dark", "none"), ("light", "active")]  # color scheme and forced-colors mode


@pytest.mark.parametrize("well", [True, False], ids=["well", "broken"])
def test_axe_finds_no_violation(page: Page, dashboard: Served, broken: Path, well: bool) -> None:
    if not well:
        shadow(broken, "foopack_extras", "1 / 0")
        claim(broken, "foopack-core", "9.9.9")
        claim(broken, "xarray", "1.0")
    arrive(page, dashboard)
    refresh(page, "All well" if well else "2 problems")
    for folded in page.locator(".then summary").all():
        folded.click()

    found, ours = [], []
    for scheme, forced in SCHEMES:
        page.emulate_media(color_scheme=scheme, forced_colors=forced)
        page.wait_for_function(f"document.documentElement.classList.contains('dark') == {json.dumps(scheme == 'dark')}")
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 900})
            faults = Axe().run(page).response["violations"]
            found += faults
            ours += [
                f"{scheme}, forced {forced}, {width}: {each['id']}: {each['help']}\n{each['nodes'][0]['html']}"
                for each in faults
                if each["id"] not in NOT_OURS
            ]
    assert ours == []
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
