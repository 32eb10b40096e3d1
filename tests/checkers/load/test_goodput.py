"""Goodput: which requests of a load met objectives of their own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from tests.checkers.streaming import DONE, SOURCES, TOKEN, WHOLE, Script, plays
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, Scripted, raw_response, scripted
from xnai_validate.checkers.load._objectives import Objectives, StreamObjectives
from xnai_validate.kit import Target

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
STOPS_S = 0.6
"""A standstill in the middle of a stream."""


def facts_of(kind: str, server: Scripted, **with_: Any) -> dict[str, Any]:
    """The facts of ten requests in half a second."""
    target = Target("api", server.url())
    return dict(observe(kind, target, **{"arrivals": {"rate": 20}, "for": "500ms", **with_}).facts)


def every_other(first: Script, second: Script) -> Script:
    """The first script for connections of odd numbers, the second for the others."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        return await (first if request.connection % 2 else second)(request, line)

    return script


def test_slow_answers_are_not_good() -> None:
    """Half of the answers take 0.6 s: half are good where 0.4 s is the objective, and the server's failures never."""
    count = 0

    async def script(request: ReceivedRequest, line: Line) -> bool:
        nonlocal count
        count += 1
        await asyncio.sleep(0.6 if count % 2 else 0)
        await line.send(OK)
        return True

    with scripted(script) as server:
        facts = facts_of("load.http", server, objectives={"total_ms": 400})
    assert (facts["completed_count"], facts["good_count"], facts["good_ratio"]) == (10, 5, 0.5)
    assert facts["goodput_rps"] == pytest.approx(5 / facts["elapsed_ms"] * 1000)


def test_errors_are_not_good_however_quick() -> None:
    """An answer 503 meets no objective."""
    with scripted(raw_response(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")) as server:
        facts = facts_of("load.http", server, objectives={"total_ms": 10_000})
    assert (facts["completed_count"], facts["good_count"], facts["good_ratio"]) == (10, 0, 0)


def test_without_objectives_nothing_is_good_or_bad() -> None:
    """The facts are null."""
    with scripted(raw_response(OK)) as server:
        facts = facts_of("load.http", server)
    assert (facts["good_count"], facts["good_ratio"], facts["goodput_rps"]) == (None, None, None)


def test_a_standstill_makes_its_stream_a_bad_one() -> None:
    """Every other stream stops for 0.6 s between two of its tokens: half are good by their longest gap."""
    script = every_other(plays(*WHOLE), plays(SOURCES, TOKEN, STOPS_S, TOKEN, DONE))
    with scripted(script) as server:
        facts = facts_of("load.sse", server, objectives={"token_gap_ms": 400})
    assert (facts["completed_count"], facts["good_count"], facts["good_ratio"]) == (10, 5, 0.5)


def test_a_late_first_token_makes_its_stream_a_bad_one() -> None:
    """What counts is the first token, not the first event."""
    script = every_other(plays(*WHOLE), plays(SOURCES, STOPS_S, TOKEN, DONE))
    with scripted(script) as server:
        facts = facts_of("load.sse", server, objectives={"first_token_ms": 400, "total_ms": 30_000})
    assert (facts["good_count"], facts["good_ratio"]) == (5, 0.5)


def test_a_stream_without_tokens_meets_no_first_token() -> None:
    """It ends well, and is not good."""
    with scripted(plays(SOURCES, DONE)) as server:
        facts = facts_of("load.sse", server, objectives={"first_token_ms": 10_000})
    assert (facts["completed_count"], facts["good_count"]) == (10, 0)


def test_objectives_of_a_stream_are_met_together() -> None:
    """Each limit alone can make a stream a bad one."""
    times: dict[str, float] = {"total_s": 2, "first_s": 0.5, "gap_s": 0.2, "mean_gap_s": 0.05}
    limits: dict[str, float] = {"total_ms": 2000, "first_token_ms": 500, "token_gap_ms": 200, "mean_gap_ms": 50}
    assert StreamObjectives.model_validate(limits).met(**times)
    for name, limit in limits.items():
        assert not StreamObjectives.model_validate({**limits, name: limit - 1}).met(**times), name


@pytest.mark.parametrize("given", [{}, {"total_ms": 0}, {"first_token_ms": 10}])
def test_objectives_that_mean_nothing_are_refused(given: dict[str, Any]) -> None:
    """None at all, no time, and one that a plain request does not have."""
    with pytest.raises(ValidationError):
        Objectives.model_validate(given)
