"""`breaker.survive`: an open breaker stays open during a fault of the stack, such as a restart."""

from __future__ import annotations

from dataclasses import dataclass, field

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._driver.calls import Call, Outcome
from xnai_validate.checkers.breaker._driver.driver import Driver
from xnai_validate.checkers.breaker._driver.phases import Opening
from xnai_validate.checkers.breaker._driver.trips import must_open
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import BreakerParams, CourseFacts, State
from xnai_validate.checkers.breaker.concurrent import at_once
from xnai_validate.kit import Context, Duration, FaultEntry, Milliseconds, Unmeasurable, checker

KNOWN = 8
"""Calls that are refused before the fault, so that all workers know that the breaker is open."""


class SurviveParams(BreakerParams):
    """A breaker, and a fault while it is open."""

    disturb: FaultEntry
    """The fault: a restart of the API, of Redis."""
    held: bool = False
    """Whether the breaker is called while the fault is active, instead of afterwards."""
    back: Duration = 30.0
    """How long it may take until the service answers: a call that succeeds, or a refusal with an envelope."""


@dataclass(slots=True)
class _Record:
    """What was measured before and after the fault."""

    driver: Driver
    opening: Opening = field(default_factory=Opening)
    opened: bool = False
    first_answered: Call | None = None
    """The first call that was answered afterwards."""
    answered_after_ms: float | None = None
    """From the end of the fault, or its beginning if it is held, until that call was answered."""
    within_recovery: bool | None = None
    """Whether the breaker had to refuse that call: its recovery time was not over."""
    survived: bool | None = None
    state_after: State | None = None
    closed_again: bool | None = None


class SurviveFacts(CourseFacts):
    """An open breaker after a fault; null for what was not reached."""

    opened: bool
    """Whether it was open when the fault began."""
    back: bool | None
    """Whether calls were answered again afterwards."""
    back_after_ms: Milliseconds | None
    """From the end of the fault, or its beginning if it is `held`, until the first such answer."""
    in_time: bool | None
    """Whether that was within the recovery time, so that the call had to be refused."""
    survived: bool | None
    """Whether the breaker was still open: the call was refused, or, if the recovery time was over, was a trial that did
    not close it. Null if that cannot be known: one success closes it, or one failure opens it."""
    told_after: str | None
    """The state in the key in Redis after that call; null if it has none."""
    closed_again: bool | None
    """Whether calls that succeeded closed it at the end."""
    elapsed_ms: Milliseconds
    """How long the whole measurement took."""


@checker(
    "breaker.survive",
    expect={"back": True, "survived": True},
    exclusive=True,
    waits=drive_waits("breaker.survive", back=True),
)
async def survive(params: SurviveParams, ctx: Context) -> SurviveFacts:
    """Inject a fault while a circuit breaker is open, such as a restart: it must still be open.

    Within the recovery time, the first call that is answered again must be refused. Later it is a trial: then the
    breaker must not be closed after it, as the key in Redis shows, or a failure that opens it at once. Equal checks
    share one measurement.

        kind: breaker.survive
        target: api
        with:
          disturb: {fault: process.restart, target: api}
          name: rag_api
          ...
        expect: {told_after: {in: [open, half_open]}}
    """
    record, elapsed_ms = await once("breaker.survive", params, ctx, lambda: _drive(params, ctx))
    return SurviveFacts(
        opened=record.opened,
        back=record.first_answered is not None if record.opened else None,
        back_after_ms=record.answered_after_ms,
        in_time=record.within_recovery,
        survived=record.survived,
        told_after=record.state_after,
        closed_again=record.closed_again,
        timeline=record.driver.timeline.as_json(),
        calls=record.driver.timeline.calls_as_json(),
        elapsed_ms=elapsed_ms,
    ).not_reached(_not_reached(params, record))


def _not_reached(params: SurviveParams, record: _Record) -> str | None:
    """Why the breaker was not judged after the fault, in words; None where it was."""
    if not record.opened:
        return f"the breaker {params.name} did not open, so nothing was disturbed: {record.opening.detail}"
    if record.first_answered is None:
        return f"no call was answered within {params.back:g} s after {params.disturb.fault}"
    return None


async def _drive(params: SurviveParams, ctx: Context) -> tuple[_Record, float]:
    """Open the breaker, disturb the stack, and return what was observed and how long it took in milliseconds."""
    must_open(params)
    driver = Driver(params, ctx)
    record = _Record(driver)
    begun_s = driver.now()
    await driver.begin()
    async with driver.opened() as record.opening:
        if record.opening.opened is not None:
            record.opened = True
            await _disturb(params, driver, record.opening.opened, record)
    await driver.refuse_others()
    return record, (driver.now() - begun_s) * 1000


async def _disturb(params: SurviveParams, driver: Driver, opened: tuple[float, float], record: _Record) -> None:
    """Inject the fault while the breaker is open, and note in `record` whether it stays open."""
    driver.ctx.progress(f"breaker {params.name}: {params.disturb.fault} while it is open")
    await at_once(params, driver.ctx, params.call, KNOWN)
    if driver.now() >= opened[0] + params.recovery:
        raise Unmeasurable(
            f"the recovery time of the breaker {params.name} was over before the fault could be injected"
        )
    async with driver.ctx.injected(params.disturb):
        if params.held:
            await _observe_afterwards(params, driver, opened, record)
    if not params.held:
        await _observe_afterwards(params, driver, opened, record)
    if record.first_answered is not None:
        record.closed_again = await driver.ready()


async def _observe_afterwards(
    params: SurviveParams, driver: Driver, opened: tuple[float, float], record: _Record
) -> None:
    """Call until there is an answer, and note whether the breaker was still open."""
    since_s = driver.now()
    record.first_answered = await _call_until_answered(params, driver, since_s)
    if record.first_answered is None:
        return
    record.answered_after_ms = (record.first_answered.answered_s - since_s) * 1000
    record.within_recovery = record.first_answered.answered_s < opened[0] + params.recovery
    record.state_after = driver.last.state if driver.last else None
    record.survived = await _still_open(params, driver, record)


async def _call_until_answered(params: SurviveParams, driver: Driver, since_s: float) -> Call | None:
    """Call every `every` seconds; return the first call that succeeds or that the breaker refuses.

    None after `back` seconds without such a call.
    """
    while True:
        call = await driver.call()
        if call.from_breaker:
            return call
        if call.sent_s >= since_s + params.back:
            return None
        await driver.ctx.clock.sleep(params.every)


async def _still_open(params: SurviveParams, driver: Driver, record: _Record) -> bool | None:
    """Whether the breaker had stayed open; None if calls cannot show it."""
    if record.first_answered is None or record.first_answered.outcome is Outcome.REFUSED:
        return record.first_answered is not None
    if record.within_recovery:
        return False
    if params.successes == 1:
        return None
    if record.state_after is not None:
        return record.state_after != "closed"
    tolerated = await driver.tolerates_a_failure()
    return None if tolerated is None else not tolerated
