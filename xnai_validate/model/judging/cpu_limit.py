"""A bound on what judging may cost: an expression may meet a text from a server on which it would never end.

Neither `re` nor a JSONPath can be told to stop, and no time limit of asyncio fires while they run. A signal can: both
look for signals as they go (CPython's `sre` every 4 096 steps), and the handler of ours raises. The timer counts the
CPU time of the process (ITIMER_VIRTUAL, setitimer(2)), so that a busy machine changes nothing.
"""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

AGAIN_S = 0.1
"""The signal comes again where its exception was lost, as it is in a `__del__`."""


class OutOfPatience(Exception):
    """A computation has taken all the CPU time that it may."""


def with_patience(cpu_s: float, work: Callable[[], T]) -> T:
    """What `work` gives; raises OutOfPatience where it takes more than `cpu_s` seconds of CPU time.

    Signals reach the main thread alone, so work on other threads is not bounded.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    armed = True

    def ring(number: int, frame: FrameType | None) -> None:
        if armed:
            raise OutOfPatience

    before = signal.signal(signal.SIGVTALRM, ring)
    collecting = gc.isenabled()
    gc.disable()  # an exception in a callback of the collector would be lost, and printed
    try:
        try:
            signal.setitimer(signal.ITIMER_VIRTUAL, cpu_s, AGAIN_S)
            return work()
        finally:
            armed = False
    except OutOfPatience:
        armed = False  # it may have rung just before the line above
        raise
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        if collecting:
            gc.enable()
