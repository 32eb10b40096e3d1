"""What is promised of a breaker, as checks; and for each breaker that breaks a promise the check that must fail."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.checkers.breaker import faults, reference
from tests.checkers.breaker.server import NAME, Stack, stack
from tests.context import observe
from xnai_validate.kit import JsonObject, Observed, Target


def post(path: str) -> dict[str, Any]:
    """An observation: a request to the server."""
    return {"kind": "http.request", "with": {"method": "POST", "path": path}}


def params(of: Stack, **more: Any) -> dict[str, Any]:
    """The params that every kind of the family takes, for the breaker of a stack; fractions in `more` are seconds."""
    source = {"kind": "http.request", "with": {"path": "/health"}, "fact": "json"}
    sources = {
        "metric": source | {"path": "$.breaker", "numbers": {"closed": 0, "open": 1, "half_open": 2}},
        "health": source | {"path": "$.healthy", "means": {"false": "open", "true": ["closed", "half_open"]}},
    }
    given = {
        "name": NAME,
        "call": post("/work"),
        "trip": {"request": post("/fail")},
        "failures": reference.FAILURES,
        "recovery": reference.RECOVERY_S,
        "successes": reference.SUCCESSES,
        "key": of.key,
        "sources": sources,
        "every": 0.02,
        "settle": 0.3,
        "patience": 0.8,
        **more,
    }
    return {name: f"{value:g}s" if isinstance(value, float) else value for name, value in given.items()}


def lost(key: str) -> dict[str, Any]:
    """A disturbance: a key of Redis is gone."""
    return {"fault": "redis.plant", "target": "redis", "with": {"key": key, "absent": True}}


@dataclass(frozen=True, slots=True)
class Promise:
    """One check: a kind and what is expected of it."""

    kind: str
    expect: JsonObject
    more: dict[str, Any] | Callable[[Stack], dict[str, Any]] = field(default_factory=dict)
    """Params besides those of all kinds."""
    workers: int = 1
    recovery_s: float | None = None
    """The recovery time, where it is another than the reference's."""
    answer_s: float = 10.0
    """How long Redis may take until the breaker goes on without it."""

    def served(self, redis: Target, by: type[reference.Breaker]) -> AbstractContextManager[Stack]:
        """Workers with a breaker, as the check wants them."""
        return stack(redis, by, workers=self.workers, recovery_s=self.recovery_s, answer_s=self.answer_s)

    def kept(self, of: Stack) -> Observed:
        """The check, made of a stack."""
        faults.STACKS[str(of.workers[0].url)] = of
        others = (*of.workers[1:], of.redis)
        recovery = {"recovery": self.recovery_s} if self.recovery_s else {}
        settings = params(of, **recovery, **(self.more(of) if callable(self.more) else self.more))
        return observe(self.kind, of.workers[0], others=others, expect=self.expect, **settings)


PROMISES: dict[str, Promise] = {
    "cycle": Promise(
        "breaker.cycle",
        {
            "opened": True,
            "closed_again": True,
            "illegal_transitions": [],
            "failures_until_open": reference.FAILURES,
            "told_open_after": reference.FAILURES,
            "successes_until_closed": reference.SUCCESSES,
            "recovered": True,
            "early_ms": {"max": 20},
            "late_ms": {"max": 300},
            "transitions": ["closed->open", "open->half_open", "half_open->closed"],
            "sources_disagree": [],
        },
    ),
    "refusal": Promise(
        "breaker.refusal",
        {
            "refusal_status": 503,
            "envelope_faults": [],
            "p50_ms": {"max": 200},
            "retry_after_missing": 0,
            "retry_after_early_s": {"max": 0.05},
            "retry_after_late_s": {"max": 1},
        },
    ),
    "state": Promise(
        "breaker.state",
        {
            "present": True,
            "well_formed": True,
            "missing_fields": [],
            "ttl_outlives_recovery": True,
            "lost_while_open": 0,
            "told_otherwise": 0,
            "totals_consistent": True,
            "failures_miscounted": 0,
            "successes_miscounted": 0,
            "failure_counts": [1, 2, 3],
            "last_failure_error_s": {"max": 0.2},
        },
    ),
    "reopen": Promise("breaker.reopen", {"closed_again": True, "early_ms": {"max": 20}, "late_ms": {"max": 300}}),
    "reopen at once": Promise("breaker.reopen", {"trials_succeeded": 0}, {"after": 0}),
    "forgive": Promise("breaker.forgive", {"count_after_success": 0}),
    "concurrent": Promise(
        "breaker.concurrent",
        {
            "opened": True,
            "closed_again": True,
            "serial_ratio": {"max": 0.5},
            "admitted_half_open": {"min": 1, "max": reference.SUCCESSES},
        },
        {"call": post("/long"), "callers": 8, "settle": 0.25, "patience": 2.0},
        recovery_s=2.0,
    ),
    "survive": Promise(
        "breaker.survive",
        {"closed_again": True, "told_after": {"in": ["open", "half_open"]}},
        {"disturb": {"fault": "workers.restart"}, "back": 2.0, "patience": 1.5},
    ),
    "key lost": Promise(
        "breaker.survive",
        {"in_time": True},
        lambda of: {"disturb": lost(of.key), "held": True},
        recovery_s=2.0,
    ),
    "outage": Promise(
        "breaker.outage",
        {
            "calls_failed": 0,
            "opened": True,
            "closed_again": True,
            "returned": True,
            "told_closed": True,
            "refusal_p50_ms": {"max": 1000},
        },
        {"outage": {"fault": "process.pause", "target": "redis"}, "back": 2.0, "patience": 1.5},
        recovery_s=2.0,
        answer_s=0.2,
    ),
    "shared": Promise(
        "breaker.shared",
        {"opened": True, "closed_again": True, "still_refused": []},
        {"ways": {"other": post("/work") | {"target": "api1"}}, "connections": 8},
        workers=2,
        recovery_s=2.0,
    ),
}

