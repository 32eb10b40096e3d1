"""`breaker.survive`: an open breaker stays open while a part of the stack is disturbed, as by a restart."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._calls import Call, Outcome
from xnai_validate.checkers.breaker._driver import Driver
from xnai_validate.checkers.breaker._params import BreakerParams, State
from xnai_validate.checkers.breaker._trips import must_open
from xnai_validate.checkers.breaker.concurrent import at_once
from xnai_validate.kit import Context, Duration, Facts, FaultEntry, Milliseconds, Unmeasurable, checker

KNOWN = 8
"""Calls that are refused before anything happens, so that all workers know that the breaker is open."""


class SurviveParams(BreakerParams):
    """A breaker, and what happens while it is open."""

    disturb: FaultEntry
    """What happens: a restart of the API, of Redis."""
    held: bool = False
    """Whether the breaker is called while that lasts, instead of afterwards."""
    back: Duration = 30.0
    """How long calls may be without an answer of the service: one that succeeds, or a refusal with an envelope."""


@dataclass(slots=True)
class _Seen:
    ready: bool = False
    opened: bool = False
    first: Call | None = None
    """The first call that was answered afterwards."""
    back_ms: float | None = None
    in_time: bool | None = None
    survived: bool | None = None
    told: State | None = None
    closed_again: bool | None = None


class SurviveFacts(Facts):
    """What became of an open breaker; null is what it did not come to."""

    closed_before: bool
    """Whether it was closed at the beginning, or came to be closed by calls that succeeded."""
    opened: bool
    """Whether it was open when it began."""
    back: bool | None
    """Whether calls were answered again afterwards."""
    back_after_ms: Milliseconds | None
    """From the end of the disturbance, or its beginning where it is held, until one was."""
    in_time: bool | None
    """Whether that was before the recovery time was over, so that the call had to be refused."""
    survived: bool | None
    """Whether the breaker was still open: the call was refused, or, where the recovery time was over, was a trial that
    did not close it. Null where neither can be told: one success closes it, or one failure opens it."""
    told_after: str | None
    """The state that the key in Redis told after that call; null where it told none."""
    closed_again: bool | None
    """Whether calls that succeeded closed it at the end."""
    elapsed_ms: Milliseconds
    """How long all of it took."""


@checker(
    "breaker.survive",
    expect={"closed_before": True, "opened": True, "back": True, "survived": True, "closed_again": True},
    exclusive=True,
)
async def survive(params: SurviveParams, ctx: Context) -> SurviveFacts:
    """Disturb the stack while a circuit breaker is open, as by a restart: it must still be open.

    Within the recovery time, the first call that is answered again must be refused. Later it is a trial: then the
    breaker must not be closed after it, which the key in Redis tells, or a failure that opens it at once. Equal checks
    share one drive.

        kind: breaker.survive
        target: api
        with:
          disturb: {fault: process.restart, target: api}
          name: rag_api
          ...
        expect: {told_after: {in: [open, half_open]}}
    """
    seen, elapsed_ms = await once("breaker.survive", params, ctx, lambda: _drive(params, ctx))
    return SurviveFacts(
        closed_before=seen.ready,
        opened=seen.opened,
        back=seen.first is not None if seen.opened else None,
        back_after_ms=seen.back_ms,
        in_time=seen.in_time,
        survived=seen.survived,
        told_after=seen.told,
        closed_again=seen.closed_again,
        elapsed_ms=elapsed_ms,
    )


async def _drive(params: SurviveParams, ctx: Context) -> tuple[_Seen, float]:
    must_open(params)
    driver, seen = Driver(params, ctx), _Seen()
    begun_s = driver.now()
    seen.ready = await driver.ready()
    if seen.ready:
        async with driver.opened() as opening:
            if opening.opened is not None:
                seen.opened = True
                await _disturb(params, driver, opening.opened, seen)
    return seen, (driver.now() - begun_s) * 1000


async def _disturb(params: SurviveParams, driver: Driver, opened: tuple[float, float], seen: _Seen) -> None:
    driver.ctx.progress(f"breaker {params.name}: {params.disturb.fault} while it is open")
    await at_once(params, driver.ctx, params.call, KNOWN)
    if driver.now() >= opened[0] + params.recovery:
        raise Unmeasurable(f"the recovery time of the breaker {params.name} was over before anything could be done")
    async with driver.ctx.injected(params.disturb):
        if params.held:
            await _look(params, driver, opened, seen)
    if not params.held:
        await _look(params, driver, opened, seen)
    if seen.first is not None:
        seen.closed_again = await driver.ready()


async def _look(params: SurviveParams, driver: Driver, opened: tuple[float, float], seen: _Seen) -> None:
    """Call until there is an answer, and see what that says of the breaker."""
    since_s = driver.now()
    seen.first = await _answered(params, driver, since_s)
    if seen.first is None:
        return
    seen.back_ms = (seen.first.answered_s - since_s) * 1000
    seen.in_time = seen.first.answered_s < opened[0] + params.recovery
    seen.told = driver.last.state if driver.last else None
    seen.survived = await _still_open(params, driver, seen)


async def _answered(params: SurviveParams, driver: Driver, since_s: float) -> Call | None:
    """The first call that the service answers; None where it answers none within `back`."""
    while True:
        call = await driver.call()
        if call.from_breaker:
            return call
        if driver.now() >= since_s + params.back:
            return None
        await driver.ctx.clock.sleep(params.every)


async def _still_open(params: SurviveParams, driver: Driver, seen: _Seen) -> bool | None:
    """Whether the breaker had stayed open, as far as calls can tell."""
    if seen.first is None or seen.first.outcome is Outcome.REFUSED:
        return seen.first is not None
    if seen.in_time:
        return False
    if params.successes == 1:
        return None
    if seen.told is not None:
        return seen.told != "closed"
    tolerated = await driver.tolerates_a_failure()
    return None if tolerated is None else not tolerated
