"""The server: the page at `/`, `/livez` and `/healthz` for machines, and `/report.json` to keep."""

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

# Of the server of Tornado: who says nothing keeps no connection, and no request has a body of any size.
LIMITS: dict[str, Any] = {
    "idle_connection_timeout": 60.0,  # seconds; for all headers of a request too
    "body_timeout": 30.0,  # seconds
    "max_body_size": 1 << 20,  # bytes
    "max_header_size": 64 << 10,  # bytes
}
LOOPBACK = r"localhost\.?|127(?:\.\d{1,3}){3}|\[::1\]"
NUMBER = r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]"
GRACE = 4.0  # seconds for what runs to end, once the server is to; a container is killed after ten
HOUR = 3600.0  # seconds
log = logging.getLogger(__name__)


class Plain(RequestHandler):
    """A handler whose answers nobody is to keep: each says how things are now."""

    def set_default_headers(self) -> None:
        """Say so."""
        self.set_header("Cache-Control", "no-store")

    async def head(self) -> None:
        """Answer what GET does; Tornado leaves the body out."""
        await self.get()  # type: ignore[misc]


class Live(Plain):
    """`GET /livez`: the process answers. It asks nothing, and is never another."""

    async def get(self) -> None:
        """Say so."""
        self.write(ALIVE)


class Shared(Plain):
    """A handler that answers from the report that all visitors share."""

    def initialize(self, refresher: Refresher[Report]) -> None:
        """Take the refresher, as Tornado hands it over."""
        self.refresher = refresher

    def report(self) -> Report | None:
        """Return the report; None, and the answer is given, where there is none that says how things are now."""
        try:
            return self.refresher.current(IDLE)
        except Exception as error:  # what cannot be examined is not well
            kind = "starting" if isinstance(error, NotYetError) else "failing"
            status, body = unknown(error, self.refresher.latest, self.refresher.since, kind)
            self.set_status(status)
            self.write(body)
            return None


class Health(Shared):
    """`GET /healthz`."""

    async def get(self) -> None:
        """Answer from the latest report, or that there is none yet."""
        if report := self.report():
            status, body = health(report, self.refresher.since)
            self.set_status(status)
            self.write(body)


class Download(Shared):
    """`GET /report.json`."""

    async def get(self) -> None:
        """Answer the latest report, as a file to keep."""
        if report := self.report():
            self.set_header("Content-Type", "application/json; charset=utf-8")
            self.set_header("Content-Disposition", f'attachment; filename="{report.application}-report.json"')
            self.write(report.to_json())


class Script(Plain):
    """The page's own script. Not in the page, for whoever allows no other than this (script-src 'self')."""

    async def get(self) -> None:
        """Answer it."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.write(text("again.js"))


class There(Plain):
    """`HEAD /`: there is a page. To ask for it makes none."""

    async def head(self) -> None:
        """Say of what kind it is."""
        self.set_header("Content-Type", "text/html; charset=utf-8")


class Above(There):
    """`/` where the page is below a prefix: who asks without a proxy is led there."""

    def initialize(self, page: str) -> None:
        """Take the path of the page, as Tornado hands it over."""
        self.page = page

    async def get(self) -> None:
        """Lead there."""
        self.redirect(self.page)


class HeadOf(Matcher):
    """Matches the method HEAD for one path."""

    def __init__(self, path: str) -> None:
        """Match this path."""
        self.path = path

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return what Tornado is to hand over; None: it is another request."""
        return {} if request.method == "HEAD" and request.path == self.path else None


class Elsewhere(RequestHandler):
    """Whatever is asked of a name that is not this server's, as by a page of that name (DNS rebinding)."""

    def prepare(self) -> None:
        """Answer with a sentence, whatever the method is."""
        self.set_status(421)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(
            "This server does not answer to that name. MYAPP_ALLOW_ORIGIN, or --allow-origin, says its names.\n"
        )

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that a cookie would protect."""


def serve(address: str, port: int, origins: Sequence[str], prefix: str = "", ask: str = "") -> None:
    """Serve until Ctrl-C or SIGTERM. The first line on standard output is the address.

    Args:
        address: To listen on; "" stands for all of this machine.
        port: To listen on; 0 is any free one.
        origins: Names, or name:port, that this server is known by; it answers to no other, but to loopback names and
            to addresses. None given: to loopback names where the address is one of loopback, else to any.
        prefix: The path below which a proxy asks for everything; machines may also ask without it.
        ask: The channel, a URL, that is asked whether there is something newer; "": none is.

    Raises:
        OSError: The address cannot be had.
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
        # Who has read the page, and nobody else, may open its connection, whatever the name of this server is.
        sign_sessions=True,
        secret_key=secret,
        generate_session_ids=True,
        websocket_max_message_size=LIMITS["max_body_size"],
    )
    # The port of its socket: one that is looked up beforehand may be another's by then. The hosts have it in them, so
    # they are said here; nobody is answered before the loop runs.
    port = server.port
    if origins:
        server._tornado.websocket_origins.update(own_names(address, port))
    else:
        bokeh.allowed_ws_origin = allowed(address, port)
    if prefix:
        server._tornado.wildcard_router.add_rules([*own, (r"/", Above, {"page": f"{prefix}/"})])  # within the guard
    server._tornado.wildcard_router.rules.insert(0, Rule(HeadOf(f"{prefix}/"), There))
    refuse.install(server._tornado, prefix, secret)
    guard(server._tornado, hosts(address, origins))
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    warm(shared, server._tornado.resources())
    # Bokeh collects garbage for each session that ends, and would look at all that was imported each time.
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
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            loop.asyncio_loop.add_signal_handler(number, loop.stop)
    say(f"myapp is on http://{settings.written(address)}:{port}{prefix}/")
    try:
        loop.start()
    finally:
        leave(server)


