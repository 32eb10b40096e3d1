"""`breaker.outage`: a breaker works without Redis, and returns to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._driver.calls import Call, Outcome
from xnai_validate.checkers.breaker._driver.driver import Driver
from xnai_validate.checkers.breaker._driver.phases import Opening
from xnai_validate.checkers.breaker._driver.readings import PAUSE_S, Reading
from xnai_validate.checkers.breaker._driver.trips import must_fail, refuse_unopened
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import BreakerParams, CourseFacts
from xnai_validate.checkers.breaker.concurrent import at_once
from xnai_validate.checkers.breaker.refusal import quantile
from xnai_validate.kit import Context, Count, Duration, FaultEntry, Milliseconds, Observation, checker

FIRST_CROWD, LARGEST_CROWD = 4, 24
"""Calls at once, on connections of their own: the last reach every worker of a server, or of several behind one url."""
CALLS = 5
"""Calls that are to succeed, and calls that are to be refused, while Redis is gone."""


class OutageParams(BreakerParams):
    """A breaker, and what takes Redis away."""

    outage: FaultEntry
    """What takes Redis away from the stack for a while: `redis.pause`, `process.pause`."""
    back: Duration = 30.0
    """How long the key in Redis may take afterwards to show what happened."""


@dataclass(slots=True)
class _Record:
    """What was measured without Redis, and after its return."""

    driver: Driver
    calls: list[Call] = field(default_factory=list)
    opening: Opening = field(default_factory=Opening)
    refusals: list[Call] = field(default_factory=list)
    open_afterwards: bool | None = None
    in_time: bool | None = None
    returned_ms: float | None = None
    closed_again: bool | None = None
    told_closed: bool | None = None
    before: Reading | None = None
    """The key before the outage."""


class OutageFacts(CourseFacts):
    """A breaker without Redis, and after; null for what was not reached."""

    calls_failed: Count
    """How many of five calls that had to succeed without Redis did not."""
    slowest_call_ms: Milliseconds | None
    """The slowest of them."""
    opened: bool
    """Whether failures opened it without Redis."""
    opened_detail: str | None
    """What was done and seen where it did not open; null where it did."""
    failures_until_open: Count | None
    """After how many; workers that count by themselves meanwhile need more."""
    refusal_p50_ms: Milliseconds | None
    """The median time of a refusal without Redis."""
    refusal_max_ms: Milliseconds | None
    """The slowest of them."""
    in_time: bool | None
    """Whether Redis was back within the recovery time, so that the breaker still had to be open."""
    open_afterwards: bool | None
    """Whether the first call was refused then; null if the recovery time was over."""
    returned: bool | None
    """Whether the key in Redis showed within `back` that the breaker was not closed: the breaker wrote its state there.
    Null if no key is configured, or if calls may have closed it in memory after the recovery time."""
    returned_after_ms: Milliseconds | None
    """From the end of the outage until it did."""
    closed_again: bool | None
    """Whether calls that succeeded closed it at the end."""
    told_closed: bool | None
    """Whether the key in Redis showed that, written after the outage; null if no key is configured."""
    elapsed_ms: Milliseconds
    """How long the whole measurement took."""


@checker(
    "breaker.outage",
    exclusive=True,
    waits=drive_waits("breaker.outage", back=True),
)
async def outage(params: OutageParams, ctx: Context) -> OutageFacts:
    """Make Redis unavailable and drive a circuit breaker: it must work in memory, and use Redis again afterwards.

    Without Redis, calls must succeed and failures open the breaker, and no call may wait for Redis for long. Afterwards
    the state must be in Redis. The recovery time must be longer than the outage takes to end, else most facts are null.
    Identical checks share one measurement.

        kind: breaker.outage
        target: api
        with:
          outage: {fault: process.pause, target: redis}
          name: rag_api
          ...
        expect: {calls_failed: 0, opened: true, returned: true, told_closed: true, refusal_p50_ms: {max: 600}}
    """
    record, elapsed_ms = await once("breaker.outage", params, ctx, lambda: _drive(params, ctx))
    opened = record.opening.opened is not None
    refusals = sorted(call.latency_ms for call in record.refusals if call.outcome is Outcome.REFUSED)
    keyed = params.key is not None
    return OutageFacts(
        calls_failed=sum(call.outcome is not Outcome.SUCCEEDED for call in record.calls),
        slowest_call_ms=_slowest_ms(record.calls),
        opened=opened,
        opened_detail=record.opening.detail,
        failures_until_open=len(record.opening.failed) if opened else None,
        refusal_p50_ms=quantile(refusals, 0.5),
        refusal_max_ms=refusals[-1] if refusals else None,
        in_time=record.in_time,
        open_afterwards=record.open_afterwards if record.in_time else None,
        returned=_has_returned(record) if opened and keyed else None,
        returned_after_ms=record.returned_ms,
        closed_again=record.closed_again,
        told_closed=record.told_closed if keyed else None,
        timeline=record.driver.timeline.as_json(),
        calls=record.driver.timeline.calls_as_json(),
        elapsed_ms=elapsed_ms,
    ).not_reached(
        f"without Redis the breaker {params.name} did not open: {record.opening.detail}" if not opened else None
    )


async def _drive(params: OutageParams, ctx: Context) -> tuple[_Record, float]:
    """Open the breaker while Redis is away, then bring Redis back; return what was seen, and the time in ms."""
    must_fail(params)
    driver = Driver(params, ctx)
    record = _Record(driver)
    begun_s = driver.now()
    await refuse_unopened(params, ctx)
    await driver.begin()
    record.before = driver.last
    ctx.progress(f"breaker {params.name}: {params.outage.fault} takes Redis away")
    async with ctx.injected(params.outage):
        await _without(driver, record)
    if record.opening.opened is not None:
        await _return(params, driver, record, record.opening.opened)
    await driver.refuse_others()
    return record, (driver.now() - begun_s) * 1000


async def _without(driver: Driver, record: _Record) -> None:
    """Let calls succeed, fail and be refused while Redis is gone. The key is not read meanwhile."""
    with driver.blind():
        record.calls = [await driver.call() for _ in range(CALLS)]
        async with driver.failing() as observation:
            await driver.open(observation, record.opening)
            await _open_every_worker(driver, observation, record.opening)
        if record.opening.opened is not None:
            record.refusals = [await driver.call() for _ in range(CALLS)]


async def _open_every_worker(driver: Driver, observation: Observation, opening: Opening) -> None:
    """Make as many calls fail at once as open the breaker in each of many workers, until one is refused.

    Without Redis each worker counts by itself, and how many there are is not known from outside. Each crowd is twice
    the one before: a model server with a single slot has to work off every call that it was given meanwhile.
    """
    params = driver.params
    for number in range(params.failures + 1):
        if opening.refusal is not None:
            return
        crowd = min(FIRST_CROWD * 2**number, LARGEST_CROWD)
        calls = await at_once(params, driver.ctx, observation, crowd)
        failed = [call for call in calls if call.outcome is Outcome.FAILED]
        opening.failed += sorted(failed, key=lambda call: call.answered_s)
        opening.refusal = next((call for call in calls if call.outcome is Outcome.REFUSED), None)
        opening.ended_s = driver.now()


async def _return(params: OutageParams, driver: Driver, record: _Record, opened: tuple[float, float]) -> None:
    """Measure whether the breaker is still open, and whether the key shows that, and its closing."""
    ended_s = driver.now()
    call = await driver.call()
    record.open_afterwards = call.outcome is Outcome.REFUSED
    record.in_time = call.answered_s < opened[0] + params.recovery
    while params.key is not None and driver.now() < ended_s + params.back:
        if driver.known_state in ("open", "half_open"):
            record.returned_ms = (driver.now() - ended_s) * 1000
            break
        if driver.known_state == "closed" and driver.now() > max(ended_s, opened[1] + params.recovery) + params.settle:
            break  # by now calls have closed it, or it lost its state: it was not written to Redis in between
        await driver.ctx.clock.sleep(PAUSE_S)
        call = await driver.call()
    record.closed_again = await driver.ready_again()
    while True:
        is_last = driver.now() >= ended_s + params.back
        reading = await driver.readings.until("closed")
        # The key was `closed` before the outage, too: only one that has changed since was written again.
        is_written = reading is not None and (record.before is None or reading.document != record.before.document)
        record.told_closed = is_written and reading is not None and reading.state == "closed"
        if record.told_closed or is_last or reading is None:
            return
        await driver.ctx.clock.sleep(params.every)
        await driver.call()


def _has_returned(record: _Record) -> bool | None:
    """Return whether the breaker used Redis again; None if the time was too short to know."""
    return True if record.returned_ms is not None else False if record.in_time else None


def _slowest_ms(calls: Sequence[Call]) -> float | None:
    """Return the longest latency of the calls."""
    return max((call.latency_ms for call in calls), default=None)
