"""`load.search`: the most load that holds, found on servers and courses whose limit is known."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.context import call_checker, check_context, observe
from tests.scripted import Line, ReceivedRequest, Scripted, ok, scripted
from xnai_validate.checkers.load._search import Probe, Search
from xnai_validate.engine.attempts.lateness import LATENESS, Lateness
from xnai_validate.kit import Observed, Target
from xnai_validate.model.source_location import InvalidConfig

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
RATE_LOAD: dict[str, Any] = {
    "kind": "load.http",
    "with": {"path": "/", "arrivals": {"rate": "{{rate}}"}, "for": "1500ms", "stop_at": {"waited": "5s"}},
    "expect": {"p99_ms": {"max": 60}},
}


def search(server: Scripted, load: dict[str, Any], *, timeout_s: float = 120.0, **with_: Any) -> Observed:
    """What a search measures; all of its rules are in the load."""
    target = Target("api", server.url())
    return observe("load.search", target, timeout_s=timeout_s, **{"load": load, "settle": "100ms", **with_})


def one_at_a_time(each_s: float) -> Callable[[ReceivedRequest, Line], Awaitable[bool]]:
    """A server that answers one request after the other, by a timetable, so that its limit is exact."""
    free_at = 0.0

    async def script(request: ReceivedRequest, line: Line) -> bool:
        nonlocal free_at
        free_at = max(free_at, time.monotonic()) + each_s
        await asyncio.sleep(free_at - time.monotonic())
        await line.send(OK)
        return True

    return script


def a_second(limit: float, burst: float) -> Callable[[ReceivedRequest, Line], Awaitable[bool]]:
    """A server that refuses what comes beyond a number a second (a token bucket), and takes 0.4 s for each answer.

    Its limit is one of numbers: a busy machine, which makes every time longer, does not change it.
    """
    tokens, filled_at = burst, time.monotonic()

    async def script(request: ReceivedRequest, line: Line) -> bool:
        nonlocal tokens, filled_at
        now = time.monotonic()
        tokens, filled_at = min(burst, tokens + (now - filled_at) * limit), now
        admitted = tokens >= 1
        tokens -= admitted
        await asyncio.sleep(0.4)
        await line.send(OK if admitted else BUSY)
        return True

    return script


def test_the_highest_rate_of_a_server_with_a_known_limit() -> None:
    """100 a second and 20 at once: in 1.5 s of 113.3 a second are 170. The curve shows how it breaks."""
    load = {**RATE_LOAD, "with": {**RATE_LOAD["with"], "stop_at": None}, "expect": {"error_ratio": 0}}
    with scripted(a_second(100, 20)) as server:
        facts = search(server, load, **{"from": 60}, to=400, step="4 %", attempts=2, settle="300ms").facts
    assert facts["highest_rate"] == pytest.approx(113.3, rel=0.05)
    assert facts["highest_rate"] < facts["breaks_at"] <= facts["highest_rate"] * 1.04 + 0.1
    assert "error_ratio expected 0" in facts["breaks_by"]
    assert facts["highest_users"] is None
    assert len(facts["curve"]) == facts["probe_count"]
    loads = [point["load"] for point in facts["curve"]]
    assert loads == sorted(loads)
    assert {point["load"] for point in facts["curve"] if point["held"]} >= {60, facts["highest_rate"]}


def test_the_highest_number_of_virtual_users() -> None:
    """Where one answer after the other takes 60 ms, five users wait 300 ms and six 360 ms."""
    load = {
        "kind": "load.http",
        "with": {"path": "/", "callers": "{{users}}", "for": "1s"},
        "expect": {"p50_ms": {"max": 340}},
    }
    with scripted(one_at_a_time(0.06)) as server:
        facts = search(server, load, **{"from": 4}, to=40, attempts=3).facts
    assert (facts["highest_users"], facts["highest_rate"], facts["breaks_at"]) == (5, None, 6)


def test_a_stack_that_holds_everything_has_its_upper_bound() -> None:
    """Nothing breaks, and no load beyond `to` is applied."""
    load = {**RATE_LOAD, "with": {**RATE_LOAD["with"], "for": "200ms"}, "expect": {"error_ratio": 0}}
    with scripted(ok(b"hi")) as server:
        facts = search(server, load, **{"from": 10}, to=30).facts
    assert (facts["highest_rate"], facts["breaks_at"], facts["breaks_by"]) == (30, None, None)
    assert [point["load"] for point in facts["curve"]] == [10, 20, 30]


def test_prompts_vary_within_a_search() -> None:
    """Their reference is escaped there, and each probe sends them."""
    body = {"query": "\\{{prompt}}"}
    with_ = {**RATE_LOAD["with"], "for": "300ms", "method": "POST", "json": body, "prompts": {"texts": ["a", "b"]}}
    with scripted(ok(b"hi")) as server:
        facts = search(server, {**RATE_LOAD, "with": with_, "expect": {"error_ratio": 0}}, **{"from": 30}, to=30).facts
        assert {request.body for request in server.requests} == {b'{"query": "a"}', b'{"query": "b"}'}
    assert facts["highest_rate"] == 30


def test_a_stack_that_holds_nothing_has_a_rate_of_0() -> None:
    """Not even the least load holds: that was measured, and is no error."""
    load = {**RATE_LOAD, "with": {**RATE_LOAD["with"], "for": "200ms"}, "expect": {"p50_ms": {"max": 0.0001}}}
    with scripted(a_second(1000, 1000)) as server:
        facts = search(server, load, **{"from": 10}, to=30).facts
    assert (facts["highest_rate"], facts["breaks_at"]) == (0, 10)
    assert facts["probe_count"] >= 2


def test_a_search_without_time_for_its_end_has_no_result() -> None:
    """What is known stands in the curve; a rule about the result is not judged, with the reason."""
    load = {**RATE_LOAD, "with": {**RATE_LOAD["with"], "for": "700ms"}, "expect": {"error_ratio": 0}}

    async def measured(server: Scripted) -> Any:
        target = Target("api", server.url())
        with_: Any = {"load": load, "from": 1, "to": 500, "settle": "0s"}
        async with check_context("load.search", target, timeout_s=3.0, **with_) as ctx:
            return await call_checker(ctx)

    with scripted(ok(b"hi")) as server:
        facts = asyncio.run(measured(server))
    assert facts.highest_rate is None
    assert 1 <= facts.probe_count <= 4
    assert "no time for another probe" in facts.why_not_reached


@pytest.mark.parametrize(
    ("load", "named"),
    [
        ({**RATE_LOAD, "with": {"path": "/", "arrivals": {"rate": 5}}}, "rate"),
        ({**RATE_LOAD, "kind": "http.request"}, "load must be one of the kinds"),
        ({**RATE_LOAD, "with": {**RATE_LOAD["with"], "path": "/{{other}}"}}, "no other reference"),
        ({**RATE_LOAD, "with": {**RATE_LOAD["with"], "paht": "/"}}, "paht"),
        ({**RATE_LOAD, "expect": {"p98_ms": {"max": 1}}}, "p98_ms"),
    ],
)
def test_a_load_that_cannot_be_searched_is_refused_when_it_is_loaded(load: dict[str, Any], named: str) -> None:
    """Without its reference, of another kind, with other references, or wrong by itself."""
    with scripted(ok(b"hi")) as server, pytest.raises(InvalidConfig, match=named):
        search(server, load, to=10)


def course(limit: float, *, chance: float = 0.0, seed: int = 0, attempts: int = 2, late_from: float = 1e9) -> Search:
    """A search from 1 to 500 for a known limit, in which probes below it fail by chance."""
    search = Search(1, 500, 0.05, False, attempts)
    chances = random.Random(seed)

    async def probe(load: float) -> Probe:
        why = "too slow" if load > limit or chances.random() < chance else None
        return Probe(load, why, why is not None and load >= late_from, {})

    asyncio.run(search.run(probe))
    return search


@pytest.mark.parametrize("limit", [1, 1.5, 7, 31.9, 64, 99.3, 128.01, 255, 499, 10_000])
def test_a_limit_is_found_within_its_step(limit: float) -> None:
    """Wherever it lies: the result holds, and what lies a step above does not."""
    found = course(limit)
    expected = min(limit, 500)
    assert found.held is not None
    assert expected / 1.05 <= found.held <= expected
    assert found.unfinished() is None
    assert len(found.probes) <= 2 * (2 + 9 + 5)


def test_a_probe_that_fails_by_chance_does_not_end_a_search() -> None:
    """One in ten fails without a reason: with three attempts 20 of 20 searches find the limit all the same."""
    found = [course(100, chance=0.1, seed=seed, attempts=3).held or 0 for seed in range(20)]
    assert all(100 / 1.05 <= held <= 100 for held in found), found


def test_a_generator_that_is_late_itself_ends_the_search_without_a_result() -> None:
    """That is no breach of the stack; a probe that holds although the generator was late counts."""
    found = course(100, late_from=90)
    assert found.broken is None
    assert found.held == 64
    assert "this tool was late itself" in (found.unfinished() or "")
    assert "64 held" in (found.unfinished() or "")


def test_a_probe_that_this_tool_was_too_late_to_judge_is_made_again() -> None:
    """Also where only limits of time are broken, which the engine then leaves unjudged; five end the search."""
    late = Lateness()
    token = LATENESS.set(late)
    try:
        now = time.monotonic()
        late.add(now, now + 600)  # late all the time
        load = {**RATE_LOAD, "with": {**RATE_LOAD["with"], "for": "200ms"}, "expect": {"p50_ms": {"max": 1}}}
        with scripted(one_at_a_time(0.02)) as server:
            seen = search(server, load, **{"from": 10, "to": 20})
    finally:
        LATENESS.reset(token)
    assert seen.facts["highest_rate"] is None
    assert (seen.facts["probe_count"], seen.facts["breaks_at"]) == (5, None)
