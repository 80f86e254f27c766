"""Tests requests of an attacker to a real server."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from bokeh.util.token import generate_jwt_token, generate_session_id
from serving import Served, serve
from tornado.websocket import WebSocketClosedError, websocket_connect

from myapp import refuse, server

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = b"a secret of this test alone"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Path]]:
    """A server with empty packages, and the file with its standard error."""
    site = tmp_path_factory.mktemp("site")
    for module in ("foopack_core", "foopack_extras", "foopack_ui"):
        (site / f"{module}.py").touch()
    log = site / "log"
    with serve(site, log=log) as served:
        served.wait()
        yield served, log


def token(served: Served) -> str:
    """Return the token with which a page opens its connection."""
    found = re.search('"token":"([^"]+)"', served.get("")[1])
    assert found
    return found[1]


def send(served: Served, request: bytes) -> int:
    """Send a raw request; return the response status, or 0 if the connection is closed without a response."""
    parts = urlsplit(served.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=60) as connection:
        connection.sendall(request.replace(b"HOST", parts.netloc.encode()))
        try:
            answer = connection.recv(100)
        except ConnectionResetError:
            answer = b""
    return int(answer.split()[1]) if answer else 0


def get(path: str = "/", *headers: str) -> bytes:
    """Format a request."""
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: HOST", *headers, "", ""]).encode("latin-1")


def opens(*headers: str, version: str = "13") -> bytes:
    """Format the request that opens a page's connection."""
    upgrade = ["Upgrade: websocket", "Connection: Upgrade", KEY, f"Sec-WebSocket-Version: {version}"]
    return get("/ws", *upgrade, *headers)


def forged(said: bytes) -> str:
    """Format the header of a connection request with a forged token that has this payload."""
    return f"Sec-WebSocket-Protocol: bokeh, {base64.urlsafe_b64encode(said).decode().rstrip('=')}"


