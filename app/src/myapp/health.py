"""Health, as deployments, monitors and the image's HEALTHCHECK ask for it: what is answered, and the question."""

from __future__ import annotations

import http.client
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from myapp.report import Report

OK, UNAVAILABLE = 200, 503
# A process that answers is alive, whatever it has to say of its packages.
ALIVE = {"status": "alive"}


def health(report: Report, since: str | None = None) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body: 200 when all is as it has to be, else 503 with the reason.

    Returns:
        The body has `status` ("ok"; "failing" where an import or the sample view fails; "mismatch" where all works,
        but a pinned package has another version), `reason` (a sentence; null where all is well), `since` (when it began
        not to be well), `versions` (distribution name → installed version of the packages that the application pins,
        null for a missing one), `application` and its `version`, `revision`, `taken`, and `problems`.
    """
    failing = report.failures if report.pinned else report.problems
    status = "failing" if failing else "mismatch" if report.problems else "ok"
    return OK if status == "ok" else UNAVAILABLE, {
        "status": status,
        "reason": "; ".join(failing or report.problems) or None,
        "since": None if status == "ok" else since,
        "versions": {package.name: package.installed for package in report.pinned},
        "application": report.application,
        "version": report.version,
        "revision": report.system.revision,
        "taken": report.taken,
        "problems": report.problems,
    }


def unknown(
    error: Exception, latest: Report | None, since: str | None = None, status: str = "failing"
) -> tuple[int, dict[str, Any]]:
    """Return the same where there is no report of how things are now: of the latest one, if there is one."""
    reason = f"nothing can be said: {error}"
    said: dict[str, Any] = {"versions": {}, "revision": os.environ.get("IMAGE_REVISION") or None, "taken": None}
    if latest is not None:
        said = health(latest)[1]
    problems = [reason, *said.get("problems", [])]
    return UNAVAILABLE, said | {"status": status, "reason": reason, "since": since, "problems": problems}


def ask(url: str, timeout: float, usual: str = "healthz") -> str | None:
    """Ask a running dashboard for its health, without any proxy; return None if it is well, else why it is not.

    Args:
        url: An address without a path is asked for the usual one: the page itself is there whatever it says.
        timeout: In seconds.
        usual: The path that is meant where the address has none.
    """
    told = f"{url} is no address like http://127.0.0.1:5006/{usual}"
    try:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            return told
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    except (ValueError, http.client.InvalidURL):
        return told
    try:
        connection.request("GET", parts.path if parts.path.strip("/") else f"/{usual}")
        answer = connection.getresponse()
        body = answer.read(1_000_000)
    except (OSError, UnicodeError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error or type(error).__name__}"
    finally:
        connection.close()
    if answer.status == OK:
        return None
    try:
        reason = json.loads(body)["reason"]
    except (ValueError, KeyError, TypeError):
        reason = "it does not say why"
    return f"{url} says {answer.status}: {reason}"
