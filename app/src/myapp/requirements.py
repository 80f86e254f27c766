"""The application's requirements, direct and indirect, and the installed versions: from installed metadata.

Nothing is imported, so this works if a package is broken.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import tomllib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.markers import UndefinedComparison
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Parsed
from packaging.utils import canonicalize_name

from myapp.report import DIRECT, INDIRECT, PINNED, Package, Requirement

if TYPE_CHECKING:
    from collections.abc import Iterable

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Project:
    """The application's own declaration."""

    name: str
    version: str
    requires: tuple[str, ...]  # PEP 508


def project(checkout: Path = CHECKOUT) -> Project:
    """Read myapp's declaration from the checkout's pyproject.toml, or from the installed metadata without a checkout.

    The checkout comes first because metadata of an editable installation does not change with the file.

    Raises:
        importlib.metadata.PackageNotFoundError: There is neither a checkout nor an installation.
    """
    manifest = checkout / "pyproject.toml"
    if manifest.is_file():
        declared = tomllib.loads(manifest.read_text(encoding="utf-8"))["project"]
        return Project(declared["name"], declared["version"], tuple(declared["dependencies"]))
    distribution = importlib.metadata.distribution("myapp")
    return Project("myapp", distribution.version, tuple(distribution.requires or ()))


def pins(requires: Iterable[str]) -> dict[str, str]:
    """Return the requirements on exact versions: `name==version` gives name → version. Others are left out.

    Raises:
        packaging.requirements.InvalidRequirement: A requirement is not PEP 508.
    """
    exact = {}
    for requirement in map(Parsed, requires):
        if not applies(requirement, ()):
            continue
        match list(requirement.specifier):
            case [only] if only.operator == "==" and not only.version.endswith(".*"):
                exact[canonicalize_name(requirement.name)] = only.version
    return exact


def applies(requirement: Parsed, extras: Iterable[str]) -> bool:
    """Report whether a requirement's marker matches this environment, for a package with these extras."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def walk(declared: Project) -> tuple[Package, ...]:
    """Follow the requirements from the application's own through all installed packages.

    Returns:
        The pinned packages in the order in which they are declared, then the others by kind and name.

    Raises:
        packaging.requirements.InvalidRequirement: The application declares a requirement that is not PEP 508.
        ValueError: The metadata of a package cannot be read.
    """
    exact = pins(declared.requires)
    asked: dict[str, list[Requirement]] = {name: [] for name in exact}
    near: set[str] = set()
    done: set[tuple[str, str]] = set()
    waiting = deque((declared.name, text, "", True) for text in declared.requires)
    while waiting:
        by, text, extra, ours = waiting.popleft()
        try:
            requirement = Parsed(text)
            if not applies(requirement, [extra]):
                continue
        except (InvalidRequirement, UndefinedComparison):  # not in our own, which `pins` has read
            continue  # metadata of old packages has such lines, and installers skip them
        name = canonicalize_name(requirement.name)
        wanted = Requirement(by, str(requirement.specifier))
        if wanted not in asked.setdefault(name, []):
            asked[name].append(wanted)
        if ours:
            near.add(name)
        for each in {"", *requirement.extras}:
            if (name, each) not in done:
                done.add((name, each))
                waiting.extend((name, line, each, name in exact) for line in _requires(name))
    kinds = {name: PINNED if name in exact else DIRECT if name in near else INDIRECT for name in asked}
    found = [_package(name, kinds[name], requirements) for name, requirements in asked.items()]
    order = [PINNED, DIRECT, INDIRECT]
    return tuple(sorted(found, key=lambda each: (order.index(each.kind), each.kind != PINNED and each.name)))


def _requires(name: str) -> list[str]:
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    except UnicodeDecodeError as error:
        raise ValueError(f"the metadata of {name} is not in UTF-8: {error}") from error


def _package(name: str, kind: str, requirements: list[Requirement]) -> Package:
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return Package(name, None, kind, tuple(requirements), None)
    return Package(name, distribution.version, kind, tuple(requirements), source(distribution))


def source(
    distribution: importlib.metadata.Distribution, prefix: str | None = os.environ.get("CONDA_PREFIX")
) -> str | None:
    """Return the folder from which a distribution was installed; None for one from a channel or an index.

    In a conda environment the conda record decides: an archive from a channel may have the direct_url.json (PEP 610)
    of the machine that built it.
    """
    with suppress(ValueError, KeyError, TypeError, AttributeError):  # a broken record is ignored
        for record in Path(prefix or os.devnull).glob(f"conda-meta/{distribution.name}-{distribution.version}-*.json"):
            url = json.loads(record.read_text(encoding="utf-8")).get("url", "")
            return None if not url or url.startswith(("http://", "https://")) else url
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        return unquote(urlsplit(origin["url"]).path) if "dir_info" in origin else None
    return None
