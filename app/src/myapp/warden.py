"""The warden of an import test: a script that runs the interpreter and kills all processes that it leaves behind.

    python -I -S warden.py PARENT LIMIT FD COMMAND…

It runs as a process between the server and the interpreter. On Linux it is a subreaper: it inherits every process that
a package starts during its import, in whatever session, once that process's parent has exited. It kills them all. The
warden exits when its parent does, and the interpreter when the warden does. On other systems, only the interpreter's
own session is killed.

The warden writes lines to FD, as the interpreter does: `late` if the interpreter ran for more than LIMIT seconds, and
at the end `exit N` or `signal N`, which is how the interpreter ended.
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

PDEATHSIG, CHILD_SUBREAPER = 1, 36  # options of prctl(2)
TRACE = 2.0  # seconds that a hanging interpreter has to write its traceback
LEFT = 3.0  # seconds to wait for killed processes to exit; one in uninterruptible sleep may not
NICE = 5  # not higher: an import must still finish in time on a busy machine


def give_way() -> None:
    """Lower this process's priority, in favor of processes that serve users.

    If autogroup scheduling is enabled on Linux, nice applies only within a session, so this also sets the session's
    nice value. The kernel allows that only ten times a second for all unprivileged processes together, so it retries.
    """
    os.nice(NICE)
    for _ in range(4):
        try:
            Path("/proc/self/autogroup").write_text(str(NICE))
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:  # no autogroup support
            return
        else:
            return


def prctl(option: int, value: int) -> None:
    """Make the system call prctl. Does nothing except on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class Warden:
    """Runs one interpreter, and tracks all processes that it starts."""

    def __init__(self) -> None:
        """Set up the signal handlers. Does not start the interpreter."""
        self.ended: int | None = None  # the interpreter's wait status
        self.asked = False  # whether SIGTERM was received
        self.woken, wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self.ask)

    def ask(self, *_: object) -> None:
        """Handle SIGTERM."""
        self.asked = True

    def start(self, command: list[str]) -> None:
        """Start the interpreter, in a new session."""
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
        """Wait for the interpreter to exit, or for SIGTERM, and return False if the time is up first."""
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
        """Reap all children that have exited, and report whether any child is left."""
        try:
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == self.pid:
                    self.ended = found[1]
        except ChildProcessError:
            return False
        return True

    def clear(self) -> None:
        """Kill all remaining processes. Repeat until none is left, because this process inherits their children."""
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
    """Run the command, and write how it ended to the report descriptor."""
    warden = Warden()
    prctl(PDEATHSIG, signal.SIGTERM)
    prctl(CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        return
    warden.start(command)
    if not warden.wait(limit):
        os.write(report, b"late\n")
        os.kill(warden.pid, signal.SIGABRT)  # makes faulthandler write a traceback
        warden.wait(TRACE)
    warden.clear()
    if warden.ended is not None:
        code = os.waitstatus_to_exitcode(warden.ended)
        os.write(report, f"signal {-code}\n".encode() if code < 0 else f"exit {code}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