def warm(shared: Pieces, resources: Resources) -> None:
    """Make a page that nobody asked for: what the first one takes longer than others is done before anybody waits."""
    document = Document()
    with set_curdoc(document):
        Visit(shared)
        bundle_resources(document.roots, resources)  # which reads what it names
    for each in document.session_destroyed_callbacks:
        each(None)  # type: ignore[arg-type]
    document.clear()


def examine(sample: Sample) -> Report:
    """Take a report, with whether the sample can be drawn here.

    That is tried where all packages import in an interpreter of their own: one that crashes or hangs there would do so
    here, too.
    """
    report = diagnostics.take()
    return report if any(each.error for each in report.imports) else replace(report, sample=sample.attempt())


def installed() -> dict[str, str | None]:
    """Return the version of the application, and of the packages that it pins."""
    declared = requirements.project()
    pinned = {each.name: each.installed for each in requirements.walk(declared) if each.kind == PINNED}
    return pinned | {declared.name: declared.version}


def say(line: str) -> None:
    """Print a line, if anybody reads standard output."""
    with suppress(OSError, ValueError):
        print(line, flush=True)


def leave(server: pn.io.server.Server) -> None:
    """End what runs, within the grace, and the process with it if anything stays."""
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
        with suppress(OSError):  # nobody reads it: what is left goes nowhere, or Python would complain of it
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1 if stream is sys.stdout else 2)
    if threading.active_count() > 1:  # one that loads a package, say, and would be torn out of the middle of it
        os._exit(0)


def calm() -> None:
    """Begin on the loop what Panel would begin by itself when a visitor first uses a control.

    Of Panel 1.10 and Bokeh 3.10 that may be in a thread, where it tries again for ever without a pause. What the loop
    runs every so often begins it, too.
    """
    pn.state.add_periodic_callback(lambda: None, period=1, count=1)


async def bury() -> None:
    """Take leave of processes that have ended, as the first process of a container has to, for as long as it runs."""
    before: set[int] = set()
    _tasks.add(asyncio.current_task())
    while True:
        before = zombies(os.getpid(), before)
        await asyncio.sleep(30)


def zombies(parent: int, before: set[int]) -> set[int]:
    """Take leave of those children that had ended before and that nobody has asked for since; return those that have.

    A first process inherits what others leave behind, and who started a child of its own asks for it soon.
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
    """Let an application answer to the names alone, a regular expression; None lets it answer to any."""
    if names is not None:
        application.add_handlers(rf"(?!(?:{names})$).*", [(r".*", Elsewhere)])


def hosts(address: str, origins: Sequence[str]) -> str | None:
    """Return the names that are answered to, without ports, as a regular expression; None stands for any.

    A number is nothing that a name server could lead elsewhere, and the machine knows its own name. Any other has to be
    said, or a page of a stranger's name that leads here could read what is shown (DNS rebinding).
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
    """Return an address as a number; None for a name."""
    try:
        return ipaddress.ip_address({"localhost": "127.0.0.1", settings.EVERY: "0.0.0.0"}.get(address, address))
    except ValueError:
        return None


async def watch(refresher: Refresher[Any]) -> None:
    """Keep the report up to date for as long as the server runs."""
    _tasks.add(asyncio.create_task(refresher.run()))


_tasks: set[asyncio.Task[None] | None] = set()  # a loop alone does not keep a task alive


def allowed(address: str, port: int) -> list[str]:
    """Return the hosts that pages may come from to open a connection."""
    number = number_of(address)
    return own_names(address, port) if number is None or number.is_loopback else ["*"]


def own_names(address: str, port: int) -> list[str]:
    """Return the hosts by which a page is asked for on this machine itself, whatever names others have for it.

    Who is answered with a page by one of them is to have its connection, too.
    """
    own = "" if settings.is_every(address) else settings.written(address)
    names = ["localhost", "127.0.0.1", "[::1]", own or socket.gethostname().lower()]
    return [f"{name}:{port}" for name in dict.fromkeys(names)]
