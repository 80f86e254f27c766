from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, InlineStyleSheet
from bokeh.models.ui import UIElement
from bokeh.resources import INLINE
from panel.io.resources import CDN_DIST, DIST_DIR, set_resource_mode
from panel.io.save import save as write

from foopack_ui._view import titled, view

if TYPE_CHECKING:
    from os import PathLike

    import xarray as xr
    from bokeh.model import Model

# A content security policy. The page contains all of its resources and makes no requests, and browsers enforce that.
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; worker-src blob: data:; "
    "style-src 'unsafe-inline'; img-src blob: data:; font-src blob: data:; form-action 'none'; base-uri 'none'"
)
# Options without the resources that a program has configured for its own pages, which may be on other servers.
WITHOUT: dict[str, Any] = {"css_files": [], "js_files": {}, "js_modules": {}, "raw_css": [], "design": None}


def save(array: xr.DataArray, path: str | PathLike[str]) -> None:
    """Write the view of a labelled array to a self-contained HTML file, which makes no requests.

    The stylesheets, scripts and design in `panel.config` apply only to served pages. They are not added to the file.

    Args:
        array: As for `view`.
        path: The file to write. An existing file is replaced.

    Raises:
        TypeError: As for `view`.
        ValueError: As for `view`.
        OSError: The file cannot be written.

    Examples:
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from foopack_core import labelled
        >>> with TemporaryDirectory() as folder:
        ...     page = Path(folder, "rain.html")
        ...     save(labelled([3.0, 5.0], {"day": ["Mon", "Tue"]}, name="rain", units="mm"), page)
        ...     print("<title>rain [mm]</title>" in page.read_text())
        True
    """
    document = Document()
    page = StringIO()
    icons = {"apple_icon": "", "app_favicon": ""}  # otherwise Panel links to icons on its CDN
    with pn.config.set(**WITHOUT), set_resource_mode("inline"):
        root = view(array).get_root(document)
        _hold_stylesheets(root)  # before the root is added: a document searches all models after each change
        document.add_root(root)
        write(document, page, title=titled(array), resources=INLINE, template_variables=icons)
    head = f'<head>\n    <meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    text = page.getvalue().replace("<head>", head, 1)
    Path(path).write_bytes(text.encode("utf-8", "replace"))  # a lone surrogate cannot be encoded


def _hold_stylesheets(root: Model) -> None:
    """Replace each stylesheet that the page would load from Panel's CDN with the contents of Panel's local copy."""
    held: dict[str, InlineStyleSheet] = {}
    for model in root.references():
        if isinstance(model, UIElement) and any(isinstance(sheet, ImportedStyleSheet) for sheet in model.stylesheets):
            model.stylesheets = [
                _hold(sheet, held) if isinstance(sheet, ImportedStyleSheet) else sheet for sheet in model.stylesheets
            ]


def _hold(sheet: ImportedStyleSheet, held: dict[str, InlineStyleSheet]) -> InlineStyleSheet:
    url = sheet.url.split("?")[0]
    if url not in held:
        text = (DIST_DIR / url.removeprefix(CDN_DIST)).read_text(encoding="utf-8")
        held[url] = InlineStyleSheet(css=text)
    return held[url]
