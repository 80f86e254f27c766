"""Take out of a freshly installed prefix what depends on this machine: finish.py PREFIX BUILD_PYTHON.

The build environment's interpreter is not the one that the package will run with, so scripts name the prefix's, as they
do where pixi builds. direct_url.json and uv_cache.json hold paths and times; .lock is uv's own.
"""

import csv
import io
import sys
from pathlib import Path

DROPPED = {"direct_url.json", "uv_cache.json"}


def name_prefix(script: Path, python: str) -> None:
    """Let a script that names the build environment's interpreter name the prefix's."""
    head, newline, rest = script.read_bytes().partition(b"\n")
    if head.startswith(b"#!") and python.encode() in head:
        script.write_bytes(b"#!" + str(script.parent / "python").encode() + newline + rest)


def renew(record: Path) -> None:
    """Remove the dropped files beside a RECORD, and write it again for what is left."""
    rows = []
    for path, digest, size in csv.reader(io.StringIO(record.read_text())):
        file = record.parent.parent / path
        if file.name in DROPPED and file.parent == record.parent:
            file.unlink()
        elif path.startswith("../"):  # a script: its bytes depend on the prefix that it is installed into
            rows.append((path, "", ""))
        else:
            rows.append((path, digest, size))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    record.write_text(text.getvalue())


def main(prefix: Path, python: str) -> None:
    """Do all of it."""
    (prefix / ".lock").unlink(missing_ok=True)
    for script in (prefix / "bin").glob("*"):
        name_prefix(script, python)
    for record in prefix.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        renew(record)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
