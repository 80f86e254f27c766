import json
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import tornado.testing
import tornado.web
from probes import FAILS, IMPORTS, NEAR, SYSTEM, WELL

from myapp.refresh import Refresher
from myapp.report import Report
from myapp.server import Above, Download, Health, Live, allowed, guard, hosts, own_names, zombies

MACHINE = socket.gethostname().lower()
REPORT = Report("probe", "0.1.0", "2026-01-02T03:04:06+00:00", SYSTEM, (WELL, NEAR), (IMPORTS,))


class Handlers(tornado.testing.AsyncHTTPTestCase):
    """Tests the handlers for monitoring, with a report that the test chooses."""

    def get_app(self) -> tornado.web.Application:
        """Serve the report in `found`, or raise the error in it."""
        self.found: Report | Exception = REPORT
        self.taken = 0
        refresher = {"refresher": Refresher(lambda: self.take())}
        machines = [("/healthz", Health, refresher), ("/report.json", Download, refresher), ("/livez", Live)]
        return tornado.web.Application(machines)

    def take(self) -> Report:
        """Return the report, or raise the error."""
        self.taken += 1
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def first(self) -> None:
        """Wait until the first report has been taken or has failed."""
        while json.loads(self.fetch("/healthz").body)["status"] == "starting":
            pass

    def test_requests_before_the_first_report_are_answered_immediately(self) -> None:
        go = threading.Event()
        take, self.take = self.take, lambda: go.wait() and take()
        for path in ("/healthz", "/report.json"):
            answer = self.fetch(path)
            assert answer.code == 503
            assert answer.headers.get("Content-Disposition") is None
            said = json.loads(answer.body)
            assert (said["status"], said["since"], said["taken"]) == ("starting", None, None)
            assert said["reason"] == "the health is not known: the first check has not ended yet"
            assert self.fetch(path, method="HEAD").code == 503
        go.set()
        self.first()
        assert self.fetch("/healthz").code == 200
        assert self.taken == 1

    def test_health_is_answered_from_one_report(self) -> None:
        self.first()
        for _ in range(3):
            answer = self.fetch("/healthz")
            assert answer.code == 200
            assert json.loads(answer.body)["versions"] == {"probe-well": "1.2.0"}
            assert answer.headers["Cache-Control"] == "no-store"
        assert self.taken == 1

    def test_health_with_a_failed_import(self) -> None:
        self.found = Report(**vars(REPORT) | {"imports": (FAILS,)})
        self.first()
        answer = self.fetch("/healthz")
        assert answer.code == 503
        assert json.loads(answer.body)["reason"] == "probe-old does not import: ValueError: <no>"

    def test_health_without_anything_to_examine(self) -> None:
        self.found = RuntimeError("pyproject.toml is gone")
        self.first()
        answer = self.fetch("/healthz")
        assert answer.code == 503
        assert json.loads(answer.body)["reason"] == "the health is not known: pyproject.toml is gone"

    def test_alive_is_independent_of_packages(self) -> None:
        for found in (REPORT, RuntimeError("pyproject.toml is gone"), Report(**vars(REPORT) | {"imports": (FAILS,)})):
            self.found = found
            answer = self.fetch("/livez")
            assert (answer.code, json.loads(answer.body)) == (200, {"status": "alive"})
        assert self.taken == 0

    def test_head_is_get_without_a_body(self) -> None:
        self.first()
        for path in ("/livez", "/healthz", "/report.json"):
            answer = self.fetch(path, method="HEAD")
            assert (answer.code, answer.body) == (200, b"")
            assert int(answer.headers["Content-Length"]) == len(self.fetch(path).body)

    def test_without_a_report_there_is_no_file(self) -> None:
        self.found = RuntimeError("pyproject.toml is gone")
        self.first()
        answer = self.fetch("/report.json")
        assert (answer.code, answer.headers.get("Content-Disposition")) == (503, None)
        assert json.loads(answer.body) == json.loads(self.fetch("/healthz").body)

    def test_the_report_is_a_file(self) -> None:
        self.first()
        answer = self.fetch("/report.json")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="probe-report.json"'
        assert Report.from_json(answer.body.decode()) == REPORT


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("127.0.0.1", []),
        ("127.0.0.5", ["127.0.0.5:1"]),
        ("localhost", []),
        ("::1", []),
        ("0.0.0.0", None),
        ("::", None),
        ("status.example.invalid", ["status.example.invalid:1"]),
    ],
)
def test_allowed_connections(address: str, hosts: list[str] | None) -> None:
    assert allowed(address, 1) == (["*"] if hosts is None else ["localhost:1", "127.0.0.1:1", "[::1]:1", *hosts])


