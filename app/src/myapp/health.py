"""The health response of the server, and a client for deployments, monitors and the image's HEALTHCHECK."""

from __future__ import annotations

import http.client
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from myapp.report import Report

OK, UNAVAILABLE = 200, 503
# Constant, because a process that responds is alive even if its packages are broken.
ALIVE = {"status": "alive"}


def health(report: Report, since: str | None = None) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body: 200 if the application is healthy, otherwise 503 with the reason.

    Returns:
        The body has `status` ("ok"; "failing" if an import or the sample view fails; "mismatch" if everything works but
        a pinned package has a different version), `reason` (a sentence; null if healthy), `since` (when it became
        unhealthy), `versions` (maps the name of each pinned distribution to its installed version, or to null if it is
        missing), `application` and its `version`, `revision`, `taken`, and `problems`.
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
    """Return the status and body if no report is up to date, with the values of the latest report, if any."""
    reason = f"the health is not known: {error}"
    said: dict[str, Any] = {"versions": {}, "revision": os.environ.get("IMAGE_REVISION") or None, "taken": None}
    if latest is not None:
        said = health(latest)[1]
    problems = [reason, *said.get("problems", [])]
    return UNAVAILABLE, said | {"status": status, "reason": reason, "since": since, "problems": problems}


def ask(url: str, timeout: float, usual: str = "healthz") -> str | None:
    """Check the health of a running dashboard, without a proxy. Return None if it is healthy, otherwise the reason.

    Args:
        url: The URL to request. If it has no path, `usual` is added, because the page itself is served in every state.
        timeout: The timeout in seconds.
        usual: The default path.
    """
    told = f"{url} is not an address like http://127.0.0.1:5006/{usual}"
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
        reason = "it gives no reason"
    return f"{url} says {answer.status}: {reason}"
