"""A visit's session, as the server makes it."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from typing import TYPE_CHECKING

import pytest
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, Plot
from panel.io.state import set_curdoc

from myapp import diagnostics
from myapp.dashboard import Pieces, page
from myapp.refresh import Refresher
from myapp.view import Sample

if TYPE_CHECKING:
    from myapp.report import Report


def visit(pieces: Pieces) -> Document:
    """Make the document of a session that a connection begins."""
    document = Document()
    with set_curdoc(document):
        page(pieces)
    return document


@pytest.fixture(scope="module")
def drawn() -> Pieces:
    """What visitors see once there is a report and the sample works."""
    refresher: Refresher[Report] = Refresher(diagnostics.take)
    refresher.latest = diagnostics.take()
    sample = Sample()
    assert sample.attempt() is None
    return Pieces(refresher, sample)


def test_a_session_that_a_connection_begins_asks_no_other_machine(drawn: Pieces) -> None:
    """A connection may come when the session of its page is gone: Panel has not answered with a page in the new one."""
    document = visit(drawn)
    styles = {str(each.url) for root in document.roots for each in root.select({"type": ImportedStyleSheet})}
    assert styles
    assert all(each.startswith("static/extensions/panel/") for each in styles), styles


def test_each_visitor_has_a_sample_of_their_own(drawn: Pieces) -> None:
    one, other = ([plot for root in visit(drawn).roots for plot in root.select({"type": Plot})] for _ in range(2))
    assert len(one) == len(other) == 1
    assert one[0] is not other[0]
    assert one[0].document is not other[0].document


def test_what_all_visitors_see_is_drawn_once_for_each_report(drawn: Pieces) -> None:
    before = drawn.now()
    visit(drawn)
    assert drawn.now() is before
    drawn.refresher.failure = RuntimeError("pyproject.toml is gone")
    assert "pyproject.toml is gone" in drawn.now()["overview"]
    assert drawn.now()["packages"] == before["packages"]
    drawn.refresher.failure = None
    assert drawn.now() == before


def test_two_hundred_tabs_fit_into_two_hundred_megabytes(drawn: Pieces) -> None:
    """With Panel's panes and widgets, and a template of its own, each visitor's session had half as much again."""
    visit(drawn)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        kept = visit(drawn)
        gc.collect()
        weight = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept.roots
    assert 50_000 < weight < 1_000_000


def test_a_session_that_ends_is_forgotten(drawn: Pieces) -> None:
    document = visit(drawn)
    here = weakref.ref(document)
    assert drawn.refresher._watchers
    for each in document.session_destroyed_callbacks:
        each(None)  # type: ignore[arg-type]
    document.clear()
    del document, each
    gc.collect()
    assert here() is None
    assert not [who for who in drawn.refresher._watchers if who.document is here()]
