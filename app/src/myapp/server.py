"""The HTTP server: the page at `/`, `/livez` and `/healthz` for monitoring, and `/report.json` for download."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import logging
import os
import re
import secrets
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.document import Document
from bokeh.settings import settings as bokeh
from panel.io.resources import bundle_resources
from panel.io.state import set_curdoc
from tornado.routing import Matcher, Rule
from tornado.web import RequestHandler

from myapp import channel, diagnostics, imports, refuse, requirements, settings
from myapp.dashboard import Pieces, Visit, page
from myapp.health import ALIVE, health, unknown
from myapp.refresh import IDLE, NotYetError, Refresher
from myapp.report import PINNED
from myapp.view import Sample, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bokeh.resources import Resources
    from tornado.httputil import HTTPServerRequest
    from tornado.web import Application

    from myapp.report import Report

# Limits for Tornado's HTTP server. They close the connections of silent clients and reject large requests.
LIMITS: dict[str, Any] = {
    "idle_connection_timeout": 60.0,  # seconds; also limits the time to receive all headers of a request
    "body_timeout": 30.0,  # seconds
    "max_body_size": 1 << 20,  # bytes
    "max_header_size": 64 << 10,  # bytes
}
LOOPBACK = r"localhost\.?|127(?:\.\d{1,3}){3}|\[::1\]"
NUMBER = r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]"
GRACE = 4.0  # seconds that running work has to finish when the server stops; a container is killed after ten
HOUR = 3600.0  # seconds
log = logging.getLogger(__name__)


class Plain(RequestHandler):
    """Base class of handlers whose responses must not be cached, because they show the current state."""

    def set_default_headers(self) -> None:
        """Disable caching."""
        self.set_header("Cache-Control", "no-store")

    async def head(self) -> None:
        """Handle HEAD like GET; Tornado omits the body."""
        await self.get()  # type: ignore[misc]


class Live(Plain):
    """`GET /livez`: shows that the process responds. The response is constant; nothing is checked."""

    async def get(self) -> None:
        """Respond that the process is alive."""
        self.write(ALIVE)


class Shared(Plain):
    """Base class of handlers that use the report that all visitors share."""

    def initialize(self, refresher: Refresher[Report]) -> None:
        """Store the refresher, which Tornado passes."""
        self.refresher = refresher

    def report(self) -> Report | None:
        """Return the report. If there is no up-to-date report, respond with the reason and return None."""
        try:
            return self.refresher.current(IDLE)
        except Exception as error:  # a state that cannot be examined is not healthy
            kind = "starting" if isinstance(error, NotYetError) else "failing"
            status, body = unknown(error, self.refresher.latest, self.refresher.since, kind)
            self.set_status(status)
            self.write(body)
            return None


class Health(Shared):
    """`GET /healthz`."""

    async def get(self) -> None:
        """Respond with the health according to the latest report, or say that there is no report yet."""
        if report := self.report():
            status, body = health(report, self.refresher.since)
            self.set_status(status)
            self.write(body)


class Download(Shared):
    """`GET /report.json`."""

    async def get(self) -> None:
        """Respond with the latest report, as a download."""
        if report := self.report():
            self.set_header("Content-Type", "application/json; charset=utf-8")
            self.set_header("Content-Disposition", f'attachment; filename="{report.application}-report.json"')
            self.write(report.to_json())


class Script(Plain):
    """The page's own script. It is a separate file because a policy of script-src 'self' forbids inline scripts."""

    async def get(self) -> None:
        """Respond with the script."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.write(text("again.js"))


class There(Plain):
    """`HEAD /`: responds without creating a session."""

    async def head(self) -> None:
        """Respond with the page's content type."""
        self.set_header("Content-Type", "text/html; charset=utf-8")


class Above(There):
    """`/` if the page has a path prefix. Redirects requests that bypass the proxy to the page."""

    def initialize(self, page: str) -> None:
        """Store the page's path, which Tornado passes."""
        self.page = page

    async def get(self) -> None:
        """Redirect to the page."""
        self.redirect(self.page)


