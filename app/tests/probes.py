"""Reports and packages for tests."""

from contextlib import suppress
from pathlib import Path

from myapp.report import DIRECT, INDIRECT, PINNED, Import, Package, Requirement, System

SYSTEM = System("3.11.0", "CPython", "Linux-6", "x86_64", None, None, "here", 7, "2026-01-02T03:04:05+00:00")
WELL = Package("probe-well", "1.2.0", PINNED, (Requirement("probe", "==1.2.0"),), None)
OLD = Package(
    "probe-old", "1.0.0", PINNED, (Requirement("probe", "==2.0.0"), Requirement("probe-well", "==2.0.0")), None
)
NEAR = Package("array", "1.5", DIRECT, (Requirement("probe-well", ">=1.2"),), None)
FAR = Package("leaf", None, INDIRECT, (Requirement("array", "<2"), Requirement("table", "")), None)
IMPORTS = Import("probe-well", "probe_well", 0.5, None, None)
FAILS = Import("probe-old", "probe_old", 0.25, "ValueError: <no>", "Traceback (most recent call last):\n  <no>")


def install(folder: Path, name: str, version: str, code: str = "", requires: tuple[str, ...] = ()) -> None:
    """Write a package with a single module and its metadata to a folder, as an installer would."""
    module = name.replace("-", "_")
    (folder / f"{module}.py").write_text(code)
    metadata = folder / f"{module}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {each}" for each in requires)]
    metadata.write_text("Metadata-Version: 2.1\n" + "\n".join(lines) + "\n")


def marked(mark: str) -> list[str]:
    """Return the names of the running processes whose environment contains a mark."""
    found = []
    for each in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"PROBE={mark}".encode() in each.read_bytes().split(b"\0"):
                found.append((each.parent / "comm").read_text().strip())
    return found
