"""Make a freshly installed prefix independent of this machine: finish.py PREFIX BUILD_PYTHON NAMES.

The package will not run on the build environment's interpreter, so scripts are changed to use the prefix's, as in
packages built by pixi. direct_url.json and uv_cache.json are removed because they contain paths and times, and .lock
because only uv uses it. Local folders that a build has written into text files are replaced. NAMES is a JSON array of
pairs of a folder and its replacement.
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
    """Make a script that uses the build environment's interpreter use the prefix's.

    If the path is too long for a shebang, or contains a blank, the first three lines are an sh script that starts the
    interpreter: #!/bin/sh, then an exec between triple quotes. Python parses the quoted part as a string.
    """
    head, newline, rest = script.read_bytes().partition(b"\n")
    if head == b"#!/bin/sh" and rest.startswith(b"'''exec' ") and python.encode() in rest.partition(b"\n")[0]:
        head, rest = b"#!" + python.encode(), rest.split(b"\n", 2)[2]
    if head.startswith(b"#!") and python.encode() in head:
        script.write_bytes(b"#!" + str(script.parent / "python").encode() + newline + rest)


def rename(file: Path, prefix: bytes, names: dict[str, str]) -> bool:
    """Replace the paths of local folders in a text file, and return whether there were any.

    The prefix is in one of these folders but is kept, because it is replaced when the package is installed.
    """
    before = file.read_bytes()
    parts = before.split(prefix)
    if not any(folder.encode() in part for folder in names for part in parts):
        return False
    try:
        before.decode()
    except UnicodeDecodeError:
        said = f"{file.name} has a path of this machine, but is not a text file, so its bytes differ on other machines"
        print(said, file=sys.stderr)
        return False
    for folder, name in names.items():
        parts = [part.replace(folder.encode(), name.encode()) for part in parts]
    file.write_bytes(prefix.join(parts))
    return True


def digested(path: str, file: Path) -> tuple[str, str, str]:
    """Return the RECORD row for a file."""
    data = file.read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
    return path, "sha256=" + digest, str(len(data))


def renew(record: Path, prefix: bytes, names: dict[str, str]) -> None:
    """Remove the files in DROPPED next to a RECORD, replace folders in the others, and rewrite the RECORD."""
    rows = []
    for path, digest, size in csv.reader(io.StringIO(record.read_text())):
        file = record.parent.parent / path
        if file.name in DROPPED and file.parent == record.parent:
            file.unlink()
            continue
        renamed = file != record and file.is_file() and rename(file, prefix, names)
        if path.startswith("../") or (file != record and file.is_file() and prefix in file.read_bytes()):
            rows.append((path, "", ""))  # like scripts, its contents depend on the prefix where it is installed
        elif renamed:
            rows.append(digested(path, file))
        else:
            rows.append((path, digest, size))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    record.write_text(text.getvalue())


def main(prefix: Path, python: str, names: dict[str, str]) -> None:
    """Clean the whole prefix."""
    (prefix / ".lock").unlink(missing_ok=True)
    for script in (prefix / "bin").glob("*"):
        name_prefix(script, python)
    for record in prefix.glob("lib/python*/site-packages/*.dist-info/RECORD"):
        renew(record, str(prefix).encode(), names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], dict(json.loads(sys.argv[3])))
