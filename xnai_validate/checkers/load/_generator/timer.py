"""An alarm that rings at a time, within some 50 us: the timers of asyncio are exact to a millisecond only.

asyncio rounds up to whole milliseconds, for that is what epoll_wait(2) takes, and libuv, below uvloop, counts in them.
A load that begins a request every 50 us, or measures answers of 200 us, would measure that rounding.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

_ABSTIME = 1
"""TFD_TIMER_ABSTIME of timerfd_settime(2)."""
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_CLOCK_MONOTONIC = 1


class _Timespec(ctypes.Structure):
    """`struct timespec` of clock_gettime(2)."""

    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    """`struct itimerspec` of timerfd_settime(2)."""

    _fields_ = (("every", _Timespec), ("first", _Timespec))


class Alarm:
    """Calls `ring` in the running loop at a time of `time.perf_counter`; holds one time, which `set` replaces.

    A timerfd(2) where the system has it, else a timer of asyncio. `perf_counter` is CLOCK_MONOTONIC on Linux, which
    both go by.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._fd = _timerfd()
        if self._fd is not None:
            self._loop.add_reader(self._fd, self._on_expired, self._fd)

    def set(self, at: float) -> None:
        """Ring at this time instead of the one set before; a time in the past rings at once."""
        if self._fd is not None:
            _set_timerfd(self._fd, max(1, int(at * 1e9)))  # 0 would disarm it
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_at(at, self._ring)

    def _on_expired(self, fd: int) -> None:
        """Read the expired timer and ring."""
        with suppress(BlockingIOError):  # `set` replaced the time after it expired, which also clears the expiry
            os.read(fd, 8)  # the count of expiries; until it is read, the loop calls again
            self._ring()

    def close(self) -> None:
        """Stop ringing; a second call does nothing."""
        if self._handle is not None:
            self._handle.cancel()
        fd, self._fd = self._fd, None
        if fd is not None:
            self._loop.remove_reader(fd)
            os.close(fd)


if sys.version_info >= (3, 13):

    def _timerfd() -> int | None:
        try:
            return os.timerfd_create(_CLOCK_MONOTONIC, flags=_FLAGS)
        except (AttributeError, OSError):
            return None

    def _set_timerfd(fd: int, ns: int) -> None:
        os.timerfd_settime_ns(fd, flags=_ABSTIME, initial=ns)

else:
    _libc = ctypes.CDLL(None, use_errno=True)

    def _timerfd() -> int | None:
        try:
            fd: int = _libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS)
        except AttributeError:
            return None
        return fd if fd >= 0 else None

    class _When(threading.local):
        """The argument of the call, made once for each thread: a call lets other threads go on, which set theirs."""

        def __init__(self) -> None:
            when = _Itimerspec()
            self.first = when.first
            self.reference = ctypes.byref(when)

    _when = _When()

    def _set_timerfd(fd: int, ns: int) -> None:
        first = _when.first
        first.seconds, first.nanoseconds = divmod(ns, 10**9)
        _libc.timerfd_settime(fd, _ABSTIME, _when.reference, None)
