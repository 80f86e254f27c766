"""The report on the application's environment: immutable, comparable, and convertible to JSON and back.

`diagnostics` collects the values; this module reads nothing from outside.
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
    """One requirement on a package: who requires it, and the accepted versions (PEP 440; "" accepts any version)."""

    by: str
    specifier: str

    def met(self, version: str | None) -> bool:
        """Report whether an installed version meets the requirement. It may be a pre-release."""
        try:
            return version is not None and SpecifierSet(self.specifier).contains(version, prereleases=True)
        except InvalidVersion:  # a version that no installer would write
            return False


@dataclass(frozen=True)
class Package:
    """A required package, and the installed version."""

    name: str  # of the distribution, normalised: foopack-core
    installed: str | None  # installed version; None: not installed
    kind: str  # PINNED: at an exact version, by the application; DIRECT: required by it or a pinned package; INDIRECT
    requirements: tuple[Requirement, ...]
    source: str | None  # the folder it was installed from; None: installed from a channel or an index

    @property
    def unmet(self) -> tuple[Requirement, ...]:
        """The requirements that the installed version does not meet."""
        return tuple(requirement for requirement in self.requirements if not requirement.met(self.installed))

    @property
    def problem(self) -> str | None:
        """A description of the problem, to follow the package's name; None if there is no problem."""
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
    seconds: float  # wall clock, including the interpreter's start
    error: str | None  # the error in one line; None: the package imports
    traceback: str | None  # the end of the interpreter's output, if there is an error and output


@dataclass(frozen=True)
class System:
    """The interpreter, the machine and the process."""

    python: str
    implementation: str
    platform: str
    machine: str
    container: str | None  # what runs the container: "docker", "podman", "kubernetes"; None: no container was found
    revision: str | None  # of the image's sources, from its label; None: not built into an image
    host: str
    process: int
    started: str  # UTC, ISO 8601 to the second
    built: str | None = None  # time of the image or its sources: UTC, ISO 8601; None: not known
    before: str | None = None  # revision of the image that ran here before; None: no deployment has told
    until: str | None = None  # when this image replaced that image: UTC, ISO 8601 to the second


@dataclass(frozen=True)
class Report:
    """All values at one time."""

    application: str
    version: str
    taken: str  # UTC, ISO 8601 to the second
    system: System
    packages: tuple[Package, ...]  # the pinned packages first, then the direct ones
    imports: tuple[Import, ...]  # imports of the pinned packages
    sample: str | None = None  # why the sample view cannot be drawn, in one line; None: drawn, or not tried

    @property
    def pinned(self) -> tuple[Package, ...]:
        """The packages that the application pins."""
        return tuple(package for package in self.packages if package.kind == PINNED)

    @property
    def problems(self) -> list[str]:
        """The problems, each a sentence without a full stop. It is also a problem if no package is pinned."""
        if not self.pinned:
            return [f"{self.application} requires no package at an exact version"]
        return self.mismatches + self.failures

    @property
    def mismatches(self) -> list[str]:
        """The pinned packages that are missing or have the wrong version."""
        return [f"{package.name} {package.problem}" for package in self.pinned if package.problem]

    @property
    def failures(self) -> list[str]:
        """The failures of imports, and of the sample view."""
        wrong = [f"{each.package} does not import: {each.error}" for each in self.imports if each.error]
        return wrong + ([f"the sample view cannot be drawn: {self.sample}"] if self.sample else [])

    @property
    def warnings(self) -> list[str]:
        """Unmet requirements on packages that are not pinned. These may work nevertheless if the import tests pass."""
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
        """Write the report as JSON, together with its `problems` and `warnings`."""
        return json.dumps(asdict(self) | {"problems": self.problems, "warnings": self.warnings}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Parse the output of `to_json`.

        Raises:
            ValueError: The text is not JSON.
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
