"""Expressions that would never end are ended, and leave nothing behind."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from xnai_validate.model.judging.cpu_limit import CpuLimitExceeded, within_cpu_limit


def test_no_signal_comes_afterwards() -> None:
    """The timer is off and the handler is the one before, after success, failure and overrun alike."""
    before = signal.getsignal(signal.SIGVTALRM)
    assert within_cpu_limit(0.05, lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        within_cpu_limit(0.05, lambda: 1 / 0)
    with pytest.raises(CpuLimitExceeded):
        within_cpu_limit(0.05, _forever)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) == before
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass


def test_other_threads_work_without_a_bound() -> None:
    """Where no signal arrives, the work is done all the same."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(within_cpu_limit(0.01, lambda: sum(range(1000)))))
    thread.start()
    thread.join(20)
    assert found == [499500]


def _forever() -> None:
    while True:
        pass
