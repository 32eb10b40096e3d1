"""The kinds of the family: ways to trip a breaker, what they share, and what they refuse to judge."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError
from redis import Redis as SyncRedis

from tests.checkers.breaker import faults, reference
from tests.checkers.breaker.promises import params, post
from tests.checkers.breaker.server import Stack, stack, stored
from tests.context import beside, call_checker, check_context, compiled, observe
from xnai_validate.checkers.breaker._driver.calls import Call, retry_after_s
from xnai_validate.checkers.breaker._models import BreakerParams
from xnai_validate.checkers.breaker.concurrent import at_once
from xnai_validate.engine.attempts.attempt import attempt
from xnai_validate.kit import Context, JsonObject, NotApplicable, Observation, Observed, Target, Unmeasurable
from xnai_validate.model.results.status import Status

KINDS = ("cycle", "refusal", "state", "reopen", "forgive", "concurrent", "shared", "survive", "outage")
SPOILED = {"fault": {"fault": "workers.spoil"}}


def planted(key: str, fails: int = reference.FAILURES) -> dict[str, Any]:
    """A trip that plants an open state."""
    settings = {"key": key, "fields": {"state": "open", "failure_count": fails}, "now": ["last_failure_time"]}
    return {"planted": {"fault": "redis.plant", "target": "redis", "with": settings}}


def seen(kind: str, running: Stack, **more: Any) -> Observed:
    """What a kind of the family finds."""
    faults.STACKS[str(running.workers[0].url)] = running
    return observe(f"breaker.{kind}", running.workers[0], others=(running.redis,), **params(running, **more))


@pytest.mark.parametrize("kind", ["cycle", "reopen", "forgive"])
def test_a_fault_trips_a_breaker(redis: Target, kind: str) -> None:
    """Where a fault makes the same call fail, the breaker is driven as by a request that fails."""
    with stack(redis) as running:
        found = seen(kind, running, trip=SPOILED)
        assert found.held, found.findings
        assert seen(kind, running).held


def test_a_dependency_that_is_back_late_is_waited_for(redis: Target) -> None:
    """A first trial that fails opens the breaker for another recovery time: that is not a fault of it."""
    with stack(redis) as running:
        late = {"fault": {"fault": "workers.spoil", "with": {"more": 1}}}
        found = seen("cycle", running, trip=late)
        assert found.held, found.findings
        arrows = found.facts["transitions"]
        assert arrows[:1] + arrows[-2:] == ["closed->open", "open->half_open", "half_open->closed"]
        with pytest.raises(Unmeasurable, match="should succeed"):
            seen("reopen", running, trip=late)


def test_a_dependency_that_works_off_a_crowd_is_waited_for_after_an_outage(redis: Target) -> None:
    """Trials that fail when Redis is back open the breaker anew: they are made again until it closes."""
    with stack(redis, answer_s=0.2) as running:
        late = {"fault": {"fault": "workers.spoil", "with": {"more": 3}}}
        outage = {"fault": "process.pause", "target": "redis"}
        found = seen("outage", running, trip=late, outage=outage, back=1.0)
        assert (found.facts["opened"], found.facts["closed_again"]) == (True, True)


def test_a_dependency_that_works_off_a_crowd_is_waited_for_after_the_trials(redis: Target) -> None:
    """Trials that fail after a crowd of failures are made again until the breaker closes, as after an outage."""
    with stack(redis) as running:
        late = {"fault": {"fault": "workers.spoil", "with": {"more": 5}}}
        found = seen("concurrent", running, **CROWD, trip=late)
        assert (found.facts["opened"], found.facts["closed_again"]) == (True, True)


def test_crowds_without_redis_grow_from_a_few_calls(redis: Target) -> None:
    """A breaker that does not open is called by 4, 8, 16 and 24 at once, after 8 one after the other."""
    with stack(redis, reference.OpensNotWithoutRedis, answer_s=0.2) as running:
        outage = {"fault": "process.pause", "target": "redis"}
        found = seen("outage", running, outage=outage, back=1.0)
        assert found.facts["opened"] is False
        assert found.facts["opened_detail"].startswith("60 calls failed")


CROWD: dict[str, Any] = {"callers": 4, "settle": 0.1, "patience": 2.0}


def test_calls_that_what_is_behind_a_breaker_serialises_are_no_fault_of_it(redis: Target) -> None:
    """A dependency with a single slot answers one call after the other, also past the breaker: that is not judged."""
    with stack(redis, reference.Serialised, recovery_s=1.0) as running:
        found = seen("concurrent", running, **CROWD, direct=post("/slot"))
        assert found.facts["direct_serial_ratio"] > 0.5
        assert (found.facts["serial_ratio"], found.facts["together_failed"]) == (None, None)
        assert found.facts["opened"]
        with pytest.raises(NotApplicable, match="run one by one without it"):
            seen("concurrent", running, **CROWD, direct=post("/slot"), skip_if_serial=True)


def test_a_breaker_that_serialises_calls_is_found_beside_a_dependency_that_does_not(redis: Target) -> None:
    """Calls past the breaker run side by side, so it is the breaker; where they fail, that is not known."""
    with stack(redis, reference.Serialised, recovery_s=1.0) as running:
        found = seen("concurrent", running, **CROWD, direct=post("/direct"), skip_if_serial=True)
        assert found.facts["direct_serial_ratio"] < 0.5 < found.facts["serial_ratio"]
        with pytest.raises(NotApplicable, match=r"is not known: a call without it failed: .*status"):
            seen("concurrent", running, **CROWD, direct=post("/wrong"), skip_if_serial=True)


def test_a_planted_state_opens_a_breaker(redis: Target) -> None:
    """Where no call can be made to fail, an open state in Redis shows refusals and recovery; then it is reverted."""
    with stack(redis) as running:
        seen("forgive", running)
        before, lives_ms = stored(redis, running.key)
        found = seen("cycle", running, trip=planted(running.key))
        assert found.held, found.findings
        facts = found.facts
        assert (facts["driven"], facts["failures_made"], facts["failures_until_open"]) == (False, 0, None)
        assert facts["successes_until_closed"] == reference.SUCCESSES
        assert facts["half_open_after_ms"] > reference.RECOVERY_S * 500
        after, left_ms = stored(redis, running.key)
        assert (after["state"], after["failure_count"]) == ("closed", 0)
        assert after["total_failures"] == before["total_failures"]
        assert left_ms <= lives_ms


def test_a_planted_state_that_is_never_read_is_seen(redis: Target) -> None:
    """A breaker that keeps its state in memory and ignores Redis is convicted, with what was done and seen."""
    with stack(redis, reference.WrittenOnce) as running:
        found = seen("cycle", running, trip=planted(running.key), expect={"opened": True, "closed_again": True})
        assert [finding.fact for finding in found.findings if not finding.held] == ["opened"]
        assert found.facts["opened_detail"] == "its state was set to open in Redis, and the next call was not refused"


def test_a_summary_may_show_another_breaker(redis: Target) -> None:
    """A place that sums up all breakers may show an open one while another is open, and only then."""
    with stack(redis) as running, SyncRedis(port=redis.port, password=redis.password) as client:
        health = {"kind": "http.request", "with": {"path": "/health"}, "fact": "status", "means": {"200": "open"}}
        keys = {"kind": "redis.keys", "target": "redis", "with": {"pattern": f"{running.key}*"}}
        another_open = {**keys, "expect": {"documents": {"$.*.state": {"contains": "open"}}}}
        settings = {"sources": {"health": {**health, "summary": True}}, "another_open": another_open}
        shows = "health shows 200 while the breaker is closed"
        assert seen("cycle", running, **settings).facts["sources_disagree"] == [shows, shows]
        client.set(f"{running.key}:another", '{"state": "open"}')
        assert seen("cycle", running, **settings).facts["sources_disagree"] == []


def test_a_cached_report_has_the_patience_to_show_a_closed_breaker(redis: Target) -> None:
    """No time is promised after which a report shows a closed breaker: one that is cached for a while is no fault."""
    shows = {"0": ["closed", "open"], "1": "open", "2": "half_open"}  # here only what is shown of the closed one counts
    cached = {"kind": "http.request", "with": {"path": "/cached"}, "fact": "json", "path": "$.breaker", "means": shows}
    with stack(redis) as running:
        assert seen("cycle", running, sources={"cached": cached}, settle=0.1).facts["sources_disagree"] == []


def test_what_comes_after_the_opening_is_not_judged_without_it(redis: Target) -> None:
    """A breaker that never opens fails the rule about that; a rule about its closing is an error that reports why."""

    async def scene(running: Stack) -> list[tuple[Status, str | None]]:
        settings = params(running)
        outcomes = []
        async with check_context("breaker.cycle", running.workers[0], others=(redis,), **settings) as ctx:
            rules: list[JsonObject] = [{"opened": True}, {"closed_again": True}, {"opened": True, "recovered": True}]
            for expect in rules:
                measurement = compiled("breaker.cycle", ctx.target.name, ctx.scope.targets, expect, settings)
                outcomes.append(await attempt(measurement, replace(ctx, measurement=measurement, stages=[]), 30.0))
            with pytest.raises(Unmeasurable, match="did not open: 8 calls failed"):
                await call_checker(beside(ctx, "breaker.reopen", settings))
        return [(outcome.status, outcome.reason) for outcome in outcomes]

    with stack(redis, reference.NeverOpens) as running:
        opened, closed, both = asyncio.run(scene(running))
    assert opened[0] is both[0] is Status.FAIL
    assert str(opened[1]).startswith("opened: expected true, got false (8 calls failed (8 x 500")
    assert closed[0] is Status.ERROR
    assert str(closed[1]).startswith(f"the breaker {params(running)['name']} did not open: 8 calls failed")


def test_calls_that_took_longer_than_the_recovery_time_are_made_again(
    redis: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that was busy once is no reason not to judge how an open breaker is shared."""
    bursts = 0

    async def late_at_first(params: BreakerParams, ctx: Context, observation: Observation, count: int) -> list[Call]:
        nonlocal bursts
        bursts += 1
        calls = await at_once(params, ctx, observation, count)
        await asyncio.sleep(params.recovery if bursts == 1 else 0)
        return calls

    monkeypatch.setattr("xnai_validate.checkers.breaker.shared.at_once", late_at_first)
    with stack(redis, recovery_s=1.0) as running:
        found = seen("shared", running, connections=8)
    assert bursts == 2
    assert (found.facts["in_time"], found.facts["closed_again"]) == (True, True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_breaker_that_cannot_be_driven_is_skipped(redis: Target, kind: str) -> None:
    """Without a way to trip it every kind reports that it does not apply, before it calls the breaker."""
    more = {"disturb": {"fault": "workers.restart"}} if kind == "survive" else {}
    more |= {"outage": {"fault": "process.pause", "target": "redis"}} if kind == "outage" else {}
    with stack(redis) as running, pytest.raises(NotApplicable, match="nothing is configured"):
        seen(kind, running, trip={}, **more)


def test_a_failing_call_that_succeeds_is_no_trip(redis: Target) -> None:
    """Where the call that is to fail succeeds, the breaker cannot be judged: skipped, not passed."""
    with stack(redis) as running, pytest.raises(NotApplicable, match="that should fail succeeded"):
        seen("cycle", running, trip={"request": post("/work")})


def test_what_an_open_breaker_takes_with_it_is_reported(redis: Target) -> None:
    """What must go on working while the breaker is open is tried then; the first of these goes through it."""
    with stack(redis) as running:
        health = {"kind": "http.request", "with": {"path": "/health"}}
        found = seen("cycle", running, beside={"work": post("/work"), "health": health})
        assert [finding.fact for finding in found.findings if not finding.held] == ["beside_failed"]
        assert found.facts["beside_failed"] == ["work: http.request: status expected 200, got 503"]


def test_a_planted_state_proves_nothing_about_failures(redis: Target) -> None:
    """Kinds that need calls to fail are skipped where the state can only be planted."""
    with stack(redis) as running, pytest.raises(NotApplicable, match="fail"):
        seen("reopen", running, trip=planted(running.key))


def test_a_call_that_fails_by_itself_is_unmeasurable(redis: Target) -> None:
    """Where calls fail before anything was done, the tool reports that it cannot know."""
    with stack(redis) as running, pytest.raises(Unmeasurable, match="fail while no fault is in force: 500"):
        seen("cycle", running, call=post("/fail"), failures=10, steady_within=0.2)


def test_a_wrong_request_is_not_a_failure(redis: Target) -> None:
    """A status of 400 to 499 shows nothing of the dependency: the check's request is wrong."""
    with stack(redis) as running, pytest.raises(Unmeasurable, match="400"):
        seen("cycle", running, trip={"request": post("/wrong")})


def test_a_breaker_that_opens_at_once_is_named(redis: Target) -> None:
    """Where one failure opens it, another at the end would not show whether it was closed: it is not made."""
    with stack(redis, type("OpensAtOnce", (reference.Breaker,), {"failures": 1})) as running:
        facts = seen("cycle", running).facts
        assert (facts["failures_until_open"], facts["closed_again"]) == (1, True)


def test_without_a_key_the_answers_show_the_state(redis: Target) -> None:
    """Without a key a cycle is driven by answers alone; what only the key reports is null, and `state` is skipped."""
    with stack(redis) as running:
        found = seen("cycle", running, key=None)
        assert found.held, found.findings
        assert found.facts["failures_until_open"] == reference.FAILURES
        assert (found.facts["told_open_after"], found.facts["successes_until_closed"]) == (None, None)
        with pytest.raises(NotApplicable, match="no key"):
            seen("state", running, key=None)


def test_without_a_key_a_breaker_that_closes_too_early_is_seen(redis: Target) -> None:
    """One success less than closes it, and a failure: that shows without any key whether it was half open."""
    with stack(redis, reference.ForgetsAtHalfOpen) as running:
        found = seen("reopen", running, key=None)
        assert found.facts["reopened_on_failure"] is False


def test_an_open_breaker_is_waited_for(redis: Target) -> None:
    """A breaker that is open from before is closed first; one that stays open is reported as such."""
    with stack(redis) as running:
        seen("cycle", running, successes=100, patience=0.1)
        for path in ("/fail", "/fail", "/fail"):
            observe("http.request", running.workers[0], **post(path)["with"])
        assert seen("cycle", running).held
    with stack(redis, reference.NeverRecovers) as running:
        seen("cycle", running)
        with pytest.raises(Unmeasurable, match="was not closed before it was to be opened"):
            seen("cycle", running)


def test_equal_checks_share_one_drive(redis: Target) -> None:
    """Three kinds look at one drive; the same check once more, as at a retry, is measured anew."""

    async def scene(running: Stack) -> tuple[list[int], list[int]]:
        settings = params(running)
        calls = []
        async with check_context("breaker.cycle", running.workers[0], others=(redis,), **settings) as first:
            others = [beside(first, f"breaker.{kind}", settings) for kind in ("refusal", "state")]
            for ctx in (first, *others, first):
                await call_checker(ctx)
                calls.append(stored(redis, running.key)[0]["total_calls"])
            before = calls[-1]
            disturbed = beside(first, "breaker.cycle", settings)
            disturbed.active_faults.append("something")
            await call_checker(disturbed)
            return calls, [before, stored(redis, running.key)[0]["total_calls"]]

    with stack(redis) as running:
        calls, disturbed = asyncio.run(scene(running))
    assert calls[0] == calls[1] == calls[2] < calls[3]
    assert disturbed[0] < disturbed[1]


def test_a_check_that_would_be_ended_before_reports_it(redis: Target) -> None:
    """A recovery time longer than the check's time limit is an error of the check, not a failure of the breaker."""
    with stack(redis) as running, pytest.raises(Unmeasurable, match="takes at least 50 s") as caught:
        seen("reopen", running, recovery=25.0)
    assert caught.value.hint == "give the check a longer `timeout`"


def test_params_are_held_to_reason(redis: Target) -> None:
    """Two ways to make calls fail, and an interval that makes too many calls, are errors of the params."""
    with stack(redis) as running:
        with pytest.raises(ValidationError, match="set one of request and fault"):
            BreakerParams.model_validate(params(running, trip={"request": post("/fail"), "fault": {"fault": "x.y"}}))
        with pytest.raises(ValidationError, match="every is too short"):
            BreakerParams.model_validate(params(running, recovery=3600.0, every=0.001))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("1.5", None),
        ("-1", None),
        ("\N{ARABIC-INDIC DIGIT THREE}", None),
        ("soon", None),
        ("9" * 5000, None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_the_rfc_wants_it(value: str | None, seconds: float | None) -> None:
    """Whole seconds or a date (RFC 9110, section 10.2.3); everything else has no meaning."""
    assert retry_after_s(value, 1445412480.0) == seconds
