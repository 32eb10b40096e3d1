"""`breaker.forgive`: a success resets the failures that a closed breaker has counted."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._driver.calls import Outcome
from xnai_validate.checkers.breaker._driver.driver import Driver
from xnai_validate.checkers.breaker._driver.trips import must_fail, refuse_unopened
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import BreakerParams
from xnai_validate.checkers.breaker.concurrent import at_once
from xnai_validate.kit import Context, Count, Facts, Milliseconds, NotApplicable, checker


@dataclass(slots=True)
class _Record:
    """What was measured before, at and after the success."""

    before: int = 0
    """Failures before the success."""
    opened_early: bool | None = None
    count: int | None = None
    """`failure_count` in the key after the success."""
    after: int = 0
    """Failures after it."""
    forgave: bool | None = None


class ForgiveFacts(Facts):
    """What a success between failures did to a closed breaker; null for what was not reached."""

    failures_before: Count
    """How many calls failed before the success: one less than open it, unless it opened before."""
    opened_early: bool | None
    """Whether those opened it."""
    count_after_success: int | None
    """`failure_count` in the key after the success; null if the key does not have it."""
    failures_after: Count
    """How many calls failed after the success, before one was refused: one less than open it is right."""
    forgave: bool | None
    """Whether as many failures after the success left it closed."""
    elapsed_ms: Milliseconds
    """How long the whole measurement took."""


@checker(
    "breaker.forgive",
    expect={"opened_early": False, "forgave": True},
    exclusive=True,
    waits=drive_waits("breaker.forgive", recoveries=0),
)
async def forgive(params: BreakerParams, ctx: Context) -> ForgiveFacts:
    """Make one failure less than opens a circuit breaker, one success, and as many failures again: it must stay closed.

    Only failures in a row open a breaker. Takes no recovery time if the breaker keeps its promise. Skipped if one
    failure opens it. Identical checks share one measurement.

        kind: breaker.forgive
        target: api
        with: {name: rag_api, failures: 3, recovery: 60s, key: "circuit_breaker:rag_api", call: ..., trip: ...}
        expect: {count_after_success: 0}
    """
    if params.failures == 1:
        raise NotApplicable(f"one failure opens the breaker {params.name}: a success between failures cannot be tried")
    record, elapsed_ms = await once("breaker.forgive", params, ctx, lambda: _drive(params, ctx))
    return ForgiveFacts(
        failures_before=record.before,
        opened_early=record.opened_early,
        count_after_success=record.count,
        failures_after=record.after,
        forgave=record.forgave,
        elapsed_ms=elapsed_ms,
    ).not_reached(f"the breaker {params.name} opened before the success" if record.opened_early else None)


async def _drive(params: BreakerParams, ctx: Context) -> tuple[_Record, float]:
    """Fail and succeed twice; return what was seen, and how long it took in ms."""
    must_fail(params)
    driver, record = Driver(params, ctx), _Record()
    begun_s = driver.now()
    await refuse_unopened(params, ctx)
    await driver.begin()
    record.before, opened = await _fail_and_succeed(driver)
    record.opened_early = opened
    count = driver.last.number("failure_count") if driver.last else None
    record.count = None if count is None else int(count)
    if not opened:
        record.after, opened = await _fail_and_succeed(driver)
        record.forgave = not opened
    await driver.refuse_others()
    return record, (driver.now() - begun_s) * 1000


async def _fail_and_succeed(driver: Driver) -> tuple[int, bool]:
    """Make one failure less than opens the breaker, then a success: the failures, and whether a call was refused.

    The failing calls are made at once, since each may last until a time limit of the stack.
    """
    params = driver.params
    async with driver.failing() as observation:
        calls = await at_once(params, driver.ctx, observation, params.failures - 1)
    if any(call.outcome is Outcome.SUCCEEDED for call in calls):
        raise NotApplicable(f"a call through the breaker {params.name} that should fail succeeded")
    failed = sum(call.outcome is not Outcome.REFUSED for call in calls)
    return failed, failed < len(calls) or (await driver.call()).outcome is Outcome.REFUSED