@pytest.mark.parametrize(
    ("address", "more"),
    [
        ("127.0.0.1", []),
        ("0.0.0.0", [f"{MACHINE}:8"]),
        ("", [f"{MACHINE}:8"]),
        ("192.0.2.1", ["192.0.2.1:8"]),
        ("2001:db8::1", ["[2001:db8::1]:8"]),
    ],
)
def test_local_connections_by_any_name(address: str, more: list[str]) -> None:
    assert own_names(address, 8) == ["localhost:8", "127.0.0.1:8", "[::1]:8", *more]


STRANGERS = ["evil.example", "evil.example:5006", "127.0.0.1.evil.example", "localhost.evil.example", ""]
ITS_OWN = [
    "localhost",
    "LOCALHOST:1",
    "127.0.0.1",
    "127.3.2.1:5006",
    "[::1]:5006",
    "status.example",
    "STATUS.example:443",
]


class Prefixed(tornado.testing.AsyncHTTPTestCase):
    """Tests requests for the root if the page has a path prefix."""

    def get_app(self) -> tornado.web.Application:
        """Serve the root only."""
        return tornado.web.Application([("/", Above, {"page": "/dash/"})])

    def test_a_request_without_the_prefix_is_redirected(self) -> None:
        answer = self.fetch("/", follow_redirects=False)
        assert (answer.code, answer.headers["Location"]) == (302, "/dash/")
        assert self.fetch("/", method="HEAD").code == 200


class Guarded(tornado.testing.AsyncHTTPTestCase):
    """Tests requests for a host name that is not the server's, with any method and any path."""

    def get_app(self) -> tornado.web.Application:
        """Serve one page."""
        application = tornado.web.Application([("/", tornado.web.RedirectHandler, {"url": "/page"})])
        guard(application, hosts("127.0.0.1", ["status.example:80"]))
        return application

    def test_an_unknown_host_is_refused(self) -> None:
        for host in STRANGERS:
            for path in ["/", "/healthz", "/report.json", "/ws", "/static/x"]:
                answer = self.fetch(path, headers={"Host": host}, follow_redirects=False)
                assert answer.code == 421, (host, path)
                assert b"MYAPP_ALLOW_ORIGIN" in answer.body
        answer = self.fetch("/", method="POST", body="x", headers={"Host": "evil.example"})
        assert answer.code == 421

    def test_known_hosts_are_answered(self) -> None:
        for host in ITS_OWN:
            answer = self.fetch("/", headers={"Host": host}, follow_redirects=False)
            assert answer.code == 301, host


@pytest.mark.parametrize(
    ("address", "origins", "answered", "refused"),
    [
        (
            "127.0.0.1",
            [],
            ["localhost", "127.0.0.1", "[::1]"],
            ["evil.example", "192.0.2.1", "xlocalhost"],
        ),
        ("localhost", [], ["localhost", "127.0.0.1"], ["evil.example"]),
        ("::1", ["a.example"], ["a.example", "[::1]"], ["b.example", "a_example", "aXexample"]),
        (
            "0.0.0.0",
            ["a.example:443"],
            ["a.example", "192.0.2.1", "[2001:db8::1]", "localhost"],
            ["b.example", "192.0.2.1.nip.example"],
        ),
        (
            "0.0.0.0",
            [],
            ["192.0.2.1", "localhost", MACHINE],
            ["evil.example", "", "x" + MACHINE],
        ),
        ("::", [], ["[2001:db8::1]", "127.0.0.1", MACHINE], ["evil.example"]),
        ("192.0.2.1", [], ["192.0.2.1", "localhost"], ["evil.example", "192.0.2.1.evil.example"]),
        ("build.example", [], ["build.example", "127.0.0.1"], ["evil.example"]),
        ("build.example", ["a.example"], ["build.example", "a.example"], ["evil.example"]),
    ],
)
def test_hostile_names(address: str, origins: list[str], answered: list[str], refused: list[str]) -> None:
    names = hosts(address, origins)
    assert names is not None
    for host in answered:
        assert re.fullmatch(names, host), host
    for host in refused:
        assert not re.fullmatch(names, host), host


def test_orphans_are_reaped_and_children_are_not() -> None:
    lost = os.fork() or os._exit(0)
    kept = subprocess.Popen(["true"])
    seen: set[int] = set()
    while not {lost, kept.pid} <= seen:
        seen |= zombies(os.getpid(), set())
    assert kept.wait() == 0  # still reaped by the code that started it
    assert zombies(os.getpid(), {lost}) & {lost} == set()
    assert not Path(f"/proc/{lost}").exists()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "127.0.0.1", ""])
def test_any_name_can_be_allowed(address: str) -> None:
    assert hosts(address, ["*"]) is None
