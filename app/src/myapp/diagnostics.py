"""Diagnostics: one report on packages, imports and system.

This module and the modules that it uses import neither foopack packages nor Panel, so it works if these are broken,
and says why.
"""

from __future__ import annotations

from myapp import imports, requirements, system
from myapp.report import PINNED, Report


def take(timeout: float = imports.TIMEOUT) -> Report:
    """Check everything once. This takes as long as the imports: at most about `timeout` seconds for each.

    Raises:
        importlib.metadata.PackageNotFoundError: myapp is neither a checkout nor installed.
        packaging.requirements.InvalidRequirement: myapp declares an invalid requirement.
    """
    declared = requirements.project()
    packages = requirements.walk(declared)
    tried = imports.try_all([package.name for package in packages if package.kind == PINNED], timeout)
    return Report(
        application=declared.name,
        version=declared.version,
        taken=system.now(),
        system=system.look(),
        packages=packages,
        imports=tried,
    )
