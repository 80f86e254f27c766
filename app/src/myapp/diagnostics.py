"""Diagnostics: one report on packages, imports and system, put together from what each of them says.

Nothing here, nor in what it uses, imports a foopack package or Panel, so all of it works, and says why, where one of
them is broken.
"""

from __future__ import annotations

from myapp import imports, requirements, system
from myapp.report import PINNED, Report


def take(timeout: float = imports.TIMEOUT) -> Report:
    """Look at everything once, which takes as long as the imports do: at most about `timeout` seconds for each.

    Raises:
        importlib.metadata.PackageNotFoundError: myapp is neither a checkout nor installed.
        packaging.requirements.InvalidRequirement: myapp declares a requirement that is none.
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