REQUESTS = [
    (get("/static/%00"), 400),
    (get("/static/extensions/panel/%00.js"), 400),
    (get("/static/js/bokeh.min.js%00"), 400),
    (get("/static/%ff"), 400),
    (get("/%ff%fe"), 404),
    (get("/\xff\xfe"), 404),
    (get("/static/%2e%2e/%2e%2e/etc/passwd"), 403),
    (get("/?bokeh-token=abc"), 403),
    (get("/?bokeh-token="), 403),
    (get("/?bokeh-token=e30"), 403),
    (get("/?x=%ff"), 200),
    (get("/?bokeh-session-id=%ff"), 403),
    (get("/?bokeh-session-id=a&bokeh-token=b"), 403),
    (get("/autoload.js?bokeh-autoload-element=a&bokeh-token=abc"), 403),
    (get("/", "Bokeh-Session-Id: abc"), 403),
    (get("/", "Host: evil.example"), 400),
    (get("/", "Cookie: a=\xff; =; ;;; user="), 200),
    (get("/", "X-Forwarded-For: [, ::::, 999", "X-Forwarded-Proto: javascript:x", "X-Forwarded-Host: ["), 200),
    (get("/", "Content-Length: -1"), 400),
    (get("/", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 15") + b"bokeh-token=abc", 400),
    (get("/", "Content-Type: application/x-www-form-urlencoded", "Content-Length: 20") + b"bokeh-session-id=abc", 400),
    (get("/", f"X: {'a' * 100_000}"), 0),
    (b"GET / HTTP/1.1\r\nHost: [\r\n\r\n", 421),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    (get("/ws"), 403),
    (opens(), 403),
    (opens("Sec-WebSocket-Protocol: bokeh"), 403),
    (opens("Sec-WebSocket-Protocol: chat, TOKEN"), 403),
    (opens("Sec-WebSocket-Protocol: bokeh, TOKEN, TOKEN"), 403),
    (opens("Sec-WebSocket-Protocol: bokeh, TOKENx"), 403),
    (opens("Sec-WebSocket-Protocol: bokeh, \xff"), 403),
    (opens("Sec-WebSocket-Protocol: bokeh, a.b.c"), 403),
    (opens(f"Sec-WebSocket-Protocol: bokeh, {'a' * 50_000}"), 403),
    (opens(forged(b"{}")), 403),
    (opens(forged(b"[1]")), 403),
    (opens(forged(b"1")), 403),
    (opens(forged(b"[" * 40_000) + ".x"), 403),
    (opens(forged(b"\xff\xfe")), 403),
    (opens(forged(b'{"session_id":null,"session_expiry":9999999999}')), 403),
    (opens(forged(b'{"session_id":"a","session_expiry":9999999999}')), 403),
    (opens("Origin: http://[", "Sec-WebSocket-Protocol: bokeh, TOKEN"), 403),
    (opens("Origin: http://a]:1", "Sec-WebSocket-Protocol: bokeh, TOKEN"), 403),
    (opens("Origin: http://evil.example", "Sec-WebSocket-Protocol: bokeh, TOKEN"), 403),
    (opens("Origin: null", "Sec-WebSocket-Protocol: bokeh, TOKEN"), 403),
    (opens("Sec-WebSocket-Protocol: bokeh, TOKEN", version="x"), 426),
    (opens("Sec-WebSocket-Protocol: bokeh, TOKEN", "Sec-WebSocket-Extensions: ;;=,"), 101),
    (opens("Sec-WebSocket-Protocol: bokeh, TOKEN", "Origin: http://HOST"), 101),
]


def test_hostile_requests(running: tuple[Served, Path]) -> None:
    served, log = running
    good = token(served).encode()
    for request, status in REQUESTS:
        assert send(served, request.replace(b"TOKEN", good)) == status, request[:200]
        assert "Traceback" not in log.read_text(), request[:200]
    assert served.get("livez")[0] == 200


HEADER = ['{"msgid":"1","msgtype":"PATCH-DOC"}', "{}"]
MESSAGES: list[list[str | bytes]] = [
    [""],
    ["null"],
    ['{"msgid":1}'],
    ['{"msgid":"1","msgtype":"NOPE"}', "{}", "{}"],
    [b"\xff" * 1000],
    ["9" * 100_000],
    ['{"a":' * 5000],
    [*HEADER, "[]"],
    [*HEADER, '{"events":[{"kind":"Nope"}]}'],
    [*HEADER, '{"events":[{"kind":"ModelChanged","model":{"id":"nope"},"attr":"x","new":1}]}'],
    ["x" * (3 << 20)],  # the server closes the connection
]


def test_hostile_messages_and_silent_connections(running: tuple[Served, Path]) -> None:
    served, log = running
    weighs = resident(served.process.pid)

    async def attack() -> None:
        url, protocols = f"ws{served.url[4:]}ws", ["bokeh", token(served)]
        many = [await websocket_connect(url, subprotocols=protocols) for _ in range(200)]
        for connection, parts in zip(many, MESSAGES, strict=False):
            for part in parts:
                try:
                    await connection.write_message(part, binary=isinstance(part, bytes))
                except WebSocketClosedError:
                    break
        huge = many[len(MESSAGES) - 1]
        while await asyncio.wait_for(huge.read_message(), 60) is not None:
            pass
        assert (await asyncio.to_thread(served.get, "livez"))[0] == 200
        for connection in many:
            connection.close()

    asyncio.run(attack())
    assert "Traceback" not in log.read_text()
    assert max(map(len, log.read_text().splitlines())) < 1000
    assert resident(served.process.pid) - weighs < 50 << 20
    assert served.process.poll() is None


def resident(process: int) -> int:
    """Return a process's resident memory, in bytes."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize(
    ("made", "well"),
    [
        (generate_jwt_token(generate_session_id(SECRET, signed=True), SECRET, signed=True, expiration=86400), True),
        (generate_jwt_token(generate_session_id(SECRET, signed=True), SECRET, signed=True, expiration=-1), False),
        (generate_jwt_token(generate_session_id(b"x", signed=True), b"x", signed=True, expiration=86400), False),
        (generate_jwt_token("a", signed=False, expiration=86400), False),
        ("", False),
        ("e30", False),
        ("\N{EURO SIGN}", False),
    ],
)
def test_our_tokens(made: str, well: bool) -> None:
    assert refuse.signed(made, SECRET) is well


def failing(where: dict[str, object]) -> logging.LogRecord:
    """Make a log record of an error raised by code with these globals."""
    try:
        exec("raise ValueError('x')", where)
    except ValueError:
        told = f"error handling\n message {'y' * 1000}"
        return logging.LogRecord("bokeh", logging.ERROR, "x", 1, told, (), sys.exc_info())
    raise AssertionError


def test_an_internal_error_keeps_its_traceback() -> None:
    theirs, other, own = (failing({"__name__": name}) for name in ("bokeh.x", "bokeh.x", server.__name__))
    assert all(refuse.Brief().filter(each) for each in (theirs, own))
    assert refuse.Brief("/ws").filter(other)
    assert (theirs.exc_info, len(theirs.getMessage())) == (None, refuse.LONGEST)
    assert theirs.getMessage().startswith("ValueError: error handling message yyy")
    assert own.exc_info
    assert other.exc_info  # unchanged, because the record is about another path


def test_a_refused_origin_is_told_an_existing_option() -> None:
    said = "Refusing websocket connection from Origin '%s';     use --allow-websocket-origin=%s to permit this"
    record = logging.LogRecord("bokeh", logging.ERROR, "", 0, said, ("http://evil.com", "evil.com"), None)
    assert refuse.Brief().filter(record)
    assert record.getMessage() == (
        "Refusing websocket connection from Origin 'http://evil.com': "
        "MYAPP_ALLOW_ORIGIN or --allow-origin must have the server's names"
    )
