"""`breaker.concurrent`: a breaker under many calls at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._direct import ALONE, DIRECT, DirectCalls, call_directly, serial_ratio
from xnai_validate.checkers.breaker._driver.calls import Call, Outcome, make
from xnai_validate.checkers.breaker._driver.driver import Driver
from xnai_validate.checkers.breaker._driver.trips import must_fail, must_have_time, refuse_unopened
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import BreakerParams
from xnai_validate.checkers.breaker.refusal import quantile
from xnai_validate.kit import (
    Context,
    Count,
    Facts,
    Field,
    Ge,
    Le,
    Milliseconds,
    NotApplicable,
    Observation,
    Timed,
    XnaiError,
    checker,
)

ROUNDS = 2
"""How often all callers call while the breaker is open."""


class ConcurrentParams(BreakerParams):
    """A breaker, and how many call it."""

    callers: Annotated[int, Ge(3), Le(256)] = 20
    """How many calls are under way at once. `call` should take a tenth of a second or more by waiting, not by
    computing, else `serial_ratio` and `admitted_half_open` measure the machine."""
    direct: Observation | None = None
    """A call to the dependency itself, past the breaker. Where such calls run one by one, as in a model server with a
    single slot, calls through the breaker do as well: then they are not made at once while it is closed. Where they
    slow each other down as much as those through the breaker, as with two slots, it is not the breaker's doing."""
    skip_if_serial: bool = Field(default=False, exclude=True)  # the drive is the same
    """Skip the check where calls run one by one, or not, for another reason than the breaker; else what is not known
    then is not judged."""


@dataclass(slots=True)
class _Record:
    """The calls of one measurement, in the order in which they are made."""

    alone: list[Call] = field(default_factory=list)
    direct: DirectCalls = field(default_factory=DirectCalls)
    together: list[Call] = field(default_factory=list)
    failing: list[Call] = field(default_factory=list)
    opened: bool = False
    while_open: list[Call] = field(default_factory=list)
    trials: list[Call] = field(default_factory=list)
    closed_again: bool | None = None

    @property
    def serial_elsewhere(self) -> str | None:
        """Why the calls may run one by one for another reason than the breaker; None if no such reason was found."""
        return self.direct.why_serial(self.serial_ratio)

    @property
    def serial_ratio(self) -> float | None:
        """How far the calls at once ran one by one; None if they were not made."""
        return serial_ratio(quickest_ms(self.alone), [call.answered_s for call in self.together])

    @property
    def everything(self) -> list[Call]:
        """All calls that were made at once."""
        return [*self.together, *self.failing, *self.while_open, *self.trials]


class ConcurrentFacts(Facts):
    """A breaker under many calls at once; null for what was not reached."""

    callers: Count
    """How many calls were under way at once."""
    alone_ms: Milliseconds | None
    """The quickest of three calls, one after the other."""
    together_ms: Milliseconds | None
    """From the first of the calls at once to the end of the last, the breaker being closed."""
    serial_ratio: Annotated[float, Timed()] | None
    """How far the calls at once were done one by one: near 0 where they ended together, near 1 where each ended a
    call's time after the one before; the longest of these times is left out. Null where that may not be the doing of
    the breaker."""
    direct_serial_ratio: float | None
    """The same of calls to the dependency itself; null without `direct`, and where one of these calls failed."""
    together_failed: Count | None
    """How many of the calls at once did not succeed, before any fault; null where they were not made."""
    opened: bool
    """Whether calls were refused after as many failures as promised."""
    failures_let_through: Count
    """How many calls failed until then; those that were under way before the breaker opened are among them."""
    refused: Count
    """How many calls at once were refused while it was open."""
    leaked_calls: Count | None
    """How many were let through although it was open: sent `settle` after the failure that must have opened it, and
    answered that long before the recovery time can have been over; null where no call was."""
    refusal_p50_ms: Milliseconds | None
    """The median time of a refusal, with all calls made at once."""
    refusal_max_ms: Milliseconds | None
    """The slowest."""
    recovered: bool | None
    """Whether it let any call through within the recovery time and the patience."""
    admitted_half_open: Count | None
    """How many of the calls at once were let through before the first of them can have ended, and so before any success
    can have closed it."""
    refused_half_open: Count | None
    """How many of them were refused."""
    closed_again: bool | None
    """Whether it was closed at the end."""
    unanswered: Count
    """How many of all calls at once had no whole answer: a breaker that deadlocks shows here."""
    elapsed_ms: Milliseconds
    """How long the whole measurement took."""


