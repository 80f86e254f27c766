"""Refreshes shared by all visitors, one at a time, so that 50 live pages cost no more than one.

Everything runs on one asyncio event loop, except for taking a report, which is heavy and runs in a separate thread.
`watch` and `leave` may be called from any thread: Bokeh 3.10 runs the callbacks of a visitor's controls in others.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")
log = logging.getLogger(__name__)

IDLE = 300.0  # seconds between two refreshes when nobody watches
BRIEF = 5.0  # seconds; a younger value is never too old


class TooOldError(Exception):
    """The latest value is older than two intervals, or there has been no value for that time."""


class NotYetError(Exception):
    """The first refresh has not ended yet, so there is no value."""


class Refresher(Generic[T]):
    """The latest value, its maximum age, and the watchers that want new values."""

    def __init__(self, take: Callable[[], T], idle: float = IDLE, well: Callable[[T], bool] = lambda _: True) -> None:
        """Start without a value.

        Args:
            take: Takes a new value, in a thread; it may be slow.
            idle: Seconds between the starts of two refreshes while nobody watches. A value that is older than twice
                this time, or twice the time of a refresh, is too old.
            well: Reports whether a value is good.
        """
        self.latest: T | None = None
        self.failure: Exception | None = None  # the error of the last refresh
        self.since: str | None = None  # UTC, ISO 8601: when the state became unhealthy; None if it is healthy
        self.count = 0  # refreshes that have begun
        self._take = take
        self._idle = idle
        self._well = well
        self._begun = float("-inf")  # time on the loop's clock
        self._made: float | None = None  # time of the latest value, or of the first request for one, by `elapsed`
        self._took = 0.0  # seconds that the last refresh took
        self._flight: asyncio.Task[T] | None = None
        self._watchers: dict[Hashable, tuple[float | None, Callable[[T | None], None]]] = {}
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None  # the loop of `run`

    @property
    def interval(self) -> float:
        """Seconds between the starts of two refreshes: the shortest time that a watcher wants."""
        return min([self._idle, *(every for every, _ in self._watchers.values() if every is not None)])

    @property
    def age(self) -> float:
        """Seconds since the last refresh began."""
        return asyncio.get_running_loop().time() - self._begun

    @property
    def old(self) -> bool:
        """Whether the latest value is too old to rely on."""
        return self._fresh() <= 0

    def within(self, every: float) -> float:
        """Return the seconds after which a watcher without a new value must assume that refreshes have stopped.

        This is twice the watcher's interval, or twice the time of a refresh, if that is longer.
        """
        return 2 * max(every, self._took)

    def watch(self, who: Hashable, every: float | None, see: Callable[[T | None], None]) -> None:
        """Call `see` with the latest value when there is a new one, a refresh has failed, or the value is too old.

        While the watcher is registered, refreshes start at least every `every` seconds; None asks for no interval.
        """
        self._put(who, (every, see))

    def leave(self, who: Hashable) -> None:
        """Stop calling this watcher. An unknown watcher is not an error."""
        self._put(who, None)

    async def refresh(self) -> T:
        """Return a new value, from the running refresh or, if there is none, from a refresh that begins now.

        Raises:
            Exception: `take` raised it; the latest value stays.
        """
        return await asyncio.shield(self._flight or self._begin())

    def current(self, age: float) -> T:
        """Return the latest value. If it is older than `age`, or there is none, begin a refresh without waiting for it.

        Raises:
            NotYetError: There is no first value yet.
            TooOldError: The value is older than two intervals, or there has been none for that time.
            Exception: `take` raised it in the last refresh.
        """
        if self.age > age and self._flight is None:
            self._begin()
        if self.failure:
            raise self.failure
        if self.old:
            raise TooOldError(f"there is no report from the last {2 * self._idle / 60:g} minutes")
        if self.latest is None:
            raise NotYetError("the first check has not ended yet")
        return self.latest

    async def run(self) -> None:
        """Refresh forever, as often as the watchers want, and tell them when the latest value is too old."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            if self._flight is None and self.age >= self.interval:
                self._begin()
            old = self.old
            waits = [] if self._flight else [self.interval - self.age]
            waits += [] if old else [self._fresh()]
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), max(0.0, min(waits)) if waits else None)
            if self.old and not old:
                self._tell()

    def _put(self, who: Hashable, wish: tuple[float | None, Callable[[T | None], None]] | None) -> None:
        """Store the interval of a watcher, or remove the watcher. The loop does this; any thread may call it."""
        if self._loop is not None and not here(self._loop):
            self._loop.call_soon_threadsafe(self._put, who, wish)
            return
        if wish is None:
            self._watchers.pop(who, None)
        else:
            self._watchers[who] = wish
        self._changed.set()

    def _fresh(self) -> float:
        """Return the seconds until the latest value is too old."""
        if self._made is None:
            self._made = elapsed()
        return self._made + max(BRIEF, self.within(self._idle)) - elapsed()

    def _begin(self) -> asyncio.Task[T]:
        self._flight = asyncio.create_task(self._fly())
        self._flight.add_done_callback(lambda task: task.cancelled() or task.exception())  # _fly has logged it
        return self._flight

    async def _fly(self) -> T:
        self._begun = asyncio.get_running_loop().time()
        self.count += 1
        begin = elapsed()
        try:
            self.latest, self.failure = await aside(self._take), None
            self._made = elapsed()
            self._took = self._made - begin
        except Exception as error:
            log.exception("the refresh failed")
            self.failure = error
            raise
        finally:
            self._flight = None
            self._tell()
            self._changed.set()
        return self.latest

    def _tell(self) -> None:
        well = self.failure is None and self.latest is not None and not self.old and self._well(self.latest)
        self.since = None if well else self.since or datetime.now(UTC).isoformat(timespec="seconds")
        for _, see in list(self._watchers.values()):
            try:
                see(self.latest)
            except Exception:  # a failure of one page must not hide the news from the others
                log.exception("a page could not be notified of a refresh")


def here(loop: asyncio.AbstractEventLoop) -> bool:
    """Report whether the caller runs on this loop."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def elapsed() -> float:
    """Return the time of a clock that includes suspend, if there is one, in seconds."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


async def aside(function: Callable[[], T]) -> T:
    """Call a function in a new daemon thread. It does not keep the process alive, or wait for other calls."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: Exception | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(value)  # type: ignore[arg-type]

    def call() -> None:
        value, wrong = None, None
        try:
            value = function()
        except Exception as error:
            wrong = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, value, wrong)

    threading.Thread(target=call, daemon=True).start()
    return await done
