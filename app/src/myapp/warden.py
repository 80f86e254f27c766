"""The warden of one import test: a script that runs the interpreter, and ends with nothing of it left.

    python -I -S warden.py PARENT LIMIT FD COMMAND…

It is a process between the server and the interpreter, so that neither has to know of it: what a package starts while
it is imported, in whatever session, becomes the warden's child at the latest when its own parent ends, and is killed.
The warden ends with its parent, and the interpreter with the warden. On Linux, that is: elsewhere the interpreter's own
session is what is killed.

Lines go to FD, to which the interpreter writes too: `late` where LIMIT seconds were not enough, and at the end `exit N`
or `signal N`, as the interpreter ended.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

PDEATHSIG, CHILD_SUBREAPER = 1, 36  # of prctl
TRACE = 2.0  # seconds for an interpreter to say where it hangs
LEFT = 3.0  # seconds for what is killed to go; what the kernel does not let go is left
NICE = 5  # not more: on a busy machine an import must still be done in its time


def give_way() -> None:
    """Run after what serves people.

    Where Linux schedules by sessions (autogroup), a process is nice within its own alone, so the session is told, too.
    Who is not root may do so ten times a second, all sessions together.
    """
    os.nice(NICE)
    for _ in range(4):
        try:
            Path("/proc/self/autogroup").write_text(str(NICE))
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:  # there are no such groups here
            return
        else:
            return


def prctl(option: int, value: int) -> None:
    """Tell the kernel about this process. Only Linux has that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class Warden:
    """One interpreter, and all that comes of it."""

    def __init__(self) -> None:
        """Have signals wake this process up, and wait for nobody yet."""
        self.ended: int | None = None  # the interpreter's status, as waitpid gives it
        self.asked = False  # to end, by SIGTERM
        self.woken, wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self.ask)

    def ask(self, *_: object) -> None:
        """Take notice that this is to end."""
        self.asked = True

    def start(self, command: list[str]) -> None:
        """Start the interpreter, in a session of its own."""
        warden = os.getpid()
        self.pid = os.fork()
        if self.pid:
            return
        try:
            os.setsid()
            give_way()
            prctl(PDEATHSIG, signal.SIGKILL)
            if os.getppid() == warden:
                os.execv(command[0], command)
        finally:
            os._exit(127)

    def wait(self, seconds: float) -> bool:
        """Wait for the interpreter, and report whether it ended in time."""
        until = time.monotonic() + seconds
        while self.reap() and self.ended is None and not self.asked:
            left = until - time.monotonic()
            if left <= 0:
                return False
            select.select([self.woken], [], [], left)
            with suppress(BlockingIOError):
                os.read(self.woken, 4096)
        return True

    def reap(self) -> bool:
        """Take leave of every child that has ended, and report whether any is left."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == self.pid:
                    self.ended = found[1]
        except ChildProcessError:
            return False
        return True

    def clear(self) -> None:
        """Kill whatever is left. The children of who is killed become our own, so this is done until there is none."""
        until = time.monotonic() + LEFT
        own = Path(f"/proc/self/task/{os.getpid()}/children")
        while True:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            if not self.reap() or time.monotonic() > until:
                return
            with suppress(OSError):
                for child in own.read_text().split():
                    with suppress(OSError):
                        os.kill(int(child), signal.SIGKILL)
            select.select([self.woken], [], [], 0.05)
            with suppress(BlockingIOError):
                os.read(self.woken, 4096)


def main(parent: int, limit: float, report: int, command: list[str]) -> None:
    """Run the command, and say how it ended."""
    warden = Warden()
    prctl(PDEATHSIG, signal.SIGTERM)
    prctl(CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        return
    warden.start(command)
    if not warden.wait(limit):
        os.write(report, b"late\n")
        os.kill(warden.pid, signal.SIGABRT)  # faulthandler writes where it is
        warden.wait(TRACE)
    warden.clear()
    if warden.ended is not None:
        code = os.waitstatus_to_exitcode(warden.ended)
        os.write(report, f"signal {-code}\n".encode() if code < 0 else f"exit {code}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
