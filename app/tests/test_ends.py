"""Tests that a real server exits despite everything that could keep it running."""

import http.client
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from probes import marked
from serving import Anything, serve

from myapp.cli import main

HANGS = """
import os, subprocess, time
os.environ["PROBE"] = {mark!r}
subprocess.Popen(["sleep", "600"], start_new_session=True)
time.sleep(600)
"""


def test_server_stops_despite_open_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = str(tmp_path)
    for module in ("foopack_core", "foopack_extras", "foopack_ui"):
        (tmp_path / f"{module}.py").write_text(HANGS.format(mark=mark))
    environ = {"MYAPP_ADDRESS": "*", "MYAPP_PREFIX": "dash/", "MYAPP_ALLOW_ORIGIN": "https://Dash.example.com/"}
    with serve(tmp_path, **environ) as served:
        assert served.process.stdout is not None
        served.process.stdout.close()  # the server's output has no reader from now on
        port = urlsplit(served.url).port
        monkeypatch.setenv("MYAPP_PORT", str(port))
        monkeypatch.setenv("MYAPP_ADDRESS", "::")
        assert main(["health", "--live"]) == 0
        ask = urllib.request.build_opener(urllib.request.ProxyHandler({}), Anything()).open
        for host, path, status in [
            ("127.0.0.1", "/livez", 200),
            ("127.0.0.1", "/dash/livez", 200),
            ("127.0.0.1", "/dash/", 200),  # responds although the first import hangs
            ("127.0.0.1", "/again.js", 200),
            ("dash.example.com", "/dash/livez", 200),
            ("evil.example", "/dash/livez", 421),
            ("evil.example", "/livez", 421),
        ]:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": host})
            assert ask(request, timeout=60).status == status, (host, path)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/dash")
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.headers["Location"]) == (302, "/dash/")
        for path, status in [("/dash/", 200), ("/", 200), ("/livez", 200), ("/nowhere", 404)]:
            connection.request("HEAD", path)
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (status, b""), path
        until = time.monotonic() + 60
        while marked(mark).count("sleep") < 2 and time.monotonic() < until:
            time.sleep(0.05)
        begin = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(60) == 0
        assert time.monotonic() - begin < 20  # containers get 10 s, but this machine may be busy
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.05)
    assert marked(mark) == []


def test_a_signal_during_startup_stops_the_server(tmp_path: Path) -> None:
    (tmp_path / "panel.py").write_text(
        "import os, time\nos.close(os.open({!r}, os.O_CREAT))\ntime.sleep(600)".format(str(tmp_path / "there"))
    )
    with serve(tmp_path, wait=False) as served:
        until = time.monotonic() + 60
        while not (tmp_path / "there").exists() and time.monotonic() < until:
            time.sleep(0.02)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(60) == 0
