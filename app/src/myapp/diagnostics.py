"""What the application runs on: which packages it requires at an exact version, what is installed, and what imports.

Nothing here imports a foopack package by name, so all of it works, and says why, where one of them is broken.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Project:
    """What the application declares of itself."""

    version: str
    requires: tuple[str, ...]  # PEP 508


@dataclass(frozen=True)
class Package:
    """A package that the application requires at an exact version, and what was found of it."""

    name: str
    required: str
    installed: str | None  # None: it is not installed
    error: str | None  # what importing it raised, in one line; None: it imports

    @property
    def problem(self) -> str | None:
        """What is wrong, in words that follow the package's name; None where all is well."""
        if self.installed is None:
            return f"is not installed; {self.required} is required"
        if Version(self.installed) != Version(self.required):
            return f"is {self.installed}; {self.required} is required"
        if self.error is not None:
            return f"does not import: {self.error}"
        return None


@dataclass(frozen=True)
class Report:
    """The application's version, its interpreter and machine, and the packages that it pins."""

    version: str
    python: str
    implementation: str
    platform: str
    machine: str
    packages: tuple[Package, ...]

    @property
    def problems(self) -> list[str]:
        """What is wrong, one sentence each. To pin no package is wrong too: nothing would be checked."""
        if not self.packages:
            return ["myapp requires no package at an exact version"]
        return [f"{package.name} {package.problem}" for package in self.packages if package.problem]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values, ready for JSON."""
        return asdict(self) | {"problems": self.problems}


def project(checkout: Path = CHECKOUT) -> Project:
    """Read what myapp declares: from the pyproject.toml of the checkout that this runs from, else as it was installed.

    The checkout comes first because metadata of an editable installation stays as it was when the file changes.

    Raises:
        importlib.metadata.PackageNotFoundError: There is neither.
    """
    manifest = checkout / "pyproject.toml"
    if manifest.is_file():
        declared = tomllib.loads(manifest.read_text(encoding="utf-8"))["project"]
        return Project(declared["version"], tuple(declared["dependencies"]))
    distribution = importlib.metadata.distribution("myapp")
    return Project(distribution.version, tuple(distribution.requires or ()))


def pins(requires: Iterable[str]) -> dict[str, str]:
    """Pick the requirements on exact versions: `name==version` gives name → version, everything else is left out.

    Raises:
        packaging.requirements.InvalidRequirement: One of them is not PEP 508.
    """
    exact = {}
    for requirement in map(Requirement, requires):
        if requirement.marker and not requirement.marker.evaluate():
            continue
        match list(requirement.specifier):
            case [only] if only.operator == "==" and not only.version.endswith(".*"):
                exact[requirement.name] = only.version
    return exact


def inspect(name: str, required: str) -> Package:
    """Look a package up and import it. The module has the name of the package, with "_" for "-".

    Whatever the import raises becomes the package's error: finding that out is what this is for.
    """
    try:
        installed = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        installed = None
    error = None
    try:
        importlib.import_module(name.replace("-", "_"))
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    return Package(name, required, installed, error)


def report() -> Report:
    """Inspect every package that myapp pins, in the order in which it declares them."""
    declared = project()
    return Report(
        version=declared.version,
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=platform.platform(),
        machine=platform.machine(),
        packages=tuple(inspect(name, required) for name, required in pins(declared.requires).items()),
    )
