import asyncio
import threading

import pytest

from myapp.refresh import BRIEF, NotYetError, Refresher, TooOldError


class Counter:
    """Returns 1, 2, 3 …, and blocks before each value until the test releases `go`."""

    def __init__(self) -> None:
        self.taken = 0
        self.go = threading.Semaphore(0)

    def __call__(self) -> int:
        self.go.acquire()
        self.taken += 1
        return self.taken


def test_concurrent_callers_share_one_refresh() -> None:
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


def test_a_canceled_caller_does_not_end_the_refresh() -> None:
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


def test_current_returns_immediately() -> None:
    async def scenario() -> None:
        counter = Counter()
        refresher = Refresher(counter)
        for _ in range(3):  # the first refresh is in progress, and blocked
            with pytest.raises(NotYetError):
                refresher.current(age=3600)
        counter.go.release()
        assert await refresher.refresh() == 1
        assert refresher.count == 1
        assert refresher.current(age=3600) == 1
        assert refresher.current(age=-1) == 1  # too old, so the next refresh is in progress, and blocked
        assert refresher.current(age=-1) == 1
        await asyncio.sleep(0)
        assert refresher.count == 2
        counter.go.release()
        assert await refresher.refresh() == 2

    asyncio.run(scenario())


def test_a_watcher_in_another_thread_is_notified() -> None:
    async def scenario() -> None:
        refresher, seen = Refresher(lambda: 1, idle=3600), asyncio.Event()
        running = asyncio.create_task(refresher.run())
        await refresher.refresh()
        threading.Timer(0.2, refresher.watch, ["a page", 0.01, lambda _: seen.set()]).start()
        await asyncio.wait_for(seen.wait(), 60)
        threading.Timer(0.2, refresher.leave, ["a page"]).start()
        while refresher.interval < 3600:
            await asyncio.sleep(0.01)
        running.cancel()

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


def test_a_later_watcher_does_not_wait_for_the_idle_interval() -> None:
    async def scenario() -> None:
        refresher = Refresher(lambda: None, idle=3600)
        running = asyncio.create_task(refresher.run())
        await refresher.refresh()
        again = asyncio.Event()
        refresher.watch("a", 0.01, lambda _: again.set())
        await again.wait()
        running.cancel()

    asyncio.run(scenario())


def test_a_failed_refresh_keeps_the_latest_report(caplog: pytest.LogCaptureFixture) -> None:
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
            refresher.current(age=3600)
        running = asyncio.create_task(refresher.run())
        await third.wait()
        assert refresher.current(age=3600) >= 3
        running.cancel()

    asyncio.run(scenario())
    assert "the refresh failed" in caplog.text
    assert "a page could not be notified of a refresh" in caplog.text


@pytest.mark.parametrize("error", [ValueError("no"), OSError(24, "Too many open files"), KeyError("x")], ids=repr)
def test_watchers_are_notified_of_a_failed_refresh(error: Exception) -> None:
    async def scenario() -> None:
        now: list[int | Exception] = [error]

        def take() -> int:
            if isinstance(now[0], Exception):
                raise now[0]
            return now[0]

        refresher = Refresher(take, well=lambda value: value == 2)
        heard: list[tuple[int | None, bool, bool]] = []
        refresher.watch(
            "a", None, lambda value: heard.append((value, refresher.failure is None, refresher.since is None))
        )
        with pytest.raises(type(error)):
            await refresher.refresh()
        assert refresher.since is not None
        begun = refresher.since = "2026-01-02T03:04:05+00:00"  # some time ago
        now[0] = 1  # also unhealthy
        await refresher.refresh()
        assert refresher.since == begun
        now[0] = 2
        await refresher.refresh()
        assert heard == [(None, False, False), (1, True, False), (2, True, True)]

    asyncio.run(scenario())


def test_the_latest_report_expires_during_a_hanging_refresh(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        monkeypatch.setattr("myapp.refresh.BRIEF", 0.2)
        counter = Counter()
        refresher = Refresher(counter, idle=0.05)
        told, heard = asyncio.Event(), []
        counter.go.release()
        assert await refresher.refresh() == 1
        refresher.watch("a", None, lambda value: (heard.append(value), told.set()))
        running = asyncio.create_task(refresher.run())
        await asyncio.wait_for(told.wait(), 30)  # told that the value is too old: the second refresh hangs
        assert refresher.old
        assert refresher.since is not None
        refresher.leave("nobody")
        await asyncio.sleep(0.05)
        assert heard == [1]  # not notified again while the value is still too old
        with pytest.raises(TooOldError):
            refresher.current(age=3600)
        counter.go.release()
        assert await refresher.refresh() == 2
        running.cancel()

    asyncio.run(scenario())


@pytest.mark.parametrize(("idle", "lasts"), [(0.001, BRIEF), (60, 120)], ids=["briefly", "two intervals"])
def test_limits_of_a_value_and_of_the_first_wait(idle: float, lasts: float, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("myapp.refresh.elapsed", lambda: now[0])

    async def scenario() -> None:
        refresher, first = Refresher(lambda: 1, idle=idle), Refresher(Counter(), idle=idle)
        assert await refresher.refresh() == 1
        with pytest.raises(NotYetError):
            first.current(age=3600)
        now[0] = lasts - 0.01
        assert refresher.current(age=3600) == 1
        with pytest.raises(NotYetError):
            first.current(age=3600)
        now[0] = lasts
        for each in (refresher, first):
            with pytest.raises(TooOldError):
                each.current(age=3600)

    asyncio.run(scenario())


def test_intervals_depend_on_the_slower_refresh() -> None:
    refresher = Refresher(lambda: 0)
    assert refresher.within(60) == 120
    refresher._took = 90
    assert refresher.within(60) == 180


def ignore(_: object) -> None:
    """Watch a refresher, but ignore its values."""
