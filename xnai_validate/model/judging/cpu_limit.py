"""A limit on the CPU time of one expression: a text from a server may keep a regular expression busy for ever.

Neither `re` nor the JSONPath library takes a time limit, and no time-out of asyncio fires while they run. Both let
Python handle signals as they go (CPython's `sre` looks for them every 4 096 steps), so a handler can raise. The timer
counts the CPU time of this process (ITIMER_VIRTUAL, setitimer(2)): a busy machine changes nothing.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

REPEAT_S = 0.1
"""The timer fires again after this time: Python drops an exception that is raised within a finalizer."""


class CpuLimitExceeded(Exception):
    """A computation took more CPU time than its limit."""


def within_cpu_limit(limit_s: float, compute: Callable[[], T]) -> T:
    """Return the result of `compute`; raises CpuLimitExceeded after `limit_s` seconds of CPU time.

    Python delivers signals to the main thread alone: on another thread `compute` has no limit.
    """
    if threading.current_thread() is not threading.main_thread():
        return compute()
    armed = True

    def raise_when_armed(number: int, frame: FrameType | None) -> None:
        """Raise CpuLimitExceeded; a signal that arrives after the expression has ended is ignored."""
        if armed:
            raise CpuLimitExceeded

    previous = signal.signal(signal.SIGVTALRM, raise_when_armed)
    try:
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, limit_s, REPEAT_S)
            return compute()
        finally:
            armed = False  # the signal may come once more before the timer is off
    except CpuLimitExceeded:
        armed = False  # it came between the end of `compute` and the line above
        raise
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, previous)
