"""Take screenshots of the application's page for the documentation: python tests/screenshots.py [FOLDER].

It captures the page when it is healthy and when it is broken, on desktop and phone, in light and dark mode. FOLDER
defaults to `screenshots` in the system's temporary folder.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from playwright.sync_api import Browser, sync_playwright
from serving import Served, arrive, claim, launch, serve, shadow

SIZES = {"desktop": {"width": 1280, "height": 860}, "phone": {"width": 375, "height": 812}}
BREAKS = 'def load():\n    raise RuntimeError("the table of units cannot be read")\n\n\nload()\n'


def draw(browser: Browser, served: Served, folder: Path, name: str) -> None:
    """Take full-page screenshots of one state of the application, in all sizes and color schemes."""
    for size, viewport in SIZES.items():
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=viewport, color_scheme=scheme)
            arrive(page, served)
            for folded in page.locator(".then summary:has-text('Traceback')").all():
                folded.click()
            page.wait_for_timeout(1000)  # time for the chart to adopt the page's colors
            page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)
            page.close()


def main(folder: Path) -> None:
    """Take screenshots of all states."""
    with sync_playwright() as playwright, TemporaryDirectory() as site:
        browser = launch(playwright)
        with serve(Path(site), IMAGE_REVISION="3becdc7f1c0d4a5e") as served:
            served.get("healthz")
            draw(browser, served, folder, "well")
        shadow(Path(site), "foopack_extras", BREAKS)
        claim(Path(site), "foopack-core", "0.2.0")
        with serve(Path(site)) as served:
            served.get("healthz")
            draw(browser, served, folder, "broken")
        browser.close()
    print(f"wrote the page to {folder}")


if __name__ == "__main__":
    chosen = Path(sys.argv[1] if len(sys.argv) > 1 else gettempdir()) / "screenshots"
    chosen.mkdir(parents=True, exist_ok=True)
    main(chosen)
