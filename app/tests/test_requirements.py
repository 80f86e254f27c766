import json
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement
from probes import install

from myapp.report import DIRECT, INDIRECT, PINNED, Requirement
from myapp.requirements import Project, pins, project, source, walk

APP = Path(__file__).parents[1]


def test_manifests_agree() -> None:
    declared = tomllib.loads((APP / "pyproject.toml").read_text())["project"]
    manifest = tomllib.loads((APP / "pixi.toml").read_text())
    assert manifest["workspace"]["version"] == declared["version"]
    conda = {f"{name}{spec}" for name, spec in manifest["dependencies"].items() if name != "python"}
    assert conda == set(declared["dependencies"])


def test_project_of_a_checkout() -> None:
    declared = tomllib.loads((APP / "pyproject.toml").read_text())["project"]
    assert project(APP).version == declared["version"]
    assert list(project(APP).requires) == declared["dependencies"]


def test_project_without_a_checkout(site: Path, tmp_path: Path) -> None:
    install(site, "myapp", "7.0", requires=("probe-well==1.2",))
    (site / "myapp.py").unlink()
    assert project(tmp_path) == Project("myapp", "7.0", ("probe-well==1.2",))


def test_missing_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(PackageNotFoundError):
        project(tmp_path)


def test_pins_are_the_exact_versions() -> None:
    requires = [
        "exact==1.2",
        "With_Extra[gui] == 2.0rc1",
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


def test_pins_refuse_invalid_requirements() -> None:
    with pytest.raises(InvalidRequirement):
        pins(["core=0.1.0"])


def test_walk_follows_everything_that_is_required(site: Path) -> None:
    install(
        site, "probe-top", "1.0", requires=("probe-core==0.1", "probe-array[fast]>=2", "gone ; python_version < '3'")
    )
    install(site, "probe-core", "0.2", requires=("probe-array",))
    install(
        site, "probe-array", "1.0", requires=("probe-leaf", "probe-fast>1; extra == 'fast'", "never; extra == 'slow'")
    )
    install(
        site, "probe-leaf", "3.0", requires=("probe-array", "this is = no requirement", "x; sys_platform ~= 'y'")
    )  # these packages require each other in a cycle
    declared = Project("probe", "1", ("probe-top==1.0", "probe-core==0.1", "probe-tool"))

    found = walk(declared)

    assert [(each.name, each.kind, each.installed) for each in found] == [
        ("probe-top", PINNED, "1.0"),
        ("probe-core", PINNED, "0.2"),
        ("probe-array", DIRECT, "1.0"),
        ("probe-tool", DIRECT, None),
        ("probe-fast", INDIRECT, None),
        ("probe-leaf", INDIRECT, "3.0"),
    ]
    core, array = found[1], found[2]
    assert core.requirements == (Requirement("probe", "==0.1"), Requirement("probe-top", "==0.1"))
    assert core.problem == "is 0.2; ==0.1 is required by probe, probe-top"
    assert array.unmet == (Requirement("probe-top", ">=2"),)


def test_unreadable_metadata_is_named(site: Path) -> None:
    install(site, "probe-well", "1.2.0")
    metadata = site / "probe_well-1.2.0.dist-info" / "METADATA"
    metadata.write_bytes(metadata.read_bytes() + "Summary: \u00e4\n".encode("latin-1"))
    with pytest.raises(ValueError, match="the metadata of probe-well is not in UTF-8"):
        walk(Project("probe", "1", ("probe-well==1.2.0",)))


def test_walk_of_this_applications_requirements() -> None:
    found = {each.name: each for each in walk(project())}
    assert [name for name, each in found.items() if each.kind == PINNED] == list(pins(project().requires))
    assert {"numpy", "xarray", "pandas", "panel", "bokeh"} <= {
        name for name, each in found.items() if each.kind == DIRECT
    }


def test_source_is_the_folder_that_pip_installed_from(site: Path) -> None:
    install(site, "probe-well", "1.2.0")
    metadata = site / "probe_well-1.2.0.dist-info"
    assert source(distribution("probe-well"), None) is None
    (metadata / "direct_url.json").write_text(json.dumps({"url": "file:///some%20where/well", "dir_info": {}}))
    assert source(distribution("probe-well"), None) == "/some where/well"
    (metadata / "direct_url.json").write_text(json.dumps({"url": "https://example.invalid/w.whl", "archive_info": {}}))
    assert source(distribution("probe-well"), None) is None


@pytest.mark.parametrize("said", ["{", "[]", '["dir_info"]', '{"dir_info": {}}', '{"dir_info": {}, "url": 7}'])
def test_an_unusable_source_is_none(site: Path, tmp_path: Path, said: str) -> None:
    install(site, "probe-well", "1.2.0")
    (site / "probe_well-1.2.0.dist-info" / "direct_url.json").write_text(said)
    assert source(distribution("probe-well"), None) is None
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta" / "probe-well-1.2.0-0.json").write_text(said.replace("dir_info", "x").replace("{}", "[]"))
    assert source(distribution("probe-well"), str(tmp_path)) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.invalid/channel/noarch/probe-well-1.2.0-0.conda", None),
        ("file:///some/tree", "file:///some/tree"),
    ],
)
def test_source_in_a_conda_environment(site: Path, tmp_path: Path, url: str, expected: str | None) -> None:
    install(site, "probe-well", "1.2.0")
    (site / "probe_well-1.2.0.dist-info" / "direct_url.json").write_text('{"url": "file:///builder", "dir_info": {}}')
    (tmp_path / "conda-meta").mkdir()
    (tmp_path / "conda-meta" / "probe-well-1.2.0-pyh4616a5c_0.json").write_text(json.dumps({"url": url}))
    assert source(distribution("probe-well"), str(tmp_path)) == expected
