"""The command line. Exit status: 0 done, 1 failed or not as required, 2 used wrongly."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from myapp import diagnostics, requirements
from myapp.health import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from myapp.report import Report

ADDRESS, PORT, ORIGINS = "MYAPP_ADDRESS", "MYAPP_PORT", "MYAPP_ALLOW_ORIGIN"

EXAMPLES = f"""\
examples:
  myapp check                     exit with 1 if a foopack package does not import, or is not the version required
  myapp info --json               the same and more, for a machine to read
  myapp run --output sample.html  draw the sample data into a page
  myapp dashboard                 the same as a page that stays up to date, on http://127.0.0.1:5006
  myapp dashboard --address 0.0.0.0 --port 8080
                                  the same for other machines, as in a container
  myapp health                    exit with 1 if the dashboard on this machine is not well; for a HEALTHCHECK

environment, where an option does not say otherwise: {ADDRESS}, {PORT}, {ORIGINS} (names with blanks between them);
IMAGE_REVISION is shown as the revision of the image.
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
    top.add_argument("--version", action="version", version=f"myapp {requirements.project().version}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = commands.add_parser("check", help="import every foopack package and compare its version")
    add.set_defaults(command=check)
    add = commands.add_parser("info", help="say what the application runs on")
    add.add_argument("--json", action="store_true", help="as one JSON object")
    add.set_defaults(command=info)
    add = commands.add_parser("run", help="use all foopack packages on a little sample data")
    add.add_argument("--output", type=Path, metavar="FILE", help="also write the data's view to FILE, as HTML")
    add.set_defaults(command=run)
    add = commands.add_parser("dashboard", help="serve all that as a page, until Ctrl-C")
    add.add_argument("--address", default=os.environ.get(ADDRESS, "127.0.0.1"), help="to listen on (%(default)s)")
    add.add_argument("--port", type=port, default=os.environ.get(PORT, "5006"), help="%(default)s; 0 is any free one")
    add.add_argument(
        "--allow-origin",
        action="append",
        metavar="HOST[:PORT]",
        help="a name of this server, which answers to no other but numbers, loopback names and the machine's; * is any",
    )
    add.set_defaults(command=dashboard)
    add = commands.add_parser("health", help="ask a running dashboard whether it is well")
    add.add_argument("--url", default=f"http://127.0.0.1:{os.environ.get(PORT, '5006')}/healthz", help="%(default)s")
    add.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="%(default)s")
    add.set_defaults(command=health)
    return top


def port(text: str) -> int:
    """Read a TCP port, 0 to 65535."""
    number = int(text) if text.isdecimal() else -1
    if 0 <= number <= 65535:
        return number
    raise argparse.ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")


def check(_: argparse.Namespace) -> int:
    """Print one line for each pinned package; the status is 1 if anything is wrong with one, or none is pinned."""
    report = diagnostics.take()
    width = max((len(package.name) for package in report.pinned), default=0)
    tried = {each.package: each for each in report.imports}
    for package in report.pinned:
        imported = tried[package.name]
        found = package.problem or package.installed
        done = f"does not import: {imported.error}" if imported.error else f"imports in {imported.seconds:.1f} s"
        print(f"{package.name:{width}}  {found}  {done}")
    if not report.problems:
        return 0
    return fail("check", f"{'; '.join(report.problems)}. Install what pixi.toml requires: pixi install")


def info(arguments: argparse.Namespace) -> int:
    """Print the report, for a person or as JSON; the status is 0 whatever it says."""
    report = diagnostics.take()
    if arguments.json:
        print(report.to_json(), end="")
        return 0
    rows = facts(report)
    rows += [(package.name, package.problem or package.installed or "") for package in report.packages]
    rows += [(f"import {each.module}", each.error or f"{each.seconds:.1f} s") for each in report.imports]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}")
    return 0


def facts(report: Report) -> list[tuple[str, str]]:
    """Return what a person wants to know of the application and its system, as names and values."""
    system = report.system
    return [
        (report.application, report.version),
        ("python", f"{system.python} ({system.implementation})"),
        ("platform", f"{system.platform} ({system.machine})"),
        ("container", system.container or "none"),
        ("image revision", system.revision or "none"),
        ("process", f"{system.process} on {system.host}, since {system.started}"),
    ]


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


def dashboard(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C or SIGTERM; the status is 1 if the address cannot be had."""
    try:
        from myapp.server import serve
    except ImportError as error:
        return fail("dashboard", f"{error}. `myapp check` says which package is at fault")
    origins = arguments.allow_origin or os.environ.get(ORIGINS, "").split()
    try:
        serve(arguments.address, arguments.port, origins)
    except OSError as error:
        where = f"{arguments.address} port {arguments.port}"
        return fail("dashboard", f"cannot listen on {where}: {error.strerror}. Say another --address or --port")
    return 0


def health(arguments: argparse.Namespace) -> int:
    """Ask a running dashboard; the status is 1 if it is not well or does not answer in time."""
    trouble = ask(arguments.url, arguments.timeout)
    return fail("health", trouble) if trouble else 0


def fail(command: str, sentence: str) -> int:
    """Print why a command failed, on standard error, and return its status."""
    print(f"myapp {command}: {sentence}.", file=sys.stderr)
    return 1
