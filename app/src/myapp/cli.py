"""The command line. Exit status: 0 done, 1 failed or not as required, 2 wrong usage."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myapp import settings
from myapp.health import ask

# A command imports the modules that only it needs: `health` runs every few seconds.
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from myapp.report import Report

ADDRESS, PORT, ORIGINS = "MYAPP_ADDRESS", "MYAPP_PORT", "MYAPP_ALLOW_ORIGIN"
PREFIX, CHANNEL = "MYAPP_PREFIX", "MYAPP_CHANNEL"

EXAMPLES = f"""\
examples:
  myapp check                     exit with 1 if a foopack package does not import or has the wrong version
  myapp info --json               print the same and more as JSON
  myapp run --output sample.html  write a page with a view of the sample data
  myapp dashboard                 serve a page that stays up to date, on http://127.0.0.1:5006
  myapp dashboard --address 0.0.0.0 --port 8080
                                  serve it to other machines, as in a container
  myapp health                    exit with 1 if the dashboard on this machine is not healthy
  myapp health --live             exit with 1 if the dashboard does not answer at all; for a HEALTHCHECK

If an option is not given, its environment variable is used: {ADDRESS}, {PORT}, {ORIGINS} (names separated by
blanks or commas), {PREFIX}, {CHANNEL}. IMAGE_REVISION is shown as the revision of the image.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status. None takes the arguments of the process."""
    arguments = parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    return command(arguments)


def parser() -> argparse.ArgumentParser:
    """Return the parser. Its result has `command`, a function from the parsed arguments to the exit status."""
    top = argparse.ArgumentParser(
        prog="myapp",
        description="A small application on the foopack packages, with diagnostics of what it runs on.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action=Version, nargs=0, help="print the version")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add = commands.add_parser("check", help="import every foopack package and compare its version")
    add.set_defaults(command=check)
    add = commands.add_parser("info", help="describe the application, its packages and its system")
    add.add_argument("--json", action="store_true", help="print one JSON object")
    add.set_defaults(command=info)
    add = commands.add_parser("run", help="use all foopack packages on some sample data")
    add.add_argument("--output", type=Path, metavar="FILE", help="also write the data's view to FILE, as HTML")
    add.set_defaults(command=run)
    add = commands.add_parser("dashboard", help="serve a page with the results of check, info and run, until Ctrl-C")
    add.add_argument("--address", type=reads(settings.address), help="default: 127.0.0.1; * means all addresses")
    add.add_argument("--port", type=reads(settings.port), help="default: 5006; 0 means any free port")
    add.add_argument(
        "--allow-origin",
        action="append",
        type=reads(settings.origin),
        metavar="HOST[:PORT]",
        help="a name of this server, besides IP addresses, loopback names and the machine's name; * means any name",
    )
    add.add_argument(
        "--prefix", type=reads(settings.prefix), metavar="PATH", help="path prefix that a proxy does not remove"
    )
    add.add_argument(
        "--channel",
        type=reads(settings.channel),
        metavar="URL",
        help="conda channel that is asked every hour for newer versions; default: no channel",
    )
    add.set_defaults(command=dashboard)
    add = commands.add_parser("health", help="ask a running dashboard whether it is healthy")
    add.add_argument("--live", "-live", action="store_true", help="ask only whether the dashboard answers")
    add.add_argument("--url", help="address of the dashboard; default: from the environment variables")
    add.add_argument("--timeout", type=reads(settings.seconds), default=5.0, metavar="SECONDS", help="%(default)s")
    add.set_defaults(command=health)
    return top


class Version(argparse.Action):
    """Prints the version. It looks the version up only when the option is used."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print the version and exit."""
        from myapp.requirements import project

        parser.exit(message=f"myapp {project().version}\n")


def reads(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Convert a parser that raises ValueError into an argparse type that reports the error's message."""

    def option(text: str) -> object:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return option


def from_environment(name: str, read: Callable[[str], Any], default: object) -> Any:  # noqa: ANN401
    """Return a setting from the environment, or the default if it is not set.

    Raises:
        ValueError: The setting cannot be read.
    """
    text = os.environ.get(name)
    if text is None or (name == PORT and not text.strip()):
        return default
    if name == PORT and settings.is_of_a_service(text):
        line = f"myapp: {PORT}={text} was set by Kubernetes for a Service named myapp, so the port is {default}."
        print(line, file=sys.stderr)
        return default
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def check(_: argparse.Namespace) -> int:
    """Print one line for each pinned package; the status is 1 if a package is wrong, or if none is pinned."""
    from myapp import diagnostics

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
    """Print the report, as text or JSON; the status is always 0."""
    from myapp import diagnostics

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
    """Return names and values that describe the application and its system."""
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
    """Print the sample data as a table and, if asked, write its view; the status is 1 if the view cannot be written."""
    try:  # imported here, so that check and info work if a foopack package is broken
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
        return fail("run", f"cannot write {arguments.output}: {error.strerror}. Choose a file in an existing folder")
    print(f"wrote {arguments.output}")
    return 0


def dashboard(arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C or SIGTERM; the status is 1 if it cannot listen, 2 if a setting is wrong."""
    try:
        address = given(arguments.address, ADDRESS, settings.address, "127.0.0.1")
        port = given(arguments.port, PORT, settings.port, 5006)
        origins = given(arguments.allow_origin, ORIGINS, settings.origins, [])
        prefix = given(arguments.prefix, PREFIX, settings.prefix, "")
        channel = given(arguments.channel, CHANNEL, settings.channel, "")
    except ValueError as error:
        return fail("dashboard", str(error), 2)
    # A signal without a handler does not end the first process of a container.
    before = signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        from myapp.server import serve

        serve(address, port, origins, prefix, channel)
    except ImportError as error:
        return fail("dashboard", f"{error}. `myapp check` says which package is at fault")
    except OSError as error:
        where = f"{address or '*'} port {port}"
        return fail("dashboard", f"cannot listen on {where}: {error.strerror}. Choose another --address or --port")
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def given(option: Any, name: str, read: Callable[[str], Any], default: object) -> Any:  # noqa: ANN401
    """Return an option's value, otherwise the environment's, otherwise the default."""
    return from_environment(name, read, default) if option is None else option


def health(arguments: argparse.Namespace) -> int:
    """Query a running dashboard; the status is 1 if it is unhealthy or does not respond, 2 if a setting is wrong."""
    url, usual = arguments.url, "livez" if arguments.live else "healthz"
    try:
        if url is None:
            address = from_environment(ADDRESS, settings.address, "127.0.0.1")
            port = from_environment(PORT, settings.port, 5006)
            url = f"http://{settings.reached(address)}:{port}/{usual}"
    except ValueError as error:
        return fail("health", str(error), 2)
    trouble = ask(url, arguments.timeout, usual)
    return fail("health", trouble) if trouble else 0


def fail(command: str, sentence: str, status: int = 1) -> int:
    """Print why a command failed, on standard error, and return its status."""
    print(f"myapp {command}: {sentence}.", file=sys.stderr)
    return status
