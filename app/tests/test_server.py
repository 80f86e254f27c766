import json

import pytest
import tornado.testing
import tornado.web
from probes import FAILS, IMPORTS, OLD, SYSTEM, WELL

from myapp.refresh import Refresher
from myapp.report import Report
from myapp.server import Download, Health, allowed

REPORT = Report("probe", "0.1.0", "2026-01-02T03:04:06+00:00", SYSTEM, (WELL, OLD), (IMPORTS,))


class Handlers(tornado.testing.AsyncHTTPTestCase):
    """The handlers for machines, over a report that a test chooses."""

    def get_app(self) -> tornado.web.Application:
        """Serve whatever is in `found`: a report, or an error that is raised."""
        self.found: Report | Exception = REPORT
        self.taken = 0
        refresher = {"refresher": Refresher(self.take)}
        return tornado.web.Application([("/healthz", Health, refresher), ("/report.json", Download, refresher)])

    def take(self) -> Report:
        """Take the report."""
        self.taken += 1
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def test_health_is_answered_from_one_report(self) -> None:
        for _ in range(3):
            answer = self.fetch("/healthz")
            assert answer.code == 200
            assert json.loads(answer.body)["versions"] == {"probe-well": "1.2.0", "probe-old": "1.0.0"}
            assert answer.headers["Cache-Control"] == "no-store"
        assert self.taken == 1

    def test_health_where_an_import_fails(self) -> None:
        self.found = Report(**vars(REPORT) | {"imports": (FAILS,)})
        answer = self.fetch("/healthz")
        assert answer.code == 503
        assert json.loads(answer.body)["reason"] == "probe-old does not import: ValueError: <no>"

    def test_health_where_nothing_can_be_examined(self) -> None:
        self.found = RuntimeError("pyproject.toml is gone")
        answer = self.fetch("/healthz")
        assert answer.code == 503
        assert json.loads(answer.body)["reason"] == "nothing can be said: pyproject.toml is gone"

    def test_the_report_is_a_file(self) -> None:
        answer = self.fetch("/report.json")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="probe-report.json"'
        assert Report.from_json(answer.body.decode()) == REPORT


@pytest.mark.parametrize(
    ("address", "hosts"),
    [
        ("127.0.0.1", ["localhost:1", "127.0.0.1:1", "127.0.0.1:1"]),
        ("localhost", ["localhost:1", "127.0.0.1:1", "localhost:1"]),
        ("::1", ["localhost:1", "127.0.0.1:1", "[::1]:1"]),
        ("0.0.0.0", ["*"]),
        ("::", ["*"]),
        ("status.example.invalid", ["status.example.invalid:1"]),
    ],
)
def test_who_may_connect(address: str, hosts: list[str]) -> None:
    assert allowed(address, 1) == hosts
