"""Measure the dashboard: python tests/bench_dashboard.py [--visitors 50] [--seconds 300].

It prints the time to first paint, and the response times of /healthz and /livez. Then many visitors open the page with
live refresh on, and it prints how often the packages were imported, how much memory the server uses per visitor, and
how much it still uses after they have left. One visitor is a browser that refreshes every 10 s. The others keep the
page's connection open, report that the page is drawn, and read all messages. `--sources` measures another version. To
compare two versions, run them alternately, so that other load on the machine affects both.
"""

import argparse
import asyncio
import json
import os
import statistics
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import serving
from playwright.sync_api import Browser, sync_playwright
from serving import Served, arrive, launch, serve
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

COUNTS = """\
import sys
if "-c" in sys.orig_argv and "import foopack_core\\n" in sys.orig_argv[-1]:
    with open({log!r}, "a") as log:
        log.write("x")
"""
EVERY = "10 s"
GONE = 45  # seconds until Bokeh has surely removed the sessions of visitors who left: twice its own timeout


def painted(browser: Browser, served: Served, times: int = 5) -> list[float]:
    """Return first contentful paint times in milliseconds, each measured with an empty cache."""
    found = []
    for _ in range(times):
        page = browser.new_page()
        arrive(page, served)
        found.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        page.close()
    return found


def asked(served: Served, path: str, times: int = 100) -> list[float]:
    """Return the response times of a path in milliseconds."""
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        served.get(path)
        found.append(1000 * (time.perf_counter() - begin))
    return found


READY = [
    {"msgid": "1", "msgtype": "PATCH-DOC"},
    {},
    {
        "events": [
            {
                "kind": "MessageSent",
                "msg_type": "bokeh_event",
                "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map"}},
            }
        ]
    },
]


async def visit(served: Served) -> WebSocketClientConnection:
    """Load the page, open its connection, and report that the page is drawn, as a browser does."""
    answer = await AsyncHTTPClient().fetch(served.url, request_timeout=300)
    token = answer.body.decode().partition('"token":"')[2].partition('"')[0]
    connection = await websocket_connect(f"ws{served.url[4:]}ws", subprotocols=["bokeh", token])
    for part in READY:
        await connection.write_message(json.dumps(part))
    return connection


class Crowd:
    """Visitors that read all messages from the server, on an event loop in a separate thread."""

    def __init__(self, served: Served, visitors: int) -> None:
        self.told = 0  # page updates received, by all visitors together
        self.lost = 0  # visitors whose connection was closed by the server
        self.here = 0
        self.visitors = visitors
        self.leave = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.look(served, visitors)))
        self.thread.start()

    async def look(self, served: Served, visitors: int) -> None:
        """Connect the visitors one after another, and keep them connected until `leave` is set."""
        watching = []
        for _ in range(visitors):
            watching.append(asyncio.create_task(self.read(await visit(served))))
            self.here += 1
        while not self.leave.is_set():
            await asyncio.sleep(0.1)
        for task in watching:
            task.cancel()

    def leave_when_here(self) -> None:
        """Wait until all visitors are connected, then disconnect them."""
        while self.here < self.visitors:
            time.sleep(0.1)
        time.sleep(5)  # time to receive the first messages
        self.leave.set()
        self.thread.join()

    async def read(self, connection: WebSocketClientConnection) -> None:
        """Read and count messages until the server closes the connection."""
        while (message := await connection.read_message()) is not None:
            self.told += '"PATCH-DOC"' in str(message)
        self.lost += 1


def spread(values: list[float]) -> str:
    """Format the median and the maximum."""
    return f"median {statistics.median(values):.0f} ms, at most {max(values):.0f} ms, of {len(values)}"


def main() -> None:
    """Run all measurements and print the results."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--visitors", type=int, default=50)
    options.add_argument("--seconds", type=float, default=300)
    options.add_argument("--sources", type=Path, help="the folder that has the myapp to measure")
    arguments = options.parse_args()
    with TemporaryDirectory() as site, sync_playwright() as playwright:
        log = Path(site) / "imports"
        (Path(site) / "sitecustomize.py").write_text(COUNTS.format(log=str(log)))
        browser = launch(playwright)
        if arguments.sources:
            serving.SOURCES = arguments.sources.resolve()
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")
        with serve(Path(site)) as served:
            begin = time.perf_counter()
            served.wait()
            print(f"/healthz, no longer starting after: {time.perf_counter() - begin:.1f} s")
            print(f"first paint: {spread(painted(browser, served))}")
            print(f"the page, from the server: {spread(asked(served, '', 20))}")
            for path in ("healthz", "livez"):
                print(f"/{path}: {spread(asked(served, path))}")
            crowd(served, browser, log, arguments.visitors, arguments.seconds)
        browser.close()


def crowd(served: Served, browser: Browser, log: Path, visitors: int, seconds: float) -> None:
    """Connect many visitors for a while, and print what they cost."""
    process = psutil.Process(served.process.pid)
    alone = megabytes(process)
    others = Crowd(served, visitors - 1)
    while others.here < visitors - 1:
        time.sleep(0.1)
    page = browser.new_page()
    arrive(page, served)
    page.get_by_label("every").select_option(EVERY)
    before, begin = len(log.read_text()), time.monotonic()
    while (passed := time.monotonic() - begin) < seconds:
        time.sleep(min(30, seconds))
        slowest = max(asked(served, "healthz", 10))
        memory = megabytes(process)
        told = f"{others.told} changes sent, /healthz at most {slowest:.0f} ms"
        print(f"{passed:4.0f} s: {memory:.0f} MB, {told}", flush=True)
    passed = time.monotonic() - begin
    refreshes = len(log.read_text()) - before
    print(f"{visitors} live visitors, the most eager every {EVERY}: {refreshes} refreshes in {passed:.0f} s")
    print(f"{others.lost} connections were lost")
    more = memory - alone
    print(f"alone {alone:.0f} MB, with {visitors} visitors {more:.0f} MB more, {more / visitors:.2f} MB for each")
    page.close()
    others.leave.set()
    others.thread.join()
    time.sleep(GONE)
    left = megabytes(process)
    Crowd(served, visitors).leave_when_here()
    again = megabytes(process)
    print(f"{GONE} s after they left {left - alone:.0f} MB more than alone; with as many again {again - alone:.0f} MB")


def megabytes(process: psutil.Process) -> float:
    """Return the process's resident memory, in MB."""
    return process.memory_info().rss / 1e6


if __name__ == "__main__":
    main()
