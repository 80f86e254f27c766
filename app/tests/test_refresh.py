import asyncio
import threading

import pytest

from myapp.refresh import Refresher


class Counter:
    """Takes 1, 2, 3 …, each only when it is let go."""

    def __init__(self) -> None:
        self.taken = 0
        self.go = threading.Semaphore(0)

    def __call__(self) -> int:
        self.go.acquire()
        self.taken += 1
        return self.taken


def test_those_who_ask_meanwhile_share_one_refresh() -> None:
    async def scenario() -> None:
        counter = Counter()
        refresher = Refresher(counter)
        asked = [asyncio.create_task(refresher.refresh()) for _ in range(50)]
        await asyncio.sleep(0)
        counter.go.release()
        assert await asyncio.gather(*asked) == [1] * 50
        counter.go.release()
        assert await refresher.refresh() == 2

    asyncio.run(scenario())


def test_one_who_gives_up_does_not_end_the_refresh_of_the_others() -> None:
    async def scenario() -> None:
        counter = Counter()
        refresher = Refresher(counter)
        first, second = (asyncio.create_task(refresher.refresh()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        counter.go.release()
        assert await second == 1
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(scenario())


def test_current_answers_at_once_but_for_the_first_time() -> None:
    async def scenario() -> None:
        counter = Counter()
        refresher = Refresher(counter)
        counter.go.release()
        assert await refresher.current(age=3600) == 1
        assert await refresher.current(age=3600) == 1
        assert await refresher.current(age=-1) == 1  # too old: the next is on its way, and held
        assert await refresher.current(age=-1) == 1
        await asyncio.sleep(0)
        assert refresher.count == 2
        counter.go.release()
        assert await refresher.refresh() == 2

    asyncio.run(scenario())


def test_many_watchers_one_refresh_in_an_interval() -> None:
    async def scenario() -> None:
        seen: list[int] = []
        done = asyncio.Event()
        taken = 0

        def take() -> int:
            nonlocal taken
            taken += 1
            return taken

        def see(value: int) -> None:
            seen.append(value)
            if value == 3 and seen.count(3) == 50:
                done.set()

        refresher = Refresher(take, idle=3600)
        for who in range(50):
            refresher.watch(who, 0.05, see)
        running = asyncio.create_task(refresher.run())
        await done.wait()
        running.cancel()
        assert seen[:150] == [1] * 50 + [2] * 50 + [3] * 50
        assert refresher.count in (3, 4)

    asyncio.run(scenario())


def test_the_most_eager_watcher_sets_the_interval() -> None:
    refresher = Refresher(lambda: 0, idle=300)
    for who, every in (("a", 60.0), ("b", 10.0), ("c", None)):
        refresher.watch(who, every, ignore)
    assert refresher.interval == 10
    refresher.leave("b")
    assert refresher.interval == 60
    refresher.watch("a", None, ignore)
    assert refresher.interval == 300
    refresher.leave("nobody")


def test_a_watcher_who_comes_later_does_not_wait_for_the_idle_interval() -> None:
    async def scenario() -> None:
        refresher = Refresher(lambda: None, idle=3600)
        running = asyncio.create_task(refresher.run())
        await refresher.refresh()
        again = asyncio.Event()
        refresher.watch("a", 0.01, lambda _: again.set())
        await again.wait()
        running.cancel()

    asyncio.run(scenario())


def test_a_refresh_that_fails_keeps_the_latest_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        values = iter([1, 0, *range(3, 1000)])

        def take() -> int:
            value = next(values)
            return value // (value > 0)

        refresher = Refresher(take, idle=0.01)
        third = asyncio.Event()
        refresher.watch("bad", None, lambda _: 1 // 0)
        refresher.watch("good", None, lambda value: third.set() if value == 3 else None)
        assert await refresher.refresh() == 1
        with pytest.raises(ZeroDivisionError):
            await refresher.refresh()
        assert refresher.latest == 1
        with pytest.raises(ZeroDivisionError):
            await refresher.current(age=3600)
        running = asyncio.create_task(refresher.run())
        await third.wait()
        assert await refresher.current(age=3600) >= 3
        running.cancel()

    asyncio.run(scenario())
    assert "the refresh came to nothing" in caplog.text
    assert "a page could not be told of a refresh" in caplog.text


def ignore(_: object) -> None:
    """Watch without looking."""
