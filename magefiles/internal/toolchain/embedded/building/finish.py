"""Take out of a freshly installed prefix what depends on this machine: finish.py PREFIX BUILD_PYTHON NAMES.

The build environment's interpreter is not the one that the package will run with, so scripts name the prefix's, as they
do where pixi builds. direct_url.json and uv_cache.json hold paths and times; .lock is uv's own. A folder of this
machine that a build has written into a text gets a name instead: NAMES is a JSON array of pairs of the two.
"""

import base64
import csv
import hashlib
import io
import json
import sys
from pathlib import Path

DROPPED = {"direct_url.json", "uv_cache.json"}


def name_prefix(script: Path, python: str) -> None:
    """Let a script that names the build environment's interpreter name the prefix's.

    Where the path is too long for a first line, or has a blank, the first three lines are a script for sh, which starts
    it. For Python they are a text: #!/bin/sh, then three quotes with an exec between them.
    """
    head, newline, rest = script.read_bytes().partition(b"\n")
    if head == b"#!/bin/sh" and rest.startswith(b"'''exec' ") and python.encode() in rest.partition(b"\n")[0]:
        head, rest = b"#!" + python.encode(), rest.split(b"\n", 2)[2]
    if head.startswith(b"#!") and python.encode() in head:
        script.write_bytes(b"#!" + str(script.parent / "python").encode() + newline + rest)


def rename(file: Path, prefix: bytes, names: dict[str, str]) -> bool:
    """Let a text name folders of this machine by other names, and say whether it had named one.

    The prefix lies in one of them, and stays: who installs the package looks for it.
    """
    before = file.read_bytes()
    parts = before.split(prefix)
    if not any(folder.encode() in part for folder in names for part in parts):
        return False
    try:
        before.decode()
    except UnicodeDecodeError:
        said = f"{file.name} holds a path of this machine, and is not a text: it will be another one elsewhere"
        print(said, file=sys.stderr)
        return False
    for folder, name in names.items():
        parts = [part.replace(folder.encode(), name.encode()) for part in parts]
    file.write_bytes(prefix.join(parts))
    return True


def digested(path: str, file: Path) -> tuple[str, str, str]:
    """Return the row of a file in a RECORD."""
    data = file.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return path, "sha256=" + digest, str(len(data))


def renew(record: Path, prefix: bytes, names: dict[str, str]) -> None:
    """Remove the dropped files beside a RECORD, rename folders in the others, and write it again for what is left."""
    rows = []
    for path, digest, size in csv.reader(io.StringIO(record.read_text())):
        file = record.parent.parent / path
        if file.name in DROPPED and file.parent == record.parent:
            file.unlink()
            continue
        renamed = file != record and file.is_file() and rename(file, prefix, names)
        if path.startswith("../") or (file != record and file.is_file() and prefix in file.read_bytes()):
            rows.append((path, "", ""))  # its bytes depend on the prefix that it is installed into, as a script's do
        elif renamed:
            rows.append(digested(path, file))
        else:
            rows.append((path, digest, size))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    record.write_text(text.getvalue())


def main(prefix: Path, python: str, names: dict[str, str]) -> None:
    """Do all of it."""
    (prefix / ".lock").unlink(missing_ok=True)
    for script in (prefix / "bin").glob("*"):
        name_prefix(script, python)
    for record in prefix.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        renew(record, str(prefix).encode(), names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], dict(json.loads(sys.argv[3])))
