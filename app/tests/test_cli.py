import http.server
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from probes import FAILS, IMPORTS, OLD, WELL

from myapp import diagnostics, settings
from myapp.cli import from_environment, main
from myapp.report import Report
from myapp.sample import temperatures, text

SOURCES = str(Path(diagnostics.__file__).parents[1])


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, make: Callable[..., Report]) -> Iterator[dict[str, Report]]:
    """A dict with the report that the commands use, under "report". A test may replace it."""
    holder = {"report": make()}
    monkeypatch.setattr(diagnostics, "take", lambda: holder["report"])
    return holder


@pytest.mark.usefixtures("found")
def test_check_without_problems(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr() == ("probe-well  1.2.0  imports in 0.5 s\n", "")


def test_check_with_problems(
    found: dict[str, Report], make: Callable[..., Report], capsys: pytest.CaptureFixture[str]
) -> None:
    found["report"] = make((WELL, OLD), (IMPORTS, FAILS))
    assert main(["check"]) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "probe-well  1.2.0  imports in 0.5 s",
        f"probe-old   {OLD.problem}  does not import: ValueError: <no>",
    ]
    assert err.startswith(
        "myapp check: probe-old is 1.0.0; ==2.0.0 is required by probe, probe-well; probe-old does not"
    )


def test_check_without_packages_fails(
    found: dict[str, Report], make: Callable[..., Report], capsys: pytest.CaptureFixture[str]
) -> None:
    found["report"] = make((), ())
    assert main(["check"]) == 1
    assert "requires no package at an exact version" in capsys.readouterr().err


def test_info_as_text(
    found: dict[str, Report], make: Callable[..., Report], capsys: pytest.CaptureFixture[str]
) -> None:
    found["report"] = make((WELL, OLD), (IMPORTS, FAILS), container="docker", revision="abc")
    assert main(["info"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "probe              0.1.0",
        "python             3.11.0 (CPython)",
        "platform           Linux-6 (x86_64)",
        "container          docker",
        "image revision     abc",
        "process            7 on here, since 2026-01-02T03:04:05+00:00",
        "probe-well         1.2.0",
        f"probe-old          {OLD.problem}",
        "import probe_well  0.5 s",
        "import probe_old   ValueError: <no>",
    ]


def test_info_as_json(found: dict[str, Report], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "--json"]) == 0
    assert Report.from_json(capsys.readouterr().out) == found["report"]


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


def test_run_names_the_file_it_cannot_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none" / "sample.html"
    assert main(["run", "--output", str(path)]) == 1
    assert capsys.readouterr().err == (
        f"myapp run: cannot write {path}: No such file or directory. Choose a file in an existing folder.\n"
    )


@pytest.mark.parametrize(("command", "module"), [("run", "foopack_ui"), ("dashboard", "panel")])
def test_dependents_of_a_broken_package_name_it(
    command: str, module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "myapp.server", raising=False)
    monkeypatch.delitem(sys.modules, "myapp.dashboard", raising=False)
    assert main([command]) == 1
    assert capsys.readouterr().err.startswith(f"myapp {command}: import of {module} halted")


def test_dashboard_reports_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["dashboard", "--port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"myapp dashboard: cannot listen on 127.0.0.1 port {port}: Address already in use. "
        "Choose another --address or --port.\n"
    )


class Answers(http.server.BaseHTTPRequestHandler):
    """Responds with the status given in the path, and a reason."""

    def do_GET(self) -> None:
        """Respond to a GET request."""
        self.send_response(int(self.path.strip("/")))
        self.end_headers()
        self.wfile.write(json.dumps({"reason": "core does not import"} if self.path != "/500" else []).encode())

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server that responds with the status given in the path."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