class HeadOf(Matcher):
    """Matches HEAD requests for one path."""

    def __init__(self, path: str) -> None:
        """Store the path to match."""
        self.path = path

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return the arguments for the handler, or None if the request does not match."""
        return {} if request.method == "HEAD" and request.path == self.path else None


class Elsewhere(RequestHandler):
    """Rejects requests for a host name that is not this server's, because they may be DNS rebinding attacks."""

    def prepare(self) -> None:
        """Reject the request, whatever its method, with a one-sentence explanation."""
        self.set_status(421)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(
            "This server does not answer to this name. MYAPP_ALLOW_ORIGIN or --allow-origin must have its names.\n"
        )

    def check_xsrf_cookie(self) -> None:
        """Skip the check, because the response has nothing that a cookie would protect."""


def serve(address: str, port: int, origins: Sequence[str], prefix: str = "", ask: str = "") -> None:
    """Serve until Ctrl-C or SIGTERM. The first line on standard output is the address.

    Args:
        address: The address to listen on; "" means all addresses of this machine.
        port: The port to listen on; 0 means any free port.
        origins: Names of this server, as name or name:port; "*" means any name. The server accepts only these names,
            loopback names and, unless it listens on loopback, IP addresses and its own host name (see `hosts`).
        prefix: The path prefix under which a proxy requests everything. `/livez` and `/healthz` also work without it.
        ask: The URL of a channel to check for newer versions; "" means no check.

    Raises:
        OSError: The server cannot listen on the address.
    """
    sample = Sample()
    refresher = Refresher(lambda: examine(sample), well=lambda report: not report.problems)
    newer = Refresher(lambda: channel.newer(ask, installed()), idle=HOUR) if ask else None
    shared = Pieces(refresher, sample, newer)
    routes = {"refresher": refresher}
    own: list[tuple[Any, ...]] = [
        (r"/livez", Live),
        (r"/healthz", Health, routes),
        (r"/report\.json", Download, routes),
        (r"/again\.js", Script),
    ]
    secret = secrets.token_urlsafe(32).encode()
    server = pn.serve(
        {"/": lambda: page(shared)},
        address=address,
        port=port,
        websocket_origin=settings.sockets(list(origins)) or None,
        extra_patterns=own,
        prefix=prefix,
        title="myapp",
        show=False,
        start=False,
        http_server_kwargs=dict(LIMITS),
        verbose=False,
        # Only a client that has loaded the page can open a connection, whichever of the server's names it uses.
        sign_sessions=True,
        secret_key=secret,
        generate_session_ids=True,
        websocket_max_message_size=LIMITS["max_body_size"],
    )
    # Read the port from the server's socket: if a free port were looked up earlier, another process could take it in
    # the meantime. The hosts include the port, so they are set only now. No request is handled before the loop runs.
    port = server.port
    if origins:
        server._tornado.websocket_origins.update(own_names(address, port))
    else:
        bokeh.allowed_ws_origin = allowed(address, port)
    if prefix:
        server._tornado.wildcard_router.add_rules([*own, (r"/", Above, {"page": f"{prefix}/"})])  # guarded below
    server._tornado.wildcard_router.rules.insert(0, Rule(HeadOf(f"{prefix}/"), There))
    refuse.install(server._tornado, prefix, secret)
    guard(server._tornado, hosts(address, origins))
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    warm(shared, server._tornado.resources())
    # Bokeh runs a garbage collection whenever a session ends. Freezing excludes all imported modules from it.
    gc.collect()
    gc.freeze()
    server.start()
    loop = server.io_loop
    for each in (refresher, newer):
        if each is not None:
            loop.add_callback(watch, each)
    loop.add_callback(calm)
    if os.getpid() == 1:
        loop.add_callback(bury)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            loop.asyncio_loop.add_signal_handler(number, loop.stop)
    say(f"myapp is on http://{settings.written(address)}:{port}{prefix}/")
    try:
        loop.start()
    finally:
        leave(server)


def warm(shared: Pieces, resources: Resources) -> None:
    """Make and discard a page at startup, because the first page takes longer and no visitor should wait for it."""
    document = Document()
    with set_curdoc(document):
        Visit(shared)
        bundle_resources(document.roots, resources)  # reads and caches the resource files
    for each in document.session_destroyed_callbacks:
        each(None)  # type: ignore[arg-type]
    document.clear()


def examine(sample: Sample) -> Report:
    """Take a report that includes whether the sample can be drawn in this process.

    The sample is drawn only if all packages can be imported in a separate interpreter, because a package that crashes
    or hangs there would do the same here.
    """
    report = diagnostics.take()
    return report if any(each.error for each in report.imports) else replace(report, sample=sample.attempt())


