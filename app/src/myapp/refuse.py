"""Rejects malformed requests with a one-sentence explanation, before Tornado, Bokeh or Panel fail on them.

Anyone who can reach the server can send it anything. A request that none of the server's pages would make is not a
fault of the server, so it must not cause a 500 or a traceback in the log.
"""

from __future__ import annotations

import logging
import time
from traceback import walk_tb
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

from bokeh.util.token import check_token_signature, get_token_payload
from tornado.routing import Matcher, Rule
from tornado.web import RequestHandler

if TYPE_CHECKING:
    from types import TracebackType

    from bokeh.server.tornado import BokehTornado
    from tornado.httputil import HTTPServerRequest

LONGEST = 300  # maximum length of a log line about a request, in characters
Answer = tuple[int, str]  # HTTP status and explanation


class Refused(RequestHandler):
    """Responds to a request that is rejected."""

    def initialize(self, answer: Answer) -> None:
        """Store the response, which Tornado passes."""
        self.answer = answer

    def prepare(self) -> None:
        """Write the response, whatever the request's method."""
        status, sentence = self.answer
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{sentence}\n")

    def check_xsrf_cookie(self) -> None:
        """Skip the check, because the response has nothing that a cookie would protect."""


class Refusable(Matcher):
    """Matches requests that must be rejected."""

    def __init__(self, prefix: str, secret: bytes) -> None:
        """Store the page's path prefix, and the key that signs its sessions."""
        self.socket = f"{prefix}/ws"
        self.secret = secret

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return the response as an argument for the handler, or None if the request is accepted."""
        answer = odd(request) or (opening(request, self.secret) if request.path == self.socket else None)
        return {"target_kwargs": {"answer": answer}} if answer else None


class Brief(logging.Filter):
    """Shortens log records about invalid client data to one line.

    A traceback in the libraries shows only how they parsed the data. A traceback that contains this application's code
    is kept, because it shows a bug here.
    """

    def __init__(self, socket: str = "") -> None:
        """Apply to all records of a logger, or only to those about requests for one path."""
        self.of = f" {socket} " if socket else ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record."""
        said = record.getMessage()
        if said.startswith("Refusing websocket connection from Origin"):  # Bokeh suggests options that do not exist
            what = said.partition(";")[0][:LONGEST]
            record.msg, record.args = f"{what}: MYAPP_ALLOW_ORIGIN or --allow-origin must have the server's names", ()
        if record.exc_info and self.of in said and not ours(record.exc_info[2]):
            why = type(record.exc_info[1]).__name__
            record.msg, record.args = f"{why}: {' '.join(said.split())}"[:LONGEST], ()
            record.exc_info = record.exc_text = None
        return True


def ours(traceback: TracebackType | None) -> bool:
    """Report whether a traceback contains code of this application."""
    frames = (frame for frame, _ in walk_tb(traceback))
    return any(str(frame.f_globals.get("__name__")).startswith("myapp.") for frame in frames)


def install(application: BokehTornado, prefix: str, secret: bytes) -> None:
    """Make an application reject malformed requests before its other handlers run, and shorten its log."""
    application.wildcard_router.rules.insert(0, Rule(Refusable(prefix, secret), Refused))
    for name in ("bokeh.server.views.ws", "bokeh.server.protocol_handler"):
        logging.getLogger(name).addFilter(Brief())
    logging.getLogger("tornado.application").addFilter(Brief(f"{prefix}/ws"))


def odd(request: HTTPServerRequest) -> Answer | None:
    """Return the response to a request that is invalid on every path, or None if the request is valid."""
    if b"\0" in unquote_to_bytes(request.path):
        return 400, "A path cannot contain a NUL."
    if {"bokeh-token", "bokeh-session-id"} & set(request.query_arguments) or "Bokeh-Session-Id" in request.headers:
        return 403, "Only this server chooses the session of a page."
    # Reject all bodies: Bokeh would also accept these arguments from a form.
    if request.headers.get("Content-Length", "0").strip() != "0" or "Transfer-Encoding" in request.headers:
        return 400, "The pages of this server accept no data."
    return None


def opening(request: HTTPServerRequest, secret: bytes) -> Answer | None:
    """Return the response to an invalid request to open a page's connection, or None if the request is valid.

    Bokeh checks the token only after it has opened the connection, and fails with a traceback if it cannot parse it.
    """
    for name in ("Origin", "Sec-Websocket-Origin"):
        try:
            urlsplit(request.headers.get(name, ""))
        except ValueError:
            return 403, "The Origin header of this request is not valid."
    said = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if len(said) != 2 or said[0] != "bokeh" or not signed(said[1], secret):
        return 403, "Only a page that this server has made may open a connection to it."
    return None


def signed(token: str, secret: bytes) -> bool:
    """Report whether this server signed a token, and the token has not expired."""
    try:
        if not check_token_signature(token, secret_key=secret, signed=True):
            return False
        return time.time() < get_token_payload(token)["session_expiry"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # the payload may be invalid
        return False