@checker(
    "breaker.concurrent",
    expect={"leaked_calls": 0, "unanswered": 0},
    exclusive=True,
    waits=drive_waits("breaker.concurrent"),
)
async def concurrent(params: ConcurrentParams, ctx: Context) -> ConcurrentFacts:
    """Make many calls through a circuit breaker at once: closed, failing, open and half open.

    Closed, the calls must run in parallel; once it opens, none may come through; half open, only a few may.
    Requests with an effect (POST) open a connection each, and so reach all workers of a server. Identical checks share
    one drive.

        kind: breaker.concurrent
        target: api
        with: {callers: 20, name: rag_api, failures: 3, recovery: 60s, call: ..., trip: ...}
        expect: {serial_ratio: {max: 0.5}, admitted_half_open: {max: 6}, refusal_p50_ms: {max: 100}}
    """
    record, elapsed_ms = await once("breaker.concurrent", params, ctx, lambda: _drive(params, ctx))
    latencies = sorted(call.latency_ms for call in record.while_open if call.outcome is Outcome.REFUSED)
    alone_ms = quickest_ms(record.alone)
    if record.serial_elsewhere is not None and params.skip_if_serial:
        raise NotApplicable(record.serial_elsewhere)
    together_ms = _span_ms(record.together)
    calls_while_open = _before_recovery(params, record)
    recovered = any(call.let_through for call in record.trials)
    return ConcurrentFacts(
        callers=params.callers,
        alone_ms=alone_ms,
        together_ms=together_ms,
        serial_ratio=None if record.serial_elsewhere else record.serial_ratio,
        direct_serial_ratio=record.direct.serial_ratio,
        together_failed=sum(call.outcome is not Outcome.SUCCEEDED for call in record.together)
        if record.together
        else None,
        opened=record.opened,
        failures_let_through=sum(call.outcome is Outcome.FAILED for call in record.failing),
        refused=len(latencies),
        leaked_calls=sum(call.let_through for call in calls_while_open) if calls_while_open else None,
        refusal_p50_ms=quantile(latencies, 0.5),
        refusal_max_ms=latencies[-1] if latencies else None,
        recovered=recovered if record.opened else None,
        admitted_half_open=_count_admitted(record.trials, record.alone) if recovered else None,
        refused_half_open=sum(call.outcome is Outcome.REFUSED for call in record.trials) if recovered else None,
        closed_again=record.closed_again,
        unanswered=sum(call.outcome is Outcome.UNANSWERED for call in record.everything),
        elapsed_ms=elapsed_ms,
    ).not_reached(_not_reached(params, record))


def _not_reached(params: ConcurrentParams, record: _Record) -> str | None:
    """Why the breaker was not open, or not half open, in words; None where it was."""
    if not record.opened:
        failed = len(_failures(record))
        return f"the breaker {params.name} did not open: {failed} calls at once failed, and none after them was refused"
    if not any(call.let_through for call in record.trials):
        return f"the open breaker {params.name} let no call through within {params.recovery + params.patience:g} s"
    return record.serial_elsewhere


async def _drive(params: ConcurrentParams, ctx: Context) -> tuple[_Record, float]:
    """Call one by one, then at once, then at once with failures, then at once after the recovery time."""
    must_fail(params)
    must_have_time(params, ctx)
    driver, record = Driver(params, ctx), _Record()
    begun_s = driver.now()
    await refuse_unopened(params, ctx)
    await driver.begin()
    record.alone = [await driver.call() for _ in range(ALONE)]
    if params.direct is not None:
        ctx.progress(f"breaker {params.name}: {DIRECT} calls at once to what is behind it")
        record.direct = await call_directly(params.direct, ctx)
    if record.serial_elsewhere is None:
        ctx.progress(f"breaker {params.name}: {params.callers} calls at once")
        record.together = await at_once(params, ctx, params.call, params.callers)
    ctx.progress(f"breaker {params.name}: {params.callers} calls at once that fail")
    await _open_breaker(params, driver, record)
    if record.opened:
        await _try_at_once(params, driver, record)
    await driver.refuse_others()
    return record, (driver.now() - begun_s) * 1000


