"""Checks a conda channel for newer versions of installed packages. This is done only if the settings name a channel."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LARGEST = 64 << 20  # maximum size of an index in bytes, because it is read into memory
TIMEOUT = 20.0  # seconds


def newer(channel: str, has: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """Return the packages that have a newer version on a channel than the installed one, and that version.

    Raises:
        OSError: The channel cannot be reached.
        ValueError: The response is not an index.
    """
    with urllib.request.urlopen(f"{channel.rstrip('/')}/noarch/repodata.json", timeout=TIMEOUT) as answer:
        text = answer.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError("the index of the channel is too large")
    index = json.loads(text)
    records = [*index.get("packages", {}).values(), *index.get("packages.conda", {}).values()]
    found = newest(records)
    return [(name, found[name]) for name, version in has.items() if name in found and above(found[name], version)]


def newest(records: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the newest version of each package, without pre-releases and invalid versions."""
    found: dict[str, str] = {}
    for record in records:
        name, version = record.get("name"), record.get("version")
        if isinstance(name, str) and isinstance(version, str) and above(version, found.get(name)):
            found[name] = version
    return found


def above(version: str, other: str | None) -> bool:
    """Report whether a version is a release and newer than another version. None is older than any version."""
    try:
        return not (mine := Version(version)).is_prerelease and (other is None or mine > Version(other))
    except InvalidVersion:
        return False
