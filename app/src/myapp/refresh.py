"""One refresh at a time, shared by everybody: what 50 visitors with a live page have in common.

All of it runs on one asyncio event loop; only the taking of a report, which is heavy, runs in a thread beside it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

T = TypeVar("T")
log = logging.getLogger(__name__)

IDLE = 300.0  # seconds between two refreshes when nobody watches


class Refresher(Generic[T]):
    """The latest value, how old it may get, and who wants to know of a new one."""

    def __init__(self, take: Callable[[], T], idle: float = IDLE) -> None:
        """Begin with no value.

        Args:
            take: Takes a new value, in a thread; it may be slow.
            idle: Seconds between the begins of two refreshes while nobody watches.
        """
        self.latest: T | None = None
        self.count = 0  # refreshes that were begun
        self._take = take
        self._idle = idle
        self._begun = float("-inf")  # by the loop's clock
        self._flight: asyncio.Task[T] | None = None
        self._failure: Exception | None = None  # of the last refresh
        self._watchers: dict[Hashable, tuple[float | None, Callable[[T], None]]] = {}
        self._changed = asyncio.Event()

    @property
    def interval(self) -> float:
        """Seconds between the begins of two refreshes, as the most eager watcher wants it."""
        return min([self._idle, *(every for every, _ in self._watchers.values() if every is not None)])

    @property
    def age(self) -> float:
        """Seconds since the last refresh began."""
        return asyncio.get_running_loop().time() - self._begun

    def watch(self, who: Hashable, every: float | None, see: Callable[[T], None]) -> None:
        """Have `see` called with each new value, which comes every so many seconds or more often; None: no hurry."""
        self._watchers[who] = (every, see)
        self._changed.set()

    def leave(self, who: Hashable) -> None:
        """Call nobody for this watcher any more. One that is not there is no error."""
        self._watchers.pop(who, None)
        self._changed.set()

    async def refresh(self) -> T:
        """Return a new value: of the refresh that is under way, if there is one, or of one that begins now.

        Raises:
            Exception: What `take` raised; the latest value stays.
        """
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        return await asyncio.shield(self._flight)

    async def current(self, age: float) -> T:
        """Return the latest value at once; one older than so many seconds begins a refresh. The first waits for it.

        Raises:
            Exception: What `take` raised, if the last refresh came to nothing.
        """
        if self.latest is None:
            return await self.refresh()
        if self.age > age and self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        if self._failure:
            raise self._failure
        return self.latest

    async def run(self) -> None:
        """Refresh for ever, as often as the watchers want it."""
        while True:
            self._changed.clear()
            wait = self.interval - self.age
            if wait > 0:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), wait)
                continue
            with suppress(Exception):  # _fly has said it
                await self.refresh()

    async def _fly(self) -> T:
        self._begun = asyncio.get_running_loop().time()
        self.count += 1
        try:
            self.latest, self._failure = await asyncio.to_thread(self._take), None
        except Exception as error:
            log.exception("the refresh came to nothing")
            self._failure = error
            raise
        finally:
            self._flight = None
        for _, see in list(self._watchers.values()):
            try:
                see(self.latest)
            except Exception:  # one visitor's page must not keep the news from the others
                log.exception("a page could not be told of a refresh")
        return self.latest
