import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from myapp import diagnostics
from myapp.cli import main
from myapp.diagnostics import Package, Report
from myapp.sample import temperatures, text

WELL = Package("probe-well", "1.2.0", "1.2.0", None)
OLD = Package("probe-old", "2.0.0", "1.0.0", None)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Package]:
    """The packages that the commands find; a test fills it."""
    packages: list[Package] = []
    monkeypatch.setattr(
        diagnostics, "report", lambda: Report("0.1.0", "3.11.0", "CPython", "Linux", "x86_64", tuple(packages))
    )
    return packages


def test_check_where_all_is_well(found: list[Package], capsys: pytest.CaptureFixture[str]) -> None:
    found.append(WELL)
    assert main(["check"]) == 0
    assert capsys.readouterr() == ("probe-well  1.2.0  imports\n", "")


def test_check_where_something_is_wrong(found: list[Package], capsys: pytest.CaptureFixture[str]) -> None:
    found += [WELL, OLD]
    assert main(["check"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == ["probe-well  1.2.0  imports", "probe-old   is 1.0.0; 2.0.0 is required"]
    assert err.startswith("myapp check: probe-old is 1.0.0; 2.0.0 is required. ")


@pytest.mark.usefixtures("found")
def test_check_of_nothing_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 1
    assert "requires no package at an exact version" in capsys.readouterr().err


def test_info_for_a_person(found: list[Package], capsys: pytest.CaptureFixture[str]) -> None:
    found += [WELL, OLD]
    assert main(["info"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "myapp       0.1.0",
        "python      3.11.0 (CPython)",
        "platform    Linux (x86_64)",
        "probe-well  1.2.0",
        "probe-old   is 1.0.0; 2.0.0 is required",
    ]


def test_info_for_a_machine(found: list[Package], capsys: pytest.CaptureFixture[str]) -> None:
    found.append(WELL)
    assert main(["info", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["python"] == "3.11.0"
    assert said["packages"][0]["installed"] == "1.2.0"


def test_run_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 0
    out = capsys.readouterr().out
    assert out == text(temperatures()) + "\n"
    assert out.splitlines()[0] == "temperature [degC]"
    assert out.splitlines()[3].split() == ["Jan", "3.0", "-4.0", "-10.0"]
    assert out.splitlines()[-1].split() == ["mean", "9.0", "7.0", "-2.0"]


def test_run_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sample.html"
    assert main(["run", "--output", str(path)]) == 0
    assert capsys.readouterr().out.endswith(f"wrote {path}\n")
    assert "<title>temperature [degC]</title>" in path.read_text(encoding="utf-8")


def test_run_says_what_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none" / "sample.html"
    assert main(["run", "--output", str(path)]) == 1
    assert capsys.readouterr().err == (
        f"myapp run: cannot write {path}: No such file or directory. Name a file in a folder that is there.\n"
    )


def test_run_says_when_a_package_is_broken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "foopack_ui", None)
    assert main(["run"]) == 1
    assert capsys.readouterr().err.startswith("myapp run: import of foopack_ui halted")


@pytest.mark.parametrize("argv", [[], ["chek"], ["check", "--jsn"]])
def test_wrong_use_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(argv)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage: myapp")


@pytest.mark.parametrize("status", [0, 2])
def test_python_m_passes_the_status_on(status: int) -> None:
    paths = [str(Path(diagnostics.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    child = subprocess.run(
        [sys.executable, "-m", "myapp", "--help" if status == 0 else "--nonsense"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == status
    assert ("examples:" in child.stdout) == (status == 0)
