"""Calls past a breaker show whether it, or what is behind it, does calls one by one."""

from __future__ import annotations

import pytest

from xnai_validate.checkers.breaker._direct import DIRECT, DirectCalls, direct_calls, serial_ratio

CALLERS = 20


def ends_s(slots: int, count: int, shared_s: float) -> list[float]:
    """When the calls end that a dependency with so many slots answers, each in `shared_s` beside others."""
    return [(number // slots + 1) * shared_s for number in range(count)]


@pytest.mark.parametrize(
    ("slots", "shared_s", "why"),
    [
        (1, 1.0, "run one by one without it"),
        (2, 1.2, "slow each other down without it: 6 at once take 0.60 of the time"),
        (4, 3.5, "slow each other down without it"),
        (6, 1.0, None),
        (20, 1.0, None),
    ],
)
def test_a_crowd_that_slows_itself_down_behind_the_breaker_is_not_its_doing(
    slots: int, shared_s: float, why: str | None
) -> None:
    """A model server with two slots answers 20 calls in more than half the time of one by one, breaker or not."""
    through = serial_ratio(1000, ends_s(slots, CALLERS, shared_s))
    direct = direct_calls(1.0, 0.0, ends_s(slots, DIRECT, shared_s))
    reason = direct.why_serial(through)
    assert (reason is None) if why is None else (why in (reason or ""))


@pytest.mark.parametrize("slots", [2, 4, 6])
def test_a_breaker_that_does_calls_one_by_one_is_found_before_a_dependency_with_slots(slots: int) -> None:
    """Past it, calls take less of the time of one by one than through it."""
    through = serial_ratio(1000, ends_s(1, CALLERS, 1.0))
    assert direct_calls(1.0, 0.0, ends_s(slots, DIRECT, 1.2)).why_serial(through) is None


def test_without_calls_past_the_breaker_nothing_speaks_for_it() -> None:
    """Where none were configured the breaker is judged; where one failed it is not known whose doing it is."""
    assert DirectCalls().why_serial(1.0) is None
    assert DirectCalls().why_serial(None) is None
    failed = DirectCalls("status 404")
    assert failed.why_serial(0.1) is None
    assert "is not known: a call without it failed: status 404" in (failed.why_serial(1.0) or "")
