"""The params of every kind of load: which forms are accepted, and which are refused with what message."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from xnai_validate.checkers.load._models import LoadParams


def params(**with_: Any) -> LoadParams:
    return LoadParams.model_validate(with_)


def test_a_constant_rate_lasts_as_long_as_its_duration() -> None:
    """50 a second for 5 s after a warm-up of 2 s at the same rate."""
    found = params(arrivals={"rate": 50}, **{"for": "5s"}, warmup="2s")
    schedule, warmup = found.schedule(), found.warmup_schedule()
    assert schedule is not None
    assert warmup is not None
    assert (schedule.count, warmup.count, found.for_s, found.lanes) == (250, 100, 5, 128)


def test_stages_report_their_own_duration() -> None:
    """Steps and ramps; the warm-up has the rate that they begin with."""
    stages = [{"rate": 10, "for": "5s"}, {"from": 10, "to": 100, "for": "10s"}]
    found = params(arrivals={"stages": stages}, warmup="1s", connections=7)
    schedule, warmup = found.schedule(), found.warmup_schedule()
    assert schedule is not None
    assert warmup is not None
    assert (schedule.count, warmup.count, found.for_s, found.lanes) == (600, 10, 15, 7)


def test_a_closed_loop_has_a_connection_a_caller_and_no_schedule() -> None:
    """Ten seconds by default."""
    found = params(callers=20)
    assert (found.schedule(), found.warmup_schedule(), found.for_s, found.lanes) == (None, None, 10, 20)


@pytest.mark.parametrize(
    ("with_", "words"),
    [
        ({}, "arrivals or callers"),
        ({"arrivals": {"rate": 1}, "callers": 1}, "arrivals or callers"),
        ({"callers": 1, "connections": 2}, "connection of its own"),
        ({"arrivals": {"rate": 1, "stages": [{"rate": 1, "for": "1s"}]}}, "a rate or stages"),
        ({"arrivals": {}}, "a rate or stages"),
        ({"arrivals": {"rate": 0}}, "greater than 0"),
        ({"arrivals": {"stages": []}}, "at least 1 item"),
        ({"arrivals": {"stages": [{"for": "1s"}]}}, "a rate, or from and to"),
        ({"arrivals": {"stages": [{"from": 1, "for": "1s"}]}}, "a rate, or from and to"),
        ({"arrivals": {"stages": [{"rate": 1, "from": 1, "to": 2, "for": "1s"}]}}, "a rate, or from and to"),
        ({"arrivals": {"stages": [{"rate": 1, "for": "0s"}]}}, "greater than 0"),
        ({"arrivals": {"stages": [{"rate": 1, "for": "1s"}]}, "for": "1s"}, "leave out `for`"),
        ({"arrivals": {"stages": [{"from": 0, "to": 5, "for": "1s"}]}, "warmup": "1s"}, "which is 0 here"),
        ({"callers": 1, "stop_at": {"error_ratio": 0}}, "greater than 0"),
    ],
)
def test_what_is_no_load_is_refused(with_: dict[str, Any], words: str) -> None:
    """Each error states what is expected."""
    with pytest.raises(ValidationError) as refused:
        params(**with_)
    assert words in str(refused.value)


def test_arrivals_by_chance_are_those_of_their_seed() -> None:
    """The load and its warm-up each have arrivals of their own, the same whenever they are asked for."""
    found = params(arrivals={"rate": 50, "spacing": "poisson", "seed": 3}, **{"for": "5s"}, warmup="5s")
    load, warmup = list(found.schedule() or ()), list(found.warmup_schedule() or ())
    assert load == list(found.schedule() or ())
    assert load != warmup
    assert 150 < len(load) < 350


@pytest.mark.parametrize("given", [{"spacing": "gamma"}, {"burstiness": 2}, {"spacing": "poisson", "burstiness": 2}])
def test_only_gamma_has_a_burstiness(given: dict[str, Any]) -> None:
    """A parameter that would mean nothing is refused."""
    with pytest.raises(ValidationError, match="burstiness"):
        params(arrivals={"rate": 50, **given})
