"""`breaker.outage`: a breaker goes on without Redis, and returns to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._calls import Call, Outcome
from xnai_validate.checkers.breaker._driver import Driver
from xnai_validate.checkers.breaker._params import BreakerParams
from xnai_validate.checkers.breaker._phases import Opening
from xnai_validate.checkers.breaker._readings import PAUSE_S
from xnai_validate.checkers.breaker._trips import must_fail
from xnai_validate.checkers.breaker.refusal import quantile
from xnai_validate.kit import Context, Count, Duration, Facts, FaultEntry, Milliseconds, checker

CALLS = 5
"""Calls that are to succeed, and calls that are to be refused, while Redis is gone."""


class OutageParams(BreakerParams):
    """A breaker, and what takes Redis away."""

    outage: FaultEntry
    """What takes Redis away from the stack for a while: `redis.pause`, a process that stands still."""
    back: Duration = 30.0
    """How long the key in Redis may take afterwards to tell what happened."""


@dataclass(slots=True)
class _Seen:
    ready: bool = False
    calls: list[Call] = field(default_factory=list)
    opening: Opening = field(default_factory=Opening)
    refusals: list[Call] = field(default_factory=list)
    open_afterwards: bool | None = None
    in_time: bool | None = None
    returned_ms: float | None = None
    closed_again: bool | None = None
    told_closed: bool | None = None


class OutageFacts(Facts):
    """A breaker without Redis, and after; null is what it did not come to."""

    closed_before: bool
    """Whether it was closed at the beginning, or came to be closed by calls that succeeded."""
    calls_failed: Count
    """How many of five calls that had to succeed without Redis did not."""
    slowest_call_ms: Milliseconds | None
    """The slowest of them."""
    opened: bool | None
    """Whether failures opened it without Redis."""
    failures_until_open: Count | None
    """After how many; workers that count by themselves meanwhile need more."""
    refusal_p50_ms: Milliseconds | None
    """The median time of a refusal without Redis."""
    refusal_max_ms: Milliseconds | None
    """The slowest of them."""
    in_time: bool | None
    """Whether Redis was back before the recovery time was over, so that the breaker had to be open still."""
    open_afterwards: bool | None
    """Whether the first call was refused then; null where the recovery time was over."""
    returned: bool | None
    """Whether the key in Redis told within `back` that the breaker was not closed: it is told what happened without it.
    Null where no key is configured, or where calls may have closed it in memory, for the recovery time was over."""
    returned_after_ms: Milliseconds | None
    """From the end of the outage until it did."""
    closed_again: bool | None
    """Whether calls that succeeded closed it at the end."""
    told_closed: bool | None
    """Whether the key in Redis told so; null where no key is configured."""
    elapsed_ms: Milliseconds
    """How long all of it took."""


@checker(
    "breaker.outage",
    expect={"closed_before": True, "calls_failed": 0, "opened": True, "closed_again": True},
    exclusive=True,
)
async def outage(params: OutageParams, ctx: Context) -> OutageFacts:
    """Take Redis away and drive a circuit breaker: it must go on in memory, and return to Redis when that is back.

    Without Redis, calls must succeed and failures open the breaker, and no call may wait for Redis for long. Afterwards
    Redis must be told. The recovery time must be longer than the outage takes to end, else little of that can be seen.
    Equal checks share one drive.

        kind: breaker.outage
        target: api
        with:
          outage: {fault: process.pause, target: redis}
          name: rag_api
          ...
        expect: {returned: true, told_closed: true, refusal_p50_ms: {max: 600}}
    """
    seen, elapsed_ms = await once("breaker.outage", params, ctx, lambda: _drive(params, ctx))
    opened = seen.opening.opened is not None
    refusals = sorted(call.latency_ms for call in seen.refusals if call.outcome is Outcome.REFUSED)
    keyed = params.key is not None
    return OutageFacts(
        closed_before=seen.ready,
        calls_failed=sum(call.outcome is not Outcome.SUCCEEDED for call in seen.calls),
        slowest_call_ms=_slowest_ms(seen.calls),
        opened=opened if seen.ready else None,
        failures_until_open=len(seen.opening.failed) if opened else None,
        refusal_p50_ms=quantile(refusals, 0.5),
        refusal_max_ms=refusals[-1] if refusals else None,
        in_time=seen.in_time,
        open_afterwards=seen.open_afterwards if seen.in_time else None,
        returned=_returned(seen) if opened and keyed else None,
        returned_after_ms=seen.returned_ms,
        closed_again=seen.closed_again,
        told_closed=seen.told_closed if keyed else None,
        elapsed_ms=elapsed_ms,
    )


async def _drive(params: OutageParams, ctx: Context) -> tuple[_Seen, float]:
    must_fail(params)
    driver, seen = Driver(params, ctx), _Seen()
    begun_s = driver.now()
    seen.ready = await driver.ready()
    if seen.ready:
        ctx.progress(f"breaker {params.name}: {params.outage.fault} takes Redis away")
        async with ctx.injected(params.outage):
            await _without(driver, seen)
        if seen.opening.opened is not None:
            await _return(params, driver, seen, seen.opening.opened)
    return seen, (driver.now() - begun_s) * 1000


async def _without(driver: Driver, seen: _Seen) -> None:
    """Let calls succeed, fail and be refused while Redis is gone. The key is not read, for it cannot be."""
    with driver.blind():
        seen.calls = [await driver.call() for _ in range(CALLS)]
        async with driver.failing() as wanted:
            seen.opening = await driver.open(wanted)
        if seen.opening.opened is not None:
            seen.refusals = [await driver.call() for _ in range(CALLS)]


async def _return(params: OutageParams, driver: Driver, seen: _Seen, opened: tuple[float, float]) -> None:
    """See whether the breaker is still open, and whether Redis comes to know that, and of its closing."""
    ended_s = driver.now()
    call = await driver.call()
    seen.open_afterwards = call.outcome is Outcome.REFUSED
    seen.in_time = call.answered_s < opened[0] + params.recovery
    while params.key is not None and driver.now() < ended_s + params.back:
        if driver.told in ("open", "half_open"):
            seen.returned_ms = (driver.now() - ended_s) * 1000
            break
        if driver.told == "closed" and driver.now() > max(ended_s, opened[1] + params.recovery) + params.settle:
            break  # by now calls have closed it, or it had forgotten: Redis was not told in between
        await driver.ctx.clock.sleep(PAUSE_S)
        call = await driver.call()
    seen.closed_again = await driver.ready()
    reading = await driver.readings.until("closed")
    seen.told_closed = reading is not None and reading.state == "closed"


def _returned(seen: _Seen) -> bool | None:
    return True if seen.returned_ms is not None else False if seen.in_time else None


def _slowest_ms(calls: Sequence[Call]) -> float | None:
    return max((call.latency_ms for call in calls), default=None)
