"""The interpreter, the machine and the process in which the application runs."""

from __future__ import annotations

import os
import platform
import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from myapp.report import System

if TYPE_CHECKING:
    from collections.abc import Mapping

# Environment variables with the image's labels org.opencontainers.image.revision, and …created in seconds since 1970
REVISION, CREATED = "IMAGE_REVISION", "IMAGE_CREATED"
BEFORE = "DEPLOYED_BEFORE"  # a deployment sets it in a new container: the revision that ran before, and until when


def now() -> str:
    """Return the time: UTC, ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


STARTED = now()  # time of this module's import, soon after the start of the process


def container(environ: Mapping[str, str] = os.environ, root: Path = Path("/")) -> str | None:
    """Return the container runtime, as far as it can be detected from inside; None outside of a container."""
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes"
    if (root / ".dockerenv").exists():
        return "docker"
    if (root / "run/.containerenv").exists():
        return "podman"
    return environ.get("container") or None  # systemd's convention, which others follow


def built(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return when the image was made, if the environment has it."""
    seconds = environ.get(CREATED, "")
    if not seconds.isdecimal() or len(seconds) > 11:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).isoformat(timespec="seconds")


def before(environ: Mapping[str, str] = os.environ) -> tuple[str | None, str | None]:
    """Return the previous revision and the time of its end, if a deployment has set them."""
    revision, _, until = environ.get(BEFORE, "").partition(" ")
    try:
        time = datetime.fromisoformat(until)
        utc = time.astimezone(UTC).isoformat(timespec="seconds") if time.tzinfo else ""
    except (ValueError, OverflowError):
        return None, None
    return (revision, utc) if revision and utc else (None, None)


def look(environ: Mapping[str, str] = os.environ) -> System:
    """Describe the system."""
    revision, until = before(environ)
    return System(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=platform.platform(),
        machine=platform.machine(),
        container=container(environ),
        revision=environ.get(REVISION) or None,
        host=socket.gethostname(),
        process=os.getpid(),
        started=STARTED,
        built=built(environ),
        before=revision,
        until=until,
    )
