"""The server: the page at `/`, `/healthz` for machines, and `/report.json` to keep."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import secrets
import socket
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.settings import settings
from tornado.web import RequestHandler

from myapp import diagnostics, imports
from myapp.dashboard import page
from myapp.health import health
from myapp.refresh import Refresher

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tornado.web import Application

    from myapp.report import Report

LIMITS = {  # of Tornado's server: who says nothing keeps no connection, and no request has a body of any size
    "idle_connection_timeout": 60.0,  # seconds; for all headers of a request too
    "body_timeout": 30.0,  # seconds
    "max_body_size": 1 << 20,  # bytes
    "max_header_size": 64 << 10,  # bytes
}
LOOPBACK = r"localhost\.?|127(?:\.\d{1,3}){3}|\[::1\]"
NUMBER = r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]"
FRESH = 30.0  # seconds; a health check that finds an older report has a new one taken, for the next


class Shared(RequestHandler):
    """A handler that answers from the report that all visitors share."""

    def initialize(self, refresher: Refresher[Report]) -> None:
        """Take the refresher, as Tornado hands it over."""
        self.refresher = refresher

    def set_default_headers(self) -> None:
        """Let nobody keep an answer: each says how things are now."""
        self.set_header("Cache-Control", "no-store")


class Health(Shared):
    """`GET /healthz`."""

    async def get(self) -> None:
        """Answer at once from the latest report; the first call after the start waits for it."""
        try:
            status, body = health(await self.refresher.current(FRESH))
        except Exception as error:  # what cannot be examined is not well
            status, body = 503, {"status": "failing", "reason": f"nothing can be said: {error}", "versions": {}}
        self.set_status(status)
        self.write(body)


class Download(Shared):
    """`GET /report.json`."""

    async def get(self) -> None:
        """Answer the latest report, as a file to keep."""
        report = await self.refresher.current(FRESH)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="{report.application}-report.json"')
        self.write(report.to_json())


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


def serve(address: str, port: int, origins: Sequence[str]) -> None:
    """Serve until Ctrl-C or SIGTERM. The first line on standard output is the address.

    Args:
        address: To listen on.
        port: To listen on; 0 is any free one.
        origins: Names, or name:port, that this server is known by; it answers to no other, but to loopback names and
            to addresses. None given: to loopback names where the address is one of loopback, else to any.

    Raises:
        OSError: The address cannot be had.
    """
    refresher = Refresher(diagnostics.take)
    routes = {"refresher": refresher}
    server = pn.serve(
        {"/": lambda: page(refresher)},
        address=address,
        port=port,
        websocket_origin=list(origins) or None,
        extra_patterns=[(r"/healthz", Health, routes), (r"/report\.json", Download, routes)],
        title="myapp",
        show=False,
        start=False,
        http_server_kwargs=dict(LIMITS),
        verbose=False,
        # Who has read the page, and nobody else, may open its connection, whatever the name of this server is.
        sign_sessions=True,
        secret_key=secrets.token_urlsafe(32).encode(),
        generate_session_ids=True,
    )
    # The port of its socket: one that is looked up beforehand may be another's by then. The hosts have it in them, so
    # they are said here; nobody is answered before the loop runs.
    port = server.port
    if not origins:
        settings.allowed_ws_origin = allowed(address, port)
    guard(server._tornado, hosts(address, origins))
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    server.start()
    server.io_loop.add_callback(watch, refresher)
    print(f"myapp is on http://{written(address)}:{port}/", flush=True)
    try:
        server.run_until_shutdown()
    finally:
        imports.kill_all()


def guard(application: Application, names: str | None) -> None:
    """Let an application answer to the names alone, a regular expression; None lets it answer to any."""
    if names is not None:
        application.add_handlers(rf"(?!(?:{names})$).*", [(r".*", Elsewhere)])


def hosts(address: str, origins: Sequence[str]) -> str | None:
    """Return the names that are answered to, without ports, as a regular expression; None stands for any.

    A number is nothing that a name server could lead elsewhere, and the machine knows its own name. Any other has to be
    said, or a page of a stranger's name that leads here could read what is shown (DNS rebinding).
    """
    try:
        number = ipaddress.ip_address("127.0.0.1" if address == "localhost" else address)
    except ValueError:
        number = None
    if "*" in origins:
        return None
    numbers = LOOPBACK if number is not None and number.is_loopback else f"{LOOPBACK}|{NUMBER}"
    names = [re.sub(r":\d+$", "", origin) for origin in origins]
    if number is not None and number.is_unspecified:
        names.append(socket.gethostname())
    if number is None:
        names.append(address)
    return "|".join([numbers, *(re.escape(name.lower()) for name in names)])


async def watch(refresher: Refresher[Any]) -> None:
    """Keep the report up to date for as long as the server runs."""
    _tasks.add(asyncio.create_task(refresher.run()))


_tasks: set[asyncio.Task[None]] = set()  # a loop alone does not keep a task alive


def allowed(address: str, port: int) -> list[str]:
    """Return the hosts that pages may come from to open a connection."""
    try:
        number = ipaddress.ip_address("127.0.0.1" if address == "localhost" else address)
    except ValueError:
        return [f"{address}:{port}"]  # a name
    if not number.is_loopback:
        return ["*"]
    return [f"localhost:{port}", f"127.0.0.1:{port}", f"{written(address)}:{port}"]


def written(address: str) -> str:
    """Write an address as URLs do."""
    return f"[{address}]" if ":" in address else address
