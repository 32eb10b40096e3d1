"""The foreman of a part that has several workers: forks them, starts the dead again, and ends with the part.

The workers share the part's listening sockets; whoever is free takes the next connection. Like the supervisor, the
foreman runs no event loop, and it starts none of the threads that forking would lose.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from xnai_validate.demo.processes.parent_death import end_with_parent

RESTART_AFTER_S = 0.3
"""Seconds between the death of a worker and its new start."""
GRACE_S = 1.1
"""Seconds that workers have to end before they are killed: less than the supervisor gives the whole part."""

Become = Callable[[int, Callable[[], None]], NoReturn]
"""The worker's side of a fork: its number, and what to call once it serves. Never returns."""


class Foreman:
    """Keeps `count` workers of one part alive until SIGTERM; the part is ready once each of them is."""

    def __init__(self, count: int, become: Become, bury: Callable[[int], None], ends_after_s: float | None) -> None:
        """`bury` is told the process id of each worker that has ended; `ends_after_s` is a crash that is to come."""
        self._count = count
        self._become = become
        self._bury = bury
        self._ends_at = None if ends_after_s is None else time.monotonic() + ends_after_s
        self._workers: dict[int, int] = {}
        """Process id -> number."""
        self._due: dict[int, float] = {}
        """Number -> when it is started again."""
        self._awaited = set(range(count))
        self._stopping = False
        self._ready_read, self._ready_write = os.pipe()
        self._woken, self._wake = socket.socketpair()
        for end in (self._woken, self._wake):
            end.setblocking(False)

    def run(self, ready: Callable[[], None]) -> None:
        """Run the workers; returns when it was told to stop and none is left."""
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._told_to_stop)
        signal.signal(signal.SIGCHLD, _nothing)
        for number in range(self._count):
            self._fork(number)
        while self._awaited and not self._stopping:
            self._wait()
        if not self._stopping:
            ready()
        while not self._stopping:
            self._wait()
        self._end()

    def _told_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _fork(self, number: int) -> None:
        foreman = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid:
            self._workers[pid] = number
            return
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._woken.close()
        self._wake.close()
        os.close(self._ready_read)
        end_with_parent(foreman)

        def ready() -> None:
            os.write(self._ready_write, bytes([number]))

        self._become(number, ready)

    def _wait(self) -> None:
        """Sleep until something happens or is due, and do what follows from it."""
        times = [*self._due.values(), *([self._ends_at] if self._ends_at is not None else [])]
        timeout = max(0.0, min(times) - time.monotonic()) if times else None
        happened, _, _ = select.select([self._woken.fileno(), self._ready_read], [], [], timeout)
        if self._ready_read in happened:
            self._awaited -= set(os.read(self._ready_read, 4096))
        self._clear_wakeups()
        if self._ends_at is not None and time.monotonic() >= self._ends_at:
            os._exit(1)  # the workers end with it
        now = time.monotonic()
        for number in [number for number, due in self._due.items() if due <= now]:
            del self._due[number]
            self._fork(number)
        for number in self._reaped():
            self._due[number] = time.monotonic() + RESTART_AFTER_S

    def _clear_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._woken.recv(4096):
                pass

    def _reaped(self) -> list[int]:
        """The numbers of the workers that have ended."""
        # Each by its own id: there may be other children, which are somebody else's.
        gone = [pid for pid in self._workers if os.waitpid(pid, os.WNOHANG)[0]]
        for pid in gone:
            self._bury(pid)
        return [self._workers.pop(pid) for pid in gone]

    def _end(self) -> None:
        """End the workers: with patience, then without."""
        for pid in self._workers:
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)  # one that was paused would not hear
        deadline = time.monotonic() + GRACE_S
        while self._workers and time.monotonic() < deadline:
            select.select([self._woken.fileno()], [], [], 0.05)
            self._clear_wakeups()
            self._reaped()
        for pid in self._workers:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """A handler must exist for the wakeup to be written."""