def installed() -> dict[str, str | None]:
    """Return the installed version of the application and of each package that it pins, by name."""
    declared = requirements.project()
    pinned = {each.name: each.installed for each in requirements.walk(declared) if each.kind == PINNED}
    return pinned | {declared.name: declared.version}


def say(line: str) -> None:
    """Print a line, if standard output is open."""
    with suppress(OSError, ValueError):
        print(line, flush=True)


def leave(server: pn.io.server.Server) -> None:
    """Stop the server and wait up to GRACE for running work. If a thread remains after that, exit the process."""
    until = time.monotonic() + GRACE
    imports.kill_all()
    with suppress(Exception):
        server.stop()
    for each in threading.enumerate():
        if each is not threading.current_thread() and not each.daemon:
            each.join(max(0.0, until - time.monotonic()))
    while imports.running() and time.monotonic() < until:
        time.sleep(0.02)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
            continue
        with suppress(OSError):  # nobody reads the output: discard the rest, or Python would report an error at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1 if stream is sys.stdout else 2)
    if threading.active_count() > 1:  # for example a thread that loads a package
        os._exit(0)


def calm() -> None:
    """Start, on the loop, a job that Panel otherwise starts when a visitor first uses a control.

    With Panel 1.10 and Bokeh 3.10, Panel may start it in a thread, where it retries forever without a pause. Adding
    any periodic callback to the loop starts the job.
    """
    pn.state.add_periodic_callback(lambda: None, period=1, count=1)


async def bury() -> None:
    """Reap ended processes while the server runs, as a container's first process must."""
    before: set[int] = set()
    _tasks.add(asyncio.current_task())
    while True:
        before = zombies(os.getpid(), before)
        await asyncio.sleep(30)


def zombies(parent: int, before: set[int]) -> set[int]:
    """Reap the zombie children in `before`, which the previous call returned, and return the new ones.

    The first process of a container inherits orphaned processes. The delay is for children that our own code started:
    that code soon waits for them itself.
    """
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            state, of = status.read_text().rpartition(")")[2].split()[:2]
            if state == "Z" and int(of) == parent:
                found.add(int(status.parent.name))
    for each in found & before:
        with suppress(OSError):
            os.waitpid(each, os.WNOHANG)
    return found - before


def guard(application: Application, names: str | None) -> None:
    """Restrict an application to host names that match a regular expression; None allows any name."""
    if names is not None:
        application.add_handlers(rf"(?!(?:{names})$).*", [(r".*", Elsewhere)])


def hosts(address: str, origins: Sequence[str]) -> str | None:
    """Return a regular expression for the host names that the server accepts, without ports; None means any name.

    IP addresses are safe because DNS does not resolve them, and the machine knows its own name. All other names must
    be configured. Otherwise an attacker could point a name at this server and read it from a page (DNS rebinding).
    """
    number = number_of(address)
    if "*" in origins:
        return None
    numbers = LOOPBACK if number is not None and number.is_loopback else f"{LOOPBACK}|{NUMBER}"
    names = [re.sub(r":\d+$", "", origin) for origin in origins]
    if number is not None and number.is_unspecified:
        names.append(socket.gethostname())
    if number is None:
        names.append(address)
    return "|".join([numbers, *(re.escape(name.lower()) for name in names)])


def number_of(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parse an IP address; return None for a name."""
    try:
        return ipaddress.ip_address({"localhost": "127.0.0.1", settings.EVERY: "0.0.0.0"}.get(address, address))
    except ValueError:
        return None


async def watch(refresher: Refresher[Any]) -> None:
    """Keep a refresher's value up to date while the server runs."""
    _tasks.add(asyncio.create_task(refresher.run()))


_tasks: set[asyncio.Task[None] | None] = set()  # keeps tasks alive: the loop has only weak references


def allowed(address: str, port: int) -> list[str]:
    """Return the hosts from whose pages a connection is accepted."""
    number = number_of(address)
    return own_names(address, port) if number is None or number.is_loopback else ["*"]


def own_names(address: str, port: int) -> list[str]:
    """Return the hosts that clients on this machine may use, in addition to the names that other clients use.

    A client that can load a page from one of these hosts must also be able to open the page's connection.
    """
    own = "" if settings.is_every(address) else settings.written(address)
    names = ["localhost", "127.0.0.1", "[::1]", own or socket.gethostname().lower()]
    return [f"{name}:{port}" for name in dict.fromkeys(names)]
