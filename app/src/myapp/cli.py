"""The command line. Exit status: 0 done, 1 failed or not as required, 2 used wrongly."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from myapp import diagnostics

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXAMPLES = """\
examples:
  myapp check                     exit with 1 if a foopack package does not import, or is not the version required
  myapp info --json               the same and more, for a machine to read
  myapp run --output sample.html  draw the sample data into a page
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status. None takes the arguments of the process."""
    arguments = parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    return command(arguments)


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it parses has `command`, a function from the parsed arguments to the exit status."""
    top = argparse.ArgumentParser(
        prog="myapp",
        description="A small application on the foopack packages, with diagnostics of what it runs on.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"myapp {diagnostics.project().version}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = commands.add_parser("check", help="import every foopack package and compare its version")
    add.set_defaults(command=check)
    add = commands.add_parser("info", help="say what the application runs on")
    add.add_argument("--json", action="store_true", help="as one JSON object")
    add.set_defaults(command=info)
    add = commands.add_parser("run", help="use all foopack packages on a little sample data")
    add.add_argument("--output", type=Path, metavar="FILE", help="also write the data's view to FILE, as HTML")
    add.set_defaults(command=run)
    return top


def check(_: argparse.Namespace) -> int:
    """Print one line for each pinned package; the status is 1 if anything is wrong with one, or none is pinned."""
    report = diagnostics.report()
    width = max((len(package.name) for package in report.packages), default=0)
    for package in report.packages:
        print(f"{package.name:{width}}  {package.problem or f'{package.installed}  imports'}")
    if not report.problems:
        return 0
    return fail("check", f"{'; '.join(report.problems)}. Install what pixi.toml requires: pixi install")


def info(arguments: argparse.Namespace) -> int:
    """Print the report, for a person or as JSON; the status is 0 whatever it says."""
    report = diagnostics.report()
    if arguments.json:
        print(json.dumps(report.to_dict(), indent=2))
        return 0
    rows = [
        ("myapp", report.version),
        ("python", f"{report.python} ({report.implementation})"),
        ("platform", f"{report.platform} ({report.machine})"),
        *((package.name, package.problem or package.installed) for package in report.packages),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")
    return 0


def run(arguments: argparse.Namespace) -> int:
    """Print the sample data as a table and, if asked, write its view; the status is 1 if that cannot be written."""
    try:  # here and not above, so that check and info can speak where a foopack package is broken
        from foopack_ui import save
        from myapp.sample import temperatures, text
    except ImportError as error:
        return fail("run", f"{error}. `myapp check` says which package is at fault")
    array = temperatures()
    print(text(array))
    if arguments.output is None:
        return 0
    try:
        save(array, arguments.output)
    except OSError as error:
        return fail("run", f"cannot write {arguments.output}: {error.strerror}. Name a file in a folder that is there")
    print(f"wrote {arguments.output}")
    return 0


def fail(command: str, sentence: str) -> int:
    """Print why a command failed, on standard error, and return its status."""
    print(f"myapp {command}: {sentence}.", file=sys.stderr)
    return 1
