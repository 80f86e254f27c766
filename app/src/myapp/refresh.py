"""One refresh at a time, shared by everybody: what 50 visitors with a live page have in common.

All of it runs on one asyncio event loop; only the taking of a report, which is heavy, runs in a thread beside it. To
watch and to leave may be asked from any thread: Bokeh 3.10 calls what a visitor's controls call from others.
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
BRIEF = 5.0  # seconds; nothing is too old that is younger


class TooOldError(Exception):
    """The latest value is older than two intervals, or there is none after that time."""


class NotYetError(Exception):
    """The first value is still being taken."""


class Refresher(Generic[T]):
    """The latest value, how old it may get, and who wants to know of a new one."""

    def __init__(self, take: Callable[[], T], idle: float = IDLE, well: Callable[[T], bool] = lambda _: True) -> None:
        """Begin with no value.

        Args:
            take: Takes a new value, in a thread; it may be slow.
            idle: Seconds between the begins of two refreshes while nobody watches. A value that is older than two of
                them, or than two refreshes take, is too old.
            well: Says whether a value is a good one.
        """
        self.latest: T | None = None
        self.failure: Exception | None = None  # of the last refresh
        self.since: str | None = None  # UTC, ISO 8601: when it began not to be well; None where it is
        self.count = 0  # refreshes that were begun
        self._take = take
        self._idle = idle
        self._well = well
        self._begun = float("-inf")  # by the loop's clock
        self._made: float | None = None  # when the latest came, or this object where there is none, by `elapsed`
        self._took = 0.0  # seconds that the last refresh took
        self._flight: asyncio.Task[T] | None = None
        self._watchers: dict[Hashable, tuple[float | None, Callable[[T | None], None]]] = {}
        self._changed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None  # that of `run`

    @property
    def interval(self) -> float:
        """Seconds between the begins of two refreshes, as the most eager watcher wants it."""
        return min([self._idle, *(every for every, _ in self._watchers.values() if every is not None)])

    @property
    def age(self) -> float:
        """Seconds since the last refresh began."""
        return asyncio.get_running_loop().time() - self._begun

    @property
    def old(self) -> bool:
        """Whether the latest value is too old to be believed."""
        return self._fresh() <= 0

    def within(self, every: float) -> float:
        """Return after how many seconds without a new value one who wants it every so many must think that none comes.

        They are two intervals: of the watcher's, or of what a refresh takes, if that is more.
        """
        return 2 * max(every, self._took)

    def watch(self, who: Hashable, every: float | None, see: Callable[[T | None], None]) -> None:
        """Have `see` called with the latest value, when there is a new one, none came of a refresh, or it is too old.

        A new one comes every so many seconds or more often; None: no hurry.
        """
        self._put(who, (every, see))

    def leave(self, who: Hashable) -> None:
        """Call nobody for this watcher any more. One that is not there is no error."""
        self._put(who, None)

    async def refresh(self) -> T:
        """Return a new value: of the refresh that is under way, if there is one, or of one that begins now.

        Raises:
            Exception: What `take` raised; the latest value stays.
        """
        return await asyncio.shield(self._flight or self._begin())

    def current(self, age: float) -> T:
        """Return the latest value; one older than so many seconds, or none, begins a refresh, which nobody waits for.

        Raises:
            NotYetError: The first has not come yet.
            TooOldError: It is older than two intervals, or the first has not come for that time.
            Exception: What `take` raised, if the last refresh came to nothing.
        """
        if self.age > age and self._flight is None:
            self._begin()
        if self.failure:
            raise self.failure
        if self.old:
            raise TooOldError(f"there is no report that is newer than {2 * self._idle / 60:g} minutes")
        if self.latest is None:
            raise NotYetError("the first check is under way")
        return self.latest

    async def run(self) -> None:
        """Refresh for ever, as often as the watchers want it, and tell them when the latest value is too old."""
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
        """Keep what a watcher wants, or forget the watcher; on the loop, whichever thread this is."""
        if self._loop is not None and not here(self._loop):
            self._loop.call_soon_threadsafe(self._put, who, wish)
            return
        if wish is None:
            self._watchers.pop(who, None)
        else:
            self._watchers[who] = wish
        self._changed.set()

    def _fresh(self) -> float:
        """Return the seconds for which the latest value may still be believed."""
        if self._made is None:
            self._made = elapsed()
        return self._made + max(BRIEF, self.within(self._idle)) - elapsed()

    def _begin(self) -> asyncio.Task[T]:
        self._flight = asyncio.create_task(self._fly())
        self._flight.add_done_callback(lambda task: task.cancelled() or task.exception())  # _fly has said it
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
            log.exception("the refresh came to nothing")
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
            except Exception:  # one visitor's page must not keep the news from the others
                log.exception("a page could not be told of a refresh")


def here(loop: asyncio.AbstractEventLoop) -> bool:
    """Say whether this is called on that loop."""
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def elapsed() -> float:
    """Return seconds of a clock that goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()


async def aside(function: Callable[[], T]) -> T:
    """Call a function in a thread of its own, which keeps nobody from ending, and is not kept waiting by others."""
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
