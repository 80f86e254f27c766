"""What a conda channel has that is newer than what is installed. It is asked only where a setting says so."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LARGEST = 64 << 20  # bytes of an index; it is read whole
TIMEOUT = 20.0  # seconds


def newer(channel: str, has: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Ask a channel for packages; return those that are newer there than what is installed, with the version there.

    Raises:
        OSError: It does not answer.
        ValueError: What it answers is no index.
    """
    with urllib.request.urlopen(f"{channel.rstrip('/')}/noarch/repodata.json", timeout=TIMEOUT) as answer:
        text = answer.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError("its index is too large")
    index = json.loads(text)
    records = [*index.get("packages", {}).values(), *index.get("packages.conda", {}).values()]
    found = newest(records)
    return [(name, found[name]) for name, version in has.items() if name in found and above(found[name], version)]


def newest(records: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the newest version of each package, without those that are pre-releases or no versions at all."""
    found: dict[str, str] = {}
    for record in records:
        name, version = record.get("name"), record.get("version")
        if isinstance(name, str) and isinstance(version, str) and above(version, found.get(name)):
            found[name] = version
    return found


def above(version: str, other: str | None) -> bool:
    """Say whether a version is a release and newer than another one; None is older than any."""
    try:
        return not (mine := Version(version)).is_prerelease and (other is None or mine > Version(other))
    except InvalidVersion:
        return False
