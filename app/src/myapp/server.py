"""The server: the page at `/`, `/healthz` for machines, and `/report.json` to keep."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
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

    from myapp.report import Report

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


def serve(address: str, port: int, origins: Sequence[str]) -> None:
    """Serve until Ctrl-C or SIGTERM. The first line on standard output is the address.

    Args:
        address: To listen on.
        port: To listen on; 0 is any free one.
        origins: Names, or name:port, that browsers may know this server by. None given: loopback names where the
            address is one of loopback, else any.

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
    logging.getLogger("tornado.access").setLevel(logging.ERROR)
    server.start()
    server.io_loop.add_callback(watch, refresher)
    print(f"myapp is on http://{written(address)}:{port}/", flush=True)
    try:
        server.run_until_shutdown()
    finally:
        imports.kill_all()


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
