"""The alarm rings when it is to, and only then."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from time import perf_counter

import pytest

from xnai_validate.checkers.load._generator import timer as alarms
from xnai_validate.checkers.load._generator.timer import Alarm


@pytest.fixture(params=["timerfd", "asyncio"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which it may be made."""
    if request.param == "asyncio":
        monkeypatch.setattr(alarms, "_timerfd", lambda: None)
    return str(request.param)


def rings(script: Callable[[Alarm], None], wait_s: float = 0.15) -> list[float]:
    """The times at which an alarm rang, in seconds from the beginning."""

    async def run() -> list[float]:
        begun = perf_counter()
        rung: list[float] = []
        alarm = Alarm(lambda: rung.append(perf_counter() - begun))
        script(alarm)
        await asyncio.sleep(wait_s)
        alarm.close()
        alarm.close()
        return rung

    return asyncio.run(run())


def test_it_rings_once_and_not_before_its_time(kind: str) -> None:
    """A set time rings once."""
    [at] = rings(lambda alarm: alarm.set(perf_counter() + 0.05))
    assert at >= 0.05 - 1e-3


def test_a_new_time_takes_the_place_of_the_old_one(kind: str) -> None:
    """Later or sooner, only the last counts."""

    def script(alarm: Alarm) -> None:
        alarm.set(perf_counter() + 0.01)
        alarm.set(perf_counter() + 60)
        alarm.set(perf_counter() + 0.05)

    [at] = rings(script)
    assert at >= 0.05 - 1e-3


def test_a_time_that_is_over_rings_at_once(kind: str) -> None:
    """No timer waits for a moment that has passed."""
    assert len(rings(lambda alarm: alarm.set(perf_counter() - 5))) == 1
    assert len(rings(lambda alarm: alarm.set(0.0))) == 1


def test_a_closed_alarm_is_silent_and_leaves_no_descriptor(kind: str) -> None:
    """What was set rings no more."""
    before = len(os.listdir("/proc/self/fd"))

    def script(alarm: Alarm) -> None:
        alarm.set(perf_counter() + 0.01)
        alarm.close()

    assert rings(script, 0.05) == []
    assert len(os.listdir("/proc/self/fd")) == before


def test_alarms_of_two_threads_keep_their_own_times() -> None:
    """A worker sends two loads at once, each in a thread: an alarm that took the time of the other would be lost."""
    hours_ahead, over = int((perf_counter() + 9999) * 1e9), threading.Event()

    def set_past(fd: int) -> None:
        while not over.is_set():
            alarms._set_timerfd(fd, 1)

    far, past = alarms._timerfd(), alarms._timerfd()
    assert far is not None
    assert past is not None
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    other = threading.Thread(target=set_past, args=(past,))
    other.start()
    try:
        for _ in range(20_000):
            alarms._set_timerfd(far, hours_ahead)
            with pytest.raises(BlockingIOError):  # it has not expired
                os.read(far, 8)
    finally:
        over.set()
        other.join()
        sys.setswitchinterval(before)
        os.close(far)
        os.close(past)
