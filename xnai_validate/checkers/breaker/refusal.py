"""`breaker.refusal`: how an open breaker refuses calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from xnai_validate.checkers.breaker._driver.calls import Call
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import CycleParams
from xnai_validate.checkers.breaker.cycle import Cycle, cycle_of
from xnai_validate.kit import Context, Count, Facts, Milliseconds, Seconds, checker

FAULTS_CAP = 20


class RefusalFacts(Facts):
    """The refusals of an open breaker; null where it did not open."""

    refused: Count | None
    """How many calls were refused."""
    refusal_status: int | None
    """Their status; the highest where they differ."""
    refusal_statuses: dict[str, Count]
    """Status -> how many refusals had it."""
    p50_ms: Milliseconds | None
    """The median time of a refusal, from the beginning of the request, connecting included, to the end of the body."""
    p95_ms: Milliseconds | None
    """95 of 100 refusals took no longer."""
    max_ms: Milliseconds | None
    """The slowest."""
    envelope_faults: list[str] | None
    """How any of them differed from the error envelope of the stack, in words."""
    retry_after_missing: Count | None
    """How many had no valid Retry-After: whole seconds or a date (RFC 9110 section 10.2.3)."""
    retry_after_s: Seconds | None
    """Retry-After of the first of them, in seconds."""
    retry_after_early_s: Seconds | None
    """How much too early a client would retry by it, at worst: the breaker certainly still refuses."""
    retry_after_late_s: Seconds | None
    """How much longer than necessary such a client would wait, at worst; up to 1 s is due to whole seconds."""


@checker(
    "breaker.refusal",
    expect={"refused": {"min": 1}},
    exclusive=True,
    waits=drive_waits("breaker.cycle"),
)
async def refusal(params: CycleParams, ctx: Context) -> RefusalFacts:
    """Open a circuit breaker and measure its refusals: their times, their envelope, whether Retry-After is right.

    Retry-After is compared with the time when the breaker let a call through again. Params as of `breaker.cycle`;
    identical checks share one measurement.

        kind: breaker.refusal
        target: api
        with: {name: rag_api, failures: 3, recovery: 60s, call: ..., trip: ...}
        expect: {p95_ms: {max: 50}, retry_after_missing: 0, retry_after_early_s: {max: 0.5}}
    """
    record = await cycle_of(params, ctx)
    calls = record.refusals
    latencies = sorted(call.latency_ms for call in calls)
    early_s, late_s = _retry_errors(record, calls)
    delays = [call.retry_after_s for call in calls]
    faults = dict.fromkeys(fault for call in calls for fault in call.envelope_faults)
    return RefusalFacts(
        refused=len(calls) or None,
        refusal_status=max((call.status for call in calls if call.status is not None), default=None),
        refusal_statuses=dict(Counter(str(call.status) for call in calls)),
        p50_ms=quantile(latencies, 0.5),
        p95_ms=quantile(latencies, 0.95),
        max_ms=latencies[-1] if latencies else None,
        envelope_faults=list(faults)[:FAULTS_CAP] if calls else None,
        retry_after_missing=sum(delay is None for delay in delays) if calls else None,
        retry_after_s=next((delay for delay in delays if delay is not None), None),
        retry_after_early_s=early_s,
        retry_after_late_s=late_s,
    ).not_reached(None if calls else record.not_reached)


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that `share` of all do not exceed; None without values."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _retry_errors(record: Cycle, calls: Sequence[Call]) -> tuple[float | None, float | None]:
    """How much too early, and how much too late, clients retry by Retry-After at worst, in seconds.

    The breaker still refused the last call when that was sent, and let one through by the time it had answered it. A
    client counts from the answer.
    """
    promised = [call.answered_s + call.retry_after_s for call in calls if call.retry_after_s is not None]
    if not promised:
        return None, None
    early_s = max(0.0, max(call.sent_s for call in calls) - min(promised))
    if record.waiting.admitted is None:
        return early_s, None
    return early_s, max(0.0, max(promised) - record.waiting.admitted.answered_s)
