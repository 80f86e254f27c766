import json
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement

from myapp.diagnostics import Package, Report, inspect, pins, project, report

APP = Path(__file__).parents[1]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages: one that imports, and one that does not."""
    for name, version, code in [("probe-well", "1.2.0", ""), ("probe-broken", "1.0.0", "1 / 0")]:
        module = name.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(code)
        metadata = tmp_path / f"{module}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for module in ("probe_well", "probe_broken"):
        sys.modules.pop(module, None)


def a_report(*packages: Package) -> Report:
    return Report("0.1.0", "3.11.0", "CPython", "Linux", "x86_64", packages)


def test_manifests_agree() -> None:
    declared = tomllib.loads((APP / "pyproject.toml").read_text())["project"]
    manifest = tomllib.loads((APP / "pixi.toml").read_text())
    assert manifest["workspace"]["version"] == declared["version"]
    exact = {name: spec.removeprefix("==") for name, spec in manifest["dependencies"].items() if spec.startswith("==")}
    assert pins(declared["dependencies"]) == exact


def test_project_is_what_the_checkout_declares() -> None:
    declared = tomllib.loads((APP / "pyproject.toml").read_text())["project"]
    assert project(APP).version == declared["version"]
    assert list(project(APP).requires) == declared["dependencies"]


def test_project_without_a_checkout_is_what_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = tmp_path / "myapp-7.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: myapp\nVersion: 7.0\nRequires-Dist: probe-well==1.2\n")
    monkeypatch.syspath_prepend(tmp_path)
    declared = project(tmp_path)
    assert declared.version == "7.0"
    assert declared.requires == ("probe-well==1.2",)


def test_project_that_is_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(PackageNotFoundError):
        project(tmp_path)


def test_pins_are_the_exact_versions() -> None:
    requires = [
        "exact==1.2",
        "with-extra[gui] == 2.0rc1",
        "always==3 ; python_version >= '3'",
        "never==4 ; python_version < '3'",
        "optional==5 ; extra == 'gui'",
        "any",
        "least>=1",
        "between>=1,<2",
        "exact-and-more==1.0,!=1.0.1",
        "prefix==1.*",
    ]
    assert pins(requires) == {"exact": "1.2", "with-extra": "2.0rc1", "always": "3"}


def test_pins_refuse_what_is_no_requirement() -> None:
    with pytest.raises(InvalidRequirement):
        pins(["core=0.1.0"])


@pytest.mark.parametrize(
    ("name", "required", "problem"),
    [
        ("probe-well", "1.2.0", None),
        ("probe-well", "1.2", None),  # PEP 440: the same version
        ("probe-well", "1.3.0", "is 1.2.0; 1.3.0 is required"),
        ("probe-broken", "1.0.0", "does not import: ZeroDivisionError: division by zero"),
        ("probe-broken", "2.0.0", "is 1.0.0; 2.0.0 is required"),
        ("probe-absent", "1.0.0", "is not installed; 1.0.0 is required"),
    ],
)
@pytest.mark.usefixtures("site")
def test_inspect_says_what_is_wrong(name: str, required: str, problem: str | None) -> None:
    assert inspect(name, required).problem == problem


@pytest.mark.usefixtures("site")
def test_inspect_keeps_all_that_it_found() -> None:
    assert inspect("probe-broken", "2.0.0") == Package(
        "probe-broken", "2.0.0", "1.0.0", "ZeroDivisionError: division by zero"
    )
    absent = inspect("probe-absent", "1.0.0")
    assert absent.installed is None
    assert absent.error == "ModuleNotFoundError: No module named 'probe_absent'"


def test_report_names_every_pinned_package_in_order() -> None:
    assert [package.name for package in report().packages] == list(pins(project().requires))


def test_report_problems() -> None:
    well, old = Package("well", "1", "1", None), Package("old", "2", "1", None)
    assert a_report(well).problems == []
    assert a_report(well, old).problems == ["old is 1; 2 is required"]


def test_report_without_pins_is_no_success() -> None:
    assert a_report().problems == ["myapp requires no package at an exact version"]


def test_report_survives_json() -> None:
    old = Package("old", "2", "1", None)
    there_and_back = json.loads(json.dumps(a_report(old).to_dict()))
    assert there_and_back["packages"] == [{"name": "old", "required": "2", "installed": "1", "error": None}]
    assert there_and_back["problems"] == ["old is 1; 2 is required"]
