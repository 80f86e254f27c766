import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from probes import FAILS, FAR, IMPORTS, NEAR, OLD, WELL

from myapp.health import health, unknown
from myapp.render import headline
from myapp.report import PINNED, Import, Package, Report, Requirement


@pytest.mark.parametrize(
    ("installed", "specifier", "problem"),
    [
        ("1.2.0", "==1.2.0", None),
        ("1.2.0", "==1.2", None),  # the same version according to PEP 440
        ("1.3.0rc1", ">=1.2", None),  # a pre-release that is installed was chosen deliberately
        ("1.2.0", "", None),
        ("1.2.0", "==1.3.0", "is 1.2.0; ==1.3.0 is required by a"),
        (None, "==1.3.0", "is not installed; ==1.3.0 is required by a"),
        (None, "", "is not installed; it is required by a"),
        ("not a version", "==1.3.0", "is not a version; ==1.3.0 is required by a"),
    ],
)
def test_problem_of_a_package(installed: str | None, specifier: str, problem: str | None) -> None:
    assert Package("p", installed, PINNED, (Requirement("a", specifier),), None).problem == problem


def test_problem_names_all_dependents() -> None:
    assert OLD.problem == "is 1.0.0; ==2.0.0 is required by probe, probe-well"
    assert FAR.problem == "is not installed; <2 is required by array, and it is required by table"


def test_problems_are_pins_and_imports_and_the_rest_are_warnings(make: Callable[..., Report]) -> None:
    report = make((WELL, OLD, NEAR, FAR), (IMPORTS, FAILS))
    assert report.problems == [
        "probe-old is 1.0.0; ==2.0.0 is required by probe, probe-well",
        "probe-old does not import: ValueError: <no>",
    ]
    assert report.warnings == [f"leaf {FAR.problem}"]


def test_no_pins_is_a_failure(make: Callable[..., Report]) -> None:
    assert make((NEAR,), ()).problems == ["probe requires no package at an exact version"]
    assert health(make((NEAR,), ()))[0] == 503


def test_json_round_trip(make: Callable[..., Report]) -> None:
    report = make((WELL, OLD, NEAR, FAR), (IMPORTS, FAILS), container="docker", revision="abc")
    assert Report.from_json(report.to_json()) == report
    said = json.loads(report.to_json())
    assert said["problems"] == report.problems
    assert said["packages"][0]["requirements"] == [{"by": "probe", "specifier": "==1.2.0"}]


@pytest.mark.parametrize(("text", "error"), [("", ValueError), ("{}", KeyError), ('{"application": 1', ValueError)])
def test_invalid_json(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Report.from_json(text)


def test_health_is_the_imports(make: Callable[..., Report]) -> None:
    status, body = health(make(revision="abc"))
    assert status == 200
    assert body["versions"] == {"probe-well": "1.2.0"}
    assert (body["status"], body["reason"], body["revision"]) == ("ok", None, "abc")

    status, body = health(make((WELL, OLD), (IMPORTS, FAILS)))
    assert status == 503
    assert body["reason"] == "probe-old does not import: ValueError: <no>"
    assert body["status"] == "failing"
    assert len(body["problems"]) == 2


def test_health_names_a_version_that_differs_from_its_pin(make: Callable[..., Report]) -> None:
    status, body = health(make((WELL, OLD)), "2026-01-02T03:04:05+00:00")
    assert (status, body["status"], body["since"]) == (503, "mismatch", "2026-01-02T03:04:05+00:00")
    assert body["reason"] == "probe-old is 1.0.0; ==2.0.0 is required by probe, probe-well"
    assert body["versions"] == {"probe-well": "1.2.0", "probe-old": "1.0.0"}
    assert body["problems"] == ["probe-old is 1.0.0; ==2.0.0 is required by probe, probe-well"]


@pytest.mark.parametrize(
    ("packages", "imports", "sample", "status"),
    [
        ((WELL, NEAR), (IMPORTS,), None, "ok"),
        ((WELL, FAR), (IMPORTS,), None, "ok"),  # a different version is accepted, because the requirement is not a pin
        ((WELL, OLD), (IMPORTS,), None, "mismatch"),
        ((Package("p", None, PINNED, (Requirement("a", "==1"),), None),), (IMPORTS,), None, "mismatch"),
        ((WELL,), (IMPORTS,), "KeyError: 'units'", "failing"),
        ((WELL, OLD), (IMPORTS,), "KeyError: 'units'", "failing"),
        ((WELL, OLD), (FAILS,), None, "failing"),
    ],
)
def test_page_and_health_say_the_same(
    make: Callable[..., Report],
    packages: tuple[Package, ...],
    imports: tuple[Import, ...],
    sample: str | None,
    status: str,
) -> None:
    report = replace(make(packages, imports), sample=sample)
    assert Report.from_json(report.to_json()) == report
    code, body = health(report, "2026-01-02T03:04:05+00:00")
    assert (code, body["status"]) == (200 if status == "ok" else 503, status)
    assert (headline(report)[0] == "bad") == (code == 503)
    assert (body["reason"] is None) == (body["since"] is None) == (code == 200)
    if sample:
        assert body["reason"] == "the sample view cannot be drawn: KeyError: 'units'"


def test_unknown_values_keep_the_fields_of_health(make: Callable[..., Report]) -> None:
    code, body = unknown(ValueError("no disk"), make(revision="abc"), "2026-01-02T03:04:05+00:00")
    assert (code, body["status"], body["revision"], body["since"]) == (
        503,
        "failing",
        "abc",
        "2026-01-02T03:04:05+00:00",
    )
    assert body["reason"] == "the health is not known: no disk"
    assert set(unknown(ValueError(), None)[1]) <= set(body)
