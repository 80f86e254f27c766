"""Health, as deployments and the image's HEALTHCHECK ask for it: what `GET /healthz` says, and the question."""

from __future__ import annotations

import http.client
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from myapp.report import Report


def health(report: Report) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body: 200 when all imports pass, else 503 with the reason.

    Returns:
        The body has `status` ("ok" or "failing"), `reason` (a sentence; null where all imports pass), `versions`
        (distribution name → installed version of the packages that the application pins, null for a missing one),
        `application` and its `version`, `revision`, `taken`, and `problems`, which also names versions that are not
        the pinned ones.
    """
    failing = [f"{each.package} does not import: {each.error}" for each in report.imports if each.error]
    if not report.imports:
        failing = report.problems
    return HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK, {
        "status": "failing" if failing else "ok",
        "reason": "; ".join(failing) or None,
        "versions": {package.name: package.installed for package in report.pinned},
        "application": report.application,
        "version": report.version,
        "revision": report.system.revision,
        "taken": report.taken,
        "problems": report.problems,
    }


def ask(url: str, timeout: float) -> str | None:
    """Ask a running dashboard for its health, without any proxy; return None if it is well, else why it is not."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme != "http" or not parts.hostname or port == -1:
        return f"{url} is no address like http://127.0.0.1:5006/healthz"
    connection = http.client.HTTPConnection(parts.hostname, port, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/healthz")
        answer = connection.getresponse()
        body = answer.read(1_000_000)
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error or type(error).__name__}"
    finally:
        connection.close()
    if answer.status == HTTPStatus.OK:
        return None
    try:
        reason = json.loads(body)["reason"]
    except (ValueError, KeyError, TypeError):
        reason = "it does not say why"
    return f"{url} says {answer.status}: {reason}"