@pytest.mark.parametrize(
    ("path", "error"),
    [("/200", ""), ("/503", "{} says 503: core does not import"), ("/500", "{} says 500: it gives no reason")],
)
def test_health_asks_a_running_dashboard(
    server: str, path: str, error: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert main(["health", "--url", server + path]) == (1 if error else 0)
    expected = f"myapp health: {error.format(server + path)}.\n" if error else ""
    assert capsys.readouterr() == ("", expected)


@pytest.mark.parametrize("path", ["", "/"])
@pytest.mark.parametrize(("live", "asked"), [([], "/healthz"), (["-live"], "/livez")])
def test_health_of_an_address_without_a_path(
    server: str, path: str, live: list[str], asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []
    monkeypatch.setattr(Answers, "do_GET", lambda self: (paths.append(self.path), self.send_error(500)))
    assert main(["health", *live, "--url", server + path]) == 1
    assert paths == [asked]


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:1/healthz", "does not answer"),
        ("nonsense", "is not an address"),
        ("https://127.0.0.1:1/healthz", "is not an address"),
        ("http://h:x/", "is not an address"),
        ("http://[h/", "is not an address"),
        ("http://a b/", "is not an address"),
        ("http://a..b/", "does not answer"),
    ],
)
def test_health_without_a_server(url: str, error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "--url", url]) == 1
    assert error in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:5006/"),
        ({"MYAPP_PORT": "tcp://10.96.0.5:5006"}, "http://127.0.0.1:5006/"),
        ({"MYAPP_PORT": "8080", "MYAPP_ADDRESS": "::"}, "http://127.0.0.1:8080/"),
        ({"MYAPP_PORT": "", "MYAPP_ADDRESS": "::1"}, "http://[::1]:5006/"),
        ({"MYAPP_ADDRESS": ""}, "http://127.0.0.1:5006/"),
        ({"MYAPP_ADDRESS": "127.0.0.2"}, "http://127.0.0.2:5006/"),
    ],
)
@pytest.mark.parametrize(("live", "path"), [([], "healthz"), (["--live"], "livez"), (["-live"], "livez")])
def test_health_uses_the_dashboards_address(
    environ: dict[str, str], url: str, live: list[str], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("myapp.cli.ask", lambda url, *_: asked.append(url))
    for name in ("MYAPP_PORT", "MYAPP_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert main(["health", *live]) == 0
    assert asked == [url + path]


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("MYAPP_ADDRESS", "", settings.EVERY),
        ("MYAPP_ADDRESS", None, "the default"),
        ("MYAPP_PORT", " ", "the default"),
        ("MYAPP_PORT", "0", 0),
    ],
)
def test_an_empty_setting_counts(name: str, value: str | None, read: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name, raising=False)
    if value is not None:
        monkeypatch.setenv(name, value)
    kind = settings.port if name == "MYAPP_PORT" else settings.address
    assert from_environment(name, kind, "the default") == read


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("MYAPP_PORT", "http", "MYAPP_PORT: 'http' is not a port"),
        ("MYAPP_PORT", "65536", "MYAPP_PORT: '65536' is not a port"),
        ("MYAPP_ALLOW_ORIGIN", "a.example/x", "MYAPP_ALLOW_ORIGIN: 'a.example/x' is not a server name"),
        ("MYAPP_PREFIX", "/a b", "MYAPP_PREFIX: '/a b' is not a path"),
        ("MYAPP_ADDRESS", "0.0.0.0:5006", "MYAPP_ADDRESS: '0.0.0.0:5006' is not an address"),
        ("MYAPP_CHANNEL", "http://user:word@host/", "MYAPP_CHANNEL: it is not a channel URL"),
    ],
)
def test_an_invalid_setting_exits_with_2(
    name: str, value: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main(["dashboard"]) == 2
    assert capsys.readouterr().err.startswith(f"myapp dashboard: {told}")


@pytest.mark.parametrize(
    "argv", [[], ["chek"], ["check", "--jsn"], ["dashboard", "--port", "70000"], ["health", "--timeout", "-3"]]
)
def test_a_usage_error_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(argv)
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("usage: myapp")


@pytest.mark.parametrize("status", [0, 2])
def test_python_m_returns_the_exit_status(status: int) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "myapp", "--help" if status == 0 else "--nonsense"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [SOURCES, os.environ.get("PYTHONPATH", "")]))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == status
    assert ("examples:" in child.stdout) == (status == 0)


@pytest.mark.parametrize("module", ["myapp.diagnostics", "myapp.cli"])
def test_diagnostics_do_not_import_what_they_examine(module: str) -> None:
    program = f"import sys, {module}; print(*{{'panel', 'bokeh', 'numpy', 'foopack_core'}} & set(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": SOURCES},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "\n"
