"""What the application runs on, as values: frozen, compared by value, to JSON and back without a loss.

How it is found out stands in `diagnostics`; nothing here asks the outside.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion

PINNED, DIRECT, INDIRECT = "pinned", "direct", "indirect"


@dataclass(frozen=True)
class Requirement:
    """One requirement on a package: who asks for it, and for which versions (PEP 440; "" is any)."""

    by: str
    specifier: str

    def met(self, version: str | None) -> bool:
        """Say whether an installed version is one of them. One that is installed may be a pre-release."""
        try:
            return version is not None and SpecifierSet(self.specifier).contains(version, prereleases=True)
        except InvalidVersion:  # of something that is installed, but by no installer
            return False


@dataclass(frozen=True)
class Package:
    """A package that is required, and what is installed of it."""

    name: str  # of the distribution, normalised: foopack-core
    installed: str | None  # version; None: it is not installed
    kind: str  # PINNED by the application at an exact version; required DIRECTly by it or by those; INDIRECT
    requirements: tuple[Requirement, ...]
    source: str | None  # the folder that it was installed from; None: from a channel or an index

    @property
    def unmet(self) -> tuple[Requirement, ...]:
        """The requirements that the installed version does not meet."""
        return tuple(requirement for requirement in self.requirements if not requirement.met(self.installed))

    @property
    def problem(self) -> str | None:
        """What is wrong, in words that follow the package's name; None where all is well."""
        if not self.unmet:
            return None
        found = "is not installed" if self.installed is None else f"is {self.installed}"
        by: dict[str, list[str]] = {}
        for each in self.unmet:
            by.setdefault(each.specifier or "it", []).append(each.by)
        return f"{found}; " + ", and ".join(f"{what} is required by {', '.join(names)}" for what, names in by.items())


@dataclass(frozen=True)
class Import:
    """One package's import in a fresh interpreter."""

    package: str
    module: str
    seconds: float  # wall clock, the interpreter's own start included
    error: str | None  # in one line; None: it imports
    traceback: str | None  # what the interpreter said at its end, where there is an error and it said anything


@dataclass(frozen=True)
class System:
    """The interpreter, the machine and the process."""

    python: str
    implementation: str
    platform: str
    machine: str
    container: str | None  # what runs it: "docker", "podman", "kubernetes"; None: no container, as far as can be seen
    revision: str | None  # of the image's sources, from its label; None: not built into an image
    host: str
    process: int
    started: str  # UTC, ISO 8601 to the second
    built: str | None = None  # the image, or its sources: UTC, ISO 8601; None: it does not say
    before: str | None = None  # revision of the image that ran here before; None: no deployment has said so
    until: str | None = None  # when this one was deployed in its place: UTC, ISO 8601 to the second


@dataclass(frozen=True)
class Report:
    """All of it, at one time."""

    application: str
    version: str
    taken: str  # UTC, ISO 8601 to the second
    system: System
    packages: tuple[Package, ...]  # the pinned ones first, then the direct ones
    imports: tuple[Import, ...]  # of the pinned ones
    sample: str | None = None  # why the sample view cannot be drawn, in one line; None: it can, or was not tried

    @property
    def pinned(self) -> tuple[Package, ...]:
        """The packages that the application pins."""
        return tuple(package for package in self.packages if package.kind == PINNED)

    @property
    def problems(self) -> list[str]:
        """What must not be, a sentence each without its full stop. To pin no package is wrong: nothing is checked."""
        if not self.pinned:
            return [f"{self.application} requires no package at an exact version"]
        return self.mismatches + self.failures

    @property
    def mismatches(self) -> list[str]:
        """The pinned packages that are installed in another version, or not at all."""
        return [f"{package.name} {package.problem}" for package in self.pinned if package.problem]

    @property
    def failures(self) -> list[str]:
        """What does not work: imports, and the sample view."""
        wrong = [f"{each.package} does not import: {each.error}" for each in self.imports if each.error]
        return wrong + ([f"the sample view cannot be drawn: {self.sample}"] if self.sample else [])

    @property
    def warnings(self) -> list[str]:
        """Requirements that are not met but are nobody's pin: what the import tests pass may work all the same."""
        return [
            f"{package.name} {package.problem}"
            for package in self.packages
            if package.kind != PINNED and package.problem
        ]

    @property
    def sources(self) -> list[str]:
        """The names of the pinned packages that were installed from a folder, not from the channel."""
        return [package.name for package in self.pinned if package.source]

    def to_json(self) -> str:
        """Write the report as JSON, with what follows from it: `problems` and `warnings`."""
        return json.dumps(asdict(self) | {"problems": self.problems, "warnings": self.warnings}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read what `to_json` wrote.

        Raises:
            ValueError: It is no JSON.
            KeyError: A field is missing.
            TypeError: A field is unknown or of another shape.
        """
        said: dict[str, Any] = json.loads(text)
        return cls(
            application=said["application"],
            version=said["version"],
            taken=said["taken"],
            system=System(**said["system"]),
            packages=tuple(_package(each) for each in said["packages"]),
            imports=tuple(Import(**each) for each in said["imports"]),
            sample=said.get("sample"),
        )


def _package(said: dict[str, Any]) -> Package:
    return Package(**said | {"requirements": tuple(Requirement(**each) for each in said["requirements"])})
