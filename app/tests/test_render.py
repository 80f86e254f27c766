from collections.abc import Callable

import pytest
from probes import FAILS, FAR, IMPORTS, NEAR, OLD, WELL

from myapp import render
from myapp.report import Package, Report

DRAW = [render.overview, render.provenance, render.taken, render.packages, render.indirect, render.system]


def test_overview_without_problems(make: Callable[..., Report]) -> None:
    drawn = render.overview(make())
    assert "All well" in drawn
    assert "1 package at version 1.2.0, and every one imports" in drawn


def test_overview_with_problems(make: Callable[..., Report]) -> None:
    drawn = render.overview(make((WELL, OLD, FAR), (IMPORTS, FAILS)))
    assert "2 problems" in drawn
    assert "probe-old is 1.0.0; ==2.0.0 is required by probe, probe-well" in drawn
    assert '<li class="minor">leaf is not installed' in drawn


def test_overview_with_warnings_only(make: Callable[..., Report]) -> None:
    assert "Works, with 1 requirement not met" in render.overview(make((WELL, FAR)))


def test_a_work_tree_is_named(make: Callable[..., Report]) -> None:
    local = type(WELL)(WELL.name, WELL.installed, WELL.kind, WELL.requirements, "/some/tree")
    assert "work tree" not in render.provenance(make())
    assert "All foopack packages come from a work tree" in render.provenance(make((local,)))
    assert "probe-well come from a work tree" in render.provenance(make((local, OLD)))
    assert 'title="/some/tree">work tree' in render.packages(make((local,)))


def test_a_package_with_another_version_is_marked(make: Callable[..., Report]) -> None:
    drawn = render.packages(make((WELL, OLD, NEAR)))
    assert drawn.count("<tr class=wrong>") == 1
    assert '<th scope="row">probe-old</th>' in drawn.partition("<tr class=wrong>")[2]


@pytest.mark.parametrize(("package", "said"), [(FAR, "<details open><summary>1 further package, 1 not as"), (WELL, "")])
def test_indirect_requirements_are_folded(make: Callable[..., Report], package: Package, said: str) -> None:
    assert render.indirect(make((package,))).startswith(said)


def test_an_import_with_its_traceback() -> None:
    assert "0.2 s" in render.attempt(FAILS)
    assert "ValueError: &lt;no&gt;" in render.attempt(FAILS)
    assert "Traceback (most recent call last):\n  &lt;no&gt;" in render.traceback(FAILS)
    assert render.traceback(IMPORTS) == ""


@pytest.mark.parametrize("draw", DRAW, ids=lambda draw: draw.__name__)
def test_external_text_is_escaped(make: Callable[..., Report], draw: Callable[[Report], str]) -> None:
    evil = type(WELL)("<b>", "<b>", WELL.kind, OLD.requirements, "<b>")
    report = make((evil,), (FAILS,), host="<b>", platform="<b>", container="<b>", revision="<b>", python="<b>")
    assert "<b>" not in draw(report)


@pytest.mark.parametrize("draw", DRAW, ids=lambda draw: draw.__name__)
def test_before_the_first_report(draw: Callable[[Report | None], str]) -> None:
    assert "None" not in draw(None)


def test_unknown_values_are_named(make: Callable[..., Report]) -> None:
    drawn = render.overview(make(), "the last check failed: <no>", "2026-01-02T03:04:05+00:00")
    assert "Not known" in drawn
    assert "the last check failed: &lt;no&gt;" in drawn
    assert "Failing since" in drawn
    assert "2026-01-02 03:04:05 UTC" in drawn
    assert "every one imports" not in drawn
    assert "Not known" in render.overview(None, "no disk")
    assert "Failing since" not in render.overview(make(), None, "2026-01-02T03:04:05+00:00")


def test_the_current_release(make: Callable[..., Report]) -> None:
    drawn = render.provenance(make(revision="0123456789abcdef", built="2026-01-01T00:00:00+00:00"))
    assert "probe 0.1.0 · image revision <code>0123456789ab</code> · of" in drawn
    assert "2026-01-01 00:00 UTC" in drawn
    assert "running since" in drawn
    assert 'data-version="0.1.0" data-revision="0123456789abcdef"' in drawn
    assert "image revision" not in render.provenance(make())
    until = "2026-01-02T14:20:00+00:00"
    drawn = render.provenance(make(revision="new", before='"old', until=until))
    assert f'data-before="&quot;old" data-until="{until}"' in drawn
    assert "data-before" not in render.provenance(make(revision="same", before="same", until=until))


@pytest.mark.parametrize(
    ("found", "failure", "said"),
    [
        ([("a", "1"), ("<b>", "2")], None, "a 1, &lt;b&gt; 2"),
        ([], None, "Nothing newer"),
        (None, OSError("no route"), "cannot be asked: no route"),
        (None, None, ""),
    ],
)
def test_newer_versions(found: list[tuple[str, str]] | None, failure: Exception | None, said: str) -> None:
    assert said in render.newer(found, failure)
    assert bool(render.newer(found, failure)) == bool(said)
