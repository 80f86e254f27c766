"""A visit's session, as the server makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet
from panel.io.state import set_curdoc

from myapp.dashboard import page
from myapp.refresh import Refresher
from myapp.view import Sample

if TYPE_CHECKING:
    from myapp.report import Report


def test_a_session_that_a_connection_begins_asks_no_other_machine() -> None:
    """A connection may come when the session of its page is gone: Panel has not answered with a page in the new one."""
    refresher: Refresher[Report] = Refresher(lambda: pytest.fail("nothing is taken"))
    document = Document()
    with set_curdoc(document):
        page(refresher, Sample()).server_doc(document)
    styles = {str(each.url) for root in document.roots for each in root.select({"type": ImportedStyleSheet})}
    assert styles
    assert all(each.startswith("static/extensions/panel/") for each in styles), styles
