"""What no page of this server asks: answered in a sentence, before Tornado, Bokeh or Panel would stumble over it.

Whoever can reach the server can send it anything. None of that is a fault of the server, so none of it is a 500 or a
traceback in the log.
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

LONGEST = 300  # characters of a line in the log about what somebody has sent
Answer = tuple[int, str]  # HTTP status and sentence


class Refused(RequestHandler):
    """Answers a request that is none."""

    def initialize(self, answer: Answer) -> None:
        """Take the answer, as Tornado hands it over."""
        self.answer = answer

    def prepare(self) -> None:
        """Give it, whatever the method is."""
        status, sentence = self.answer
        self.set_status(status)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{sentence}\n")

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that a cookie would protect."""


class Refusable(Matcher):
    """Matches requests that no page asks."""

    def __init__(self, prefix: str, secret: bytes) -> None:
        """Know below which path the page is, and with which key its sessions are signed."""
        self.socket = f"{prefix}/ws"
        self.secret = secret

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return the answer for the handler; None: the request may go on."""
        answer = odd(request) or (opening(request, self.secret) if request.path == self.socket else None)
        return {"target_kwargs": {"answer": answer}} if answer else None


class Brief(logging.Filter):
    """Has one short line in the log for what a connection brought that is none of our page's.

    A traceback would only tell how it was read. One that leads through this application tells of a fault of ours, and
    stays.
    """

    def __init__(self, socket: str = "") -> None:
        """Look at all that a logger says, or only at what it says of requests for one path."""
        self.of = f" {socket} " if socket else ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten it."""
        said = record.getMessage()
        if said.startswith("Refusing websocket connection from Origin"):  # Bokeh names options that this server has not
            what = said.partition(";")[0][:LONGEST]
            record.msg, record.args = f"{what}: MYAPP_ALLOW_ORIGIN, or --allow-origin, says its names", ()
        if record.exc_info and self.of in said and not ours(record.exc_info[2]):
            why = type(record.exc_info[1]).__name__
            record.msg, record.args = f"{why}: {' '.join(said.split())}"[:LONGEST], ()
            record.exc_info = record.exc_text = None
        return True


def ours(traceback: TracebackType | None) -> bool:
    """Report whether code of this application was under way."""
    frames = (frame for frame, _ in walk_tb(traceback))
    return any(str(frame.f_globals.get("__name__")).startswith("myapp.") for frame in frames)


def install(application: BokehTornado, prefix: str, secret: bytes) -> None:
    """Let an application refuse such requests before anything else in it sees them."""
    application.wildcard_router.rules.insert(0, Rule(Refusable(prefix, secret), Refused))
    for name in ("bokeh.server.views.ws", "bokeh.server.protocol_handler"):
        logging.getLogger(name).addFilter(Brief())
    logging.getLogger("tornado.application").addFilter(Brief(f"{prefix}/ws"))


def odd(request: HTTPServerRequest) -> Answer | None:
    """Say what is wrong with a request for whatever path; None: nothing."""
    if b"\0" in unquote_to_bytes(request.path):
        return 400, "There is no path with a NUL in it."
    if {"bokeh-token", "bokeh-session-id"} & set(request.query_arguments) or "Bokeh-Session-Id" in request.headers:
        return 403, "A page gets its session from this server: none can be asked for."
    # A form would bring arguments of these names, too, which are read behind us.
    if request.headers.get("Content-Length", "0").strip() != "0" or "Transfer-Encoding" in request.headers:
        return 400, "Nothing can be sent to a page of this server."
    return None


def opening(request: HTTPServerRequest, secret: bytes) -> Answer | None:
    """Say why a page's connection cannot be opened; None: it can, as far as can be seen here.

    Bokeh looks at the token when the connection is open, and takes one that cannot be read for a fault of its own.
    """
    for name in ("Origin", "Sec-Websocket-Origin"):
        try:
            urlsplit(request.headers.get(name, ""))
        except ValueError:
            return 403, "The page's address, its origin, is none."
    said = [each.strip() for each in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if len(said) != 2 or said[0] != "bokeh" or not signed(said[1], secret):
        return 403, "Only a page that this server has made may open a connection to it."
    return None


def signed(token: str, secret: bytes) -> bool:
    """Report whether a token is one that this server has made, and is not too old."""
    try:
        if not check_token_signature(token, secret_key=secret, signed=True):
            return False
        return time.time() < get_token_payload(token)["session_expiry"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # it is read before its signature is
        return False
