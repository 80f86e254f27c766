"""Tests a visitor's session, created the way the server does it."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref
from typing import TYPE_CHECKING

import pytest
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet, Plot
from bokeh.resources import Resources
from panel.io.state import set_curdoc
from probes import FAILS, IMPORTS, WELL

from myapp import diagnostics
from myapp.dashboard import USUAL, Pieces, Visit, page, template
from myapp.refresh import Refresher
from myapp.server import warm
from myapp.view import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from myapp.report import Report


def visit(pieces: Pieces) -> Document:
    """Make the document of a session that a connection creates."""
    document = Document()
    with set_curdoc(document):
        page(pieces)
    return document


@pytest.fixture(scope="module")
def drawn() -> Pieces:
    """The shared pieces, with a report and a working sample."""
    refresher: Refresher[Report] = Refresher(diagnostics.take)
    refresher.latest = diagnostics.take()
    sample = Sample()
    assert sample.attempt() is None
    return Pieces(refresher, sample)


def test_a_session_without_a_page_sends_no_request(drawn: Pieces) -> None:
    """A connection may arrive after its page's session has ended. Panel did not serve a page in the new session."""
    document = visit(drawn)
    styles = {str(each.url) for root in document.roots for each in root.select({"type": ImportedStyleSheet})}
    assert styles
    assert all(each.startswith("static/extensions/panel/") for each in styles), styles


def test_each_visitor_has_a_separate_sample(drawn: Pieces) -> None:
    one, other = ([plot for root in visit(drawn).roots for plot in root.select({"type": Plot})] for _ in range(2))
    assert len(one) == len(other) == 1
    assert one[0] is not other[0]
    assert one[0].document is not other[0].document


def test_shared_parts_are_drawn_once_per_report(drawn: Pieces) -> None:
    before = drawn.now()
    visit(drawn)
    assert drawn.now() is before
    drawn.refresher.failure = RuntimeError("pyproject.toml is gone")
    assert "pyproject.toml is gone" in drawn.now()["overview"]
    assert drawn.now()["packages"] == before["packages"]
    drawn.refresher.failure = None
    assert drawn.now() == before


def test_two_hundred_tabs_fit_into_two_hundred_megabytes(drawn: Pieces) -> None:
    """With Panel's panes and widgets, and a separate template, each session was 50 % larger."""
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


def test_warm_registers_no_watcher(drawn: Pieces) -> None:
    before = dict(drawn.refresher._watchers)
    template.cache_clear()
    warm(drawn, Resources(mode="server"))
    assert template.cache_info().currsize == 1
    assert drawn.refresher._watchers == before  # otherwise packages would be imported without a visitor


@pytest.fixture
def pieces(make: Callable[..., Report]) -> Pieces:
    """The shared pieces, with a report without faults, before the sample was attempted."""
    refresher: Refresher[Report] = Refresher(make)
    refresher.latest = make()
    return Pieces(refresher, Sample())


def opened(pieces: Pieces) -> Visit:
    """Make a visitor's page, as the server does."""
    with set_curdoc(Document()):
        return Visit(pieces)


def test_an_old_report_is_not_shown_as_current(pieces: Pieces) -> None:
    assert pieces.trouble is None
    pieces.refresher._made = float("-inf")
    assert pieces.trouble == "this report is old, and there is no newer one"
    assert pieces.now()["headline"] == "Not known"
    pieces.refresher.latest = None
    assert pieces.trouble == "no check has been done yet"


def test_reasons_for_a_missing_sample(pieces: Pieces, make: Callable[..., Report]) -> None:
    assert pieces.fault is None
    pieces.refresher.latest = make((WELL,), (IMPORTS, FAILS))
    assert pieces.fault == "ValueError: <no>"
    assert "ValueError: &lt;no&gt;" in pieces.now()["sample"]
    pieces.refresher.latest = type(make())(**vars(make()) | {"sample": "KeyError: 'x'"})
    assert pieces.fault == "KeyError: 'x'"
    pieces.refresher.latest = None
    assert pieces.fault is None


def test_a_sample_that_has_just_worked_is_drawn(pieces: Pieces) -> None:
    pieces.sample.text = "a table"
    assert "a table" not in pieces.now()["sample"]
    pieces.sample.works = True
    assert "a table" in pieces.now()["sample"]


def test_a_page_cannot_choose_unoffered_values(pieces: Pieces) -> None:
    visit = opened(pieces)
    assert visit.wish == 60.0
    visit.every.value = "1 ms"
    assert (visit.wish, pieces.refresher.interval) == (60.0, 60.0)
    visit.every.value = "5 s"
    assert (visit.wish, pieces.refresher.interval) == (5.0, 5.0)


def test_a_page_that_is_not_live_stays_as_it_is(pieces: Pieces) -> None:
    visit = opened(pieces)
    before = len(visit.document.session_callbacks)
    visit.live.active = []
    visit.see(None)
    assert visit.every.disabled
    assert len(visit.document.session_callbacks) == before
    visit.live.active = [0]
    visit.see(None)
    assert not visit.every.disabled
    assert len(visit.document.session_callbacks) == before + 1


def test_a_failed_refresh_is_shown_and_can_be_repeated(pieces: Pieces) -> None:
    def gone() -> Report:
        raise RuntimeError("<no> disk")

    pieces.refresher._take = gone
    visit = opened(pieces)
    visit.clicked()
    assert (visit.button.label, visit.button.disabled) == ("Refreshing …", True)
    asyncio.run(visit.refresh())
    visit.refreshed()
    assert (visit.button.label, visit.button.disabled) == ("Refresh", False)
    assert visit.panes["overview"].text.count("&amp;lt;no&amp;gt; disk") == 1  # Panel's model unescapes once
    assert "<" not in visit.panes["overview"].text


def test_panes_without_text_are_hidden(pieces: Pieces, make: Callable[..., Report]) -> None:
    pieces.refresher.latest = None
    visit = opened(pieces)
    assert (visit.panes["provenance"].text, visit.panes["provenance"].visible) == ("", False)
    pieces.refresher.latest = make()
    visit.show()
    assert visit.panes["provenance"].visible
    assert not any(pane.run_scripts for pane in visit.panes.values())
    assert visit.every.value == USUAL


def test_a_sample_that_is_drawn_stays_as_it_is(drawn: Pieces) -> None:
    visit = opened(drawn)
    visit.show()
    before = visit.sample.children[0]
    assert before.select_one({"type": Plot})
    visit.show()
    assert visit.sample.children[0] is before