CONVICTED: dict[type[reference.Breaker], tuple[str, str]] = {
    reference.NeverOpens: ("cycle", "opened"),
    reference.OpensLate: ("cycle", "failures_until_open"),
    reference.OpensEarly: ("cycle", "failures_until_open"),
    reference.ForgetsAtHalfOpen: ("cycle", "successes_until_closed"),
    reference.StuckHalfOpen: ("cycle", "closed_again"),
    reference.NeverRecovers: ("cycle", "recovered"),
    reference.RecoversEarly: ("cycle", "early_ms"),
    reference.RecoversLate: ("cycle", "late_ms"),
    reference.CountsRefusals: ("cycle", "recovered"),
    reference.SkipsHalfOpen: ("cycle", "illegal_transitions"),
    reference.MetricStuck: ("cycle", "sources_disagree"),
    reference.ShortTtl: ("state", "ttl_outlives_recovery"),
    reference.MemoryOnly: ("state", "present"),
    reference.WrittenOnce: ("state", "told_otherwise"),
    reference.Garbage: ("state", "well_formed"),
    reference.CountsTwice: ("state", "failures_miscounted"),
    reference.NoRetryAfter: ("refusal", "retry_after_missing"),
    reference.RetryAfterTooLong: ("refusal", "retry_after_late_s"),
    reference.RetryAfterTooShort: ("refusal", "retry_after_early_s"),
    reference.SlowRefusal: ("refusal", "p50_ms"),
    reference.RefusesWith500: ("refusal", "refusal_status"),
    reference.NamelessRefusal: ("refusal", "envelope_faults"),
    reference.ForgivesAtHalfOpen: ("reopen", "reopened_on_failure"),
    reference.NeverForgives: ("forgive", "forgave"),
    reference.Serialised: ("concurrent", "serial_ratio"),
    reference.AdmitsAll: ("concurrent", "admitted_half_open"),
    reference.Leaks: ("concurrent", "leaked_calls"),
    reference.Alone: ("shared", "not_refused"),
    reference.ForgetsOnRestart: ("survive", "survived"),
    reference.ClosesWithKey: ("key lost", "survived"),
    reference.FailsWithoutRedis: ("outage", "calls_failed"),
    reference.OpensNotWithoutRedis: ("outage", "opened"),
    reference.NeverReturns: ("outage", "returned"),
}
"""Breaker -> the promise that it breaks, and the fact that shows it."""


def broken(seen: Observed) -> dict[str, object]:
    """The facts whose rules do not hold."""
    return {finding.fact: finding.actual for finding in seen.findings if not finding.held}


def wrong_of_reference(redis: Target, promise: str) -> str | None:
    """Why the reference is not acquitted of breaking a promise; None where it is."""
    kept_promise = PROMISES[promise]
    with kept_promise.served(redis, reference.Breaker) as running:
        found = broken(kept_promise.kept(running))
    return f"the reference is convicted of {promise}: {found}" if found else None


def wrong_of_mutant(redis: Target, mutant: type[reference.Breaker]) -> str | None:
    """Why a mutant is not convicted by the fact that shows its fault; None where it is."""
    promise, fact = CONVICTED[mutant]
    kept_promise = PROMISES[promise]
    with kept_promise.served(redis, mutant) as running:
        seen = kept_promise.kept(running)
    if fact in broken(seen):
        return None
    return f"{mutant.__name__} is not convicted by {fact}, which is {seen.facts[fact]}: {broken(seen)}"