async def at_once(params: BreakerParams, ctx: Context, observation: Observation, count: int) -> list[Call]:
    """Begin `count` calls at once and return them; raises the first XnaiError among them."""

    async def attempt() -> Call | XnaiError:
        """Make one call; an error is returned, not raised."""
        try:
            return await make(ctx, observation, params.name)
        except XnaiError as error:
            return error  # raised within a TaskGroup it would be wrapped in a group

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(attempt()) for _ in range(count)]
    calls = [task.result() for task in tasks]
    for call in calls:
        if isinstance(call, XnaiError):
            raise call
    return [call for call in calls if isinstance(call, Call)]


async def _open_breaker(params: ConcurrentParams, driver: Driver, record: _Record) -> None:
    """Fail at once until as many have failed as must open it, then call the open breaker at once."""
    async with driver.failing() as observation:
        for _ in range(params.failures):
            record.failing += await at_once(params, driver.ctx, observation, params.callers)
            if len(_failures(record)) >= params.failures:
                break
        await driver.ctx.clock.sleep(params.settle)
        for _ in range(ROUNDS):
            record.while_open += await at_once(params, driver.ctx, observation, params.callers)
    record.opened = any(call.outcome is Outcome.REFUSED for call in record.while_open)


def _failures(record: _Record) -> list[Call]:
    """The failures before the breaker was called as an open one, in the order of their ends."""
    failed = (call for call in record.failing if call.outcome in (Outcome.FAILED, Outcome.UNANSWERED))
    return sorted(failed, key=lambda call: call.answered_s)


def _before_recovery(params: ConcurrentParams, record: _Record) -> list[Call]:
    """Return the concurrent calls that were answered before the recovery time could end.

    No breaker opens before a call has failed; `settle` is what may lie between that and our reading of the answer.
    """
    failures = _failures(record)
    if len(failures) < params.failures:
        return []
    over_s = failures[0].answered_s + params.recovery - params.settle
    return [call for call in record.while_open if call.answered_s < over_s]


async def _try_at_once(params: ConcurrentParams, driver: Driver, record: _Record) -> None:
    """When the recovery time is over, call at once; again until any call is let through."""
    ended_s = _failures(record)[-1].answered_s if _failures(record) else driver.now()
    await driver.ctx.clock.sleep(max(0.0, ended_s + params.recovery - driver.now()))
    while True:
        record.trials = await at_once(params, driver.ctx, params.call, params.callers)
        if any(call.let_through for call in record.trials):
            break
        if min(call.sent_s for call in record.trials) >= ended_s + params.recovery + params.patience:
            return
        await driver.ctx.clock.sleep(params.every)
    record.closed_again = await driver.ready_again() and await driver.tolerates_a_failure() is not False


def _span_ms(calls: Sequence[Call]) -> float | None:
    """Return the time from the first call to the last answer."""
    if not calls:
        return None
    return (max(call.answered_s for call in calls) - min(call.sent_s for call in calls)) * 1000


def quickest_ms(calls: Sequence[Call]) -> float | None:
    """Return the least latency of the calls."""
    return min((call.latency_ms for call in calls), default=None)


def _count_admitted(calls: Sequence[Call], alone: Sequence[Call]) -> int:
    """Count the calls let through that arrived before any success can have closed the breaker.

    No trial ends sooner than half the time that the quickest call took alone. Calls that this
    program could write only later, on a busy machine, are not counted; but at least one is.
    """
    through = [call for call in calls if call.let_through]
    half_s = min(call.latency_ms for call in alone) / 2000
    until_s = min(call.sent_s for call in through) + half_s
    return max(1, sum(call.written_s <= until_s for call in through))
