"""`breaker.reopen`: one failure while half open opens a breaker for another whole recovery time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Self

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._driver.calls import Call, Outcome
from xnai_validate.checkers.breaker._driver.driver import Driver
from xnai_validate.checkers.breaker._driver.phases import Opening, Waiting
from xnai_validate.checkers.breaker._driver.recovery import recovery_of
from xnai_validate.checkers.breaker._driver.trips import must_fail, must_have_time, note_unopened, refuse_unopened
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import BreakerParams, CourseFacts
from xnai_validate.kit import (
    Context,
    Count,
    FaultLimitReached,
    Ge,
    Le,
    Milliseconds,
    Unmeasurable,
    checker,
    model_validator,
)


class ReopenParams(BreakerParams):
    """A breaker, and when a trial fails."""

    after: Annotated[int, Ge(0), Le(99)] | None = None
    """How many trials succeed before one fails; by default all but one of those that would close it."""

    @model_validator(mode="after")
    def _verify_after(self) -> Self:
        """Raise ValueError if the failure would come after the breaker has closed."""
        if self.after is not None and self.after >= self.successes:
            raise ValueError(f"`after` must be less than {self.successes}: that many successes close the breaker")
        return self

    @property
    def trials(self) -> int:
        """How many trials succeed before one fails."""
        return self.successes - 1 if self.after is None else self.after


@dataclass(slots=True)
class _Record:
    """What was measured until the failed trial, and after it."""

    opening: Opening = field(default_factory=Opening)
    opened_by: Call | None = None
    first: Waiting = field(default_factory=Waiting)
    trials: int = 0
    """How many succeeded before one failed."""
    failed: Call | None = None
    """The trial that failed."""
    reopened: bool | None = None
    second: Waiting = field(default_factory=Waiting)
    closed_again: bool | None = None


class ReopenFacts(CourseFacts):
    """What a failure did to a half-open breaker; null for what was not reached."""

    opened: bool
    """Whether failures opened it the first time."""
    recovered: bool | None
    """Whether it let a call through after the recovery time."""
    trials_succeeded: Count
    """How many calls succeeded in `half_open` before one failed."""
    reopened_on_failure: bool | None
    """Whether the call after that failure was refused."""
    half_open_after_ms: Milliseconds | None
    """From that failure until a call was let through again."""
    early_ms: Milliseconds | None
    """How much earlier than promised it certainly let a call through then; 0 if no call shows it."""
    late_ms: Milliseconds | None
    """How much later than promised it certainly still refused calls then; 0 if no call shows it."""
    closed_again: bool | None
    """Whether it was closed at the end."""
    illegal_transitions: list[str] | None
    """Changes of state in the key that no breaker may make."""
    elapsed_ms: Milliseconds
    """How long the whole measurement took."""


@checker(
    "breaker.reopen",
    expect={"reopened_on_failure": True},
    exclusive=True,
    waits=drive_waits("breaker.reopen", recoveries=2),
)
async def reopen(params: ReopenParams, ctx: Context) -> ReopenFacts:
    """Fail once while a circuit breaker is half open: it must open again, for another whole recovery time.

    Takes two recovery times. By default the trial fails when one more success would have closed the breaker, so a
    breaker that closes too early is noticed too. Identical checks share one measurement.

        kind: breaker.reopen
        target: api
        with: {name: rag_api, failures: 3, recovery: 60s, key: "circuit_breaker:rag_api", call: ..., trip: ...}
        expect: {early_ms: {max: 50}}
    """
    driver, record, elapsed_ms = await once("breaker.reopen", params, ctx, lambda: _drive(params, ctx))
    times = recovery_of(params, record.failed.span if record.reopened and record.failed else None, record.second)
    return ReopenFacts(
        opened=record.opened_by is not None,
        recovered=record.first.admitted is not None if record.opened_by else None,
        trials_succeeded=record.trials,
        reopened_on_failure=record.reopened,
        half_open_after_ms=times.after_ms,
        early_ms=times.early_ms,
        late_ms=times.late_ms,
        closed_again=record.closed_again,
        illegal_transitions=driver.timeline.faults if record.opened_by else None,
        timeline=driver.timeline.as_json(),
        calls=driver.timeline.calls_as_json(),
        elapsed_ms=elapsed_ms,
    ).not_reached(_not_reached(params, record))


def _not_reached(params: ReopenParams, record: _Record) -> str | None:
    """Why the breaker was not half open, or not a second time, in words; None where it was."""
    if record.opened_by is None:
        return f"the breaker {params.name} did not open: {record.opening.detail}"
    waiting = record.second if record.reopened else record.first
    if waiting.admitted is None:
        return f"the open breaker {params.name} let no call through within {params.recovery + params.patience:g} s"
    if not record.reopened:
        return f"the breaker {params.name} did not open again"
    return None


async def _drive(params: ReopenParams, ctx: Context) -> tuple[Driver, _Record, float]:
    """Open the breaker, fail one trial while half open, wait a second recovery time, close; record each step."""
    must_fail(params)
    must_have_time(params, ctx, recoveries=2)
    driver, record = Driver(params, ctx), _Record()
    begun_s = driver.now()
    await refuse_unopened(params, ctx)
    await driver.begin()
    await _fail_while_half_open(params, driver, record)
    if record.reopened and record.failed is not None:
        record.second = await driver.wait(record.failed.answered_s)
        if record.second.admitted is not None:
            await driver.close(record.second.admitted)
            record.closed_again = await driver.tolerates_a_failure() is not False and driver.known_state in (
                None,
                "closed",
            )
    await driver.refuse_others()
    return driver, record, (driver.now() - begun_s) * 1000


async def _fail_while_half_open(params: ReopenParams, driver: Driver, record: _Record) -> None:
    """Open the breaker, let a call fail while it is half open, and note in `record` whether it opens again."""
    opening = record.opening
    try:
        async with driver.failing() as observation:
            await driver.open(observation, opening)
            if opening.refusal is not None and opening.failed and params.trials == 0:
                # The dependency stays as it is, and so the first call let through fails.
                record.opened_by = opening.failed[-1]
                record.first = await driver.wait(record.opened_by.answered_s, observation)
                record.failed = record.first.admitted
    except FaultLimitReached as error:
        opening.cut_off, opening.ended_s = error.message, driver.now()
    if opening.refusal is None or not opening.failed:
        await note_unopened(params, driver.ctx, opening)
        return
    record.opened_by = opening.failed[-1]
    if params.trials:
        record.first = await driver.wait(record.opened_by.answered_s)
        if record.first.admitted is None:
            return
        record.trials = await _succeed(params, driver, record.first.admitted)
        async with driver.failing() as observation:
            record.failed = await driver.fail(observation)
    if record.failed is not None and record.failed.outcome is not Outcome.REFUSED:
        record.reopened = (await driver.call()).outcome is Outcome.REFUSED


async def _succeed(params: ReopenParams, driver: Driver, admitted: Call) -> int:
    """Make successful trials, and return how many were let through. Raises Unmeasurable if one fails."""
    done, call = 0, admitted
    while True:
        done += call.outcome is Outcome.SUCCEEDED
        if call.outcome is Outcome.FAILED:
            raise Unmeasurable(f"a call failed that should succeed after the recovery time: {call.summary}")
        if done >= params.trials or call.outcome is not Outcome.SUCCEEDED:
            return done
        call = await driver.call()
