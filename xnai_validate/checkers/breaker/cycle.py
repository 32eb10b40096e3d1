"""`breaker.cycle`: once around, from closed to open, half open and closed again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from xnai_validate.checkers._once import once
from xnai_validate.checkers._steps import failure, observe_all
from xnai_validate.checkers.breaker._driver.calls import Call, Outcome
from xnai_validate.checkers.breaker._driver.driver import Driver
from xnai_validate.checkers.breaker._driver.phases import Closing, Opening, Waiting
from xnai_validate.checkers.breaker._driver.readings import Reading
from xnai_validate.checkers.breaker._driver.recovery import recovery_of
from xnai_validate.checkers.breaker._driver.trips import must_have_time, must_open, note_unopened
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import CourseFacts, CycleParams
from xnai_validate.kit import Context, Count, Milliseconds, checker


@dataclass(slots=True)
class Cycle:
    """All that was measured while a breaker went through its states once."""

    driver: Driver
    begun_s: float
    before: Reading | None = None
    """The key before the first failure."""
    opening: Opening = field(default_factory=Opening)
    waiting: Waiting = field(default_factory=Waiting)
    closing: Closing | None = None
    closed_again: bool | None = None
    after: Reading | None = None
    """The key at the end."""
    counted: tuple[int, int] = (0, 0)
    """Failures and successes from `before` to `after`."""
    disagree: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    ended_s: float = 0.0

    @property
    def not_reached(self) -> str | None:
        """Why a part of the cycle was not reached, in words; None where it went around."""
        name = self.driver.params.name
        if self.opening.opened is None:
            return f"the breaker {name} did not open: {self.opening.detail}"
        if self.waiting.admitted is None:
            waited_s = self.driver.params.recovery + self.driver.params.patience
            return f"the open breaker {name} let no call through within {waited_s:g} s"
        return None

    @property
    def refusals(self) -> list[Call]:
        """Every refusal of the open breaker."""
        first = self.opening.refusal
        return [first, *self.waiting.refusals] if first else []


async def cycle_of(params: CycleParams, ctx: Context) -> Cycle:
    """Drive a breaker through its states, or return the record of an identical check of this run."""
    return await once("breaker.cycle", params, ctx, lambda: _drive(params, ctx))


async def _drive(params: CycleParams, ctx: Context) -> Cycle:
    """Drive the breaker through its states and return what was observed."""
    must_open(params)
    must_have_time(params, ctx)
    driver = Driver(params, ctx)
    cycle = Cycle(driver, driver.now())
    await driver.begin()
    cycle.disagree += await driver.readings.disagreeing("closed")
    await _once_around(params, cycle, driver)
    await driver.refuse_others()
    cycle.ended_s = driver.now()
    return cycle


async def _once_around(params: CycleParams, cycle: Cycle, driver: Driver) -> None:
    """Open the breaker, wait until it admits a call, close it, and note in `cycle` what is seen at each step."""
    cycle.before = driver.last
    failed, succeeded = driver.failed, driver.succeeded
    async with driver.opened() as cycle.opening:
        if cycle.opening.opened is None:
            await note_unopened(params, driver.ctx, cycle.opening)
            await driver.call()
            return
        cycle.disagree += await driver.readings.disagreeing("open")
        cycle.beside = await _beside(params, driver.ctx)
        cycle.waiting = await driver.wait(cycle.opening.opened[1])
        admitted = cycle.waiting.admitted
        if admitted is not None and admitted.outcome is Outcome.FAILED:  # the dependency was not back yet: once more
            admitted = (await driver.wait(admitted.answered_s)).admitted
        if admitted is None:
            return
        cycle.closing = await driver.close(admitted)
    cycle.after, cycle.counted = driver.last, (driver.failed - failed, driver.succeeded - succeeded)
    is_closed = cycle.closing.noted_after is not None or driver.known_state is None
    cycle.closed_again = is_closed and await driver.tolerates_a_failure() is not False
    if cycle.closed_again:
        cycle.disagree += await driver.readings.disagreeing("closed")


async def _beside(params: CycleParams, ctx: Context) -> list[str]:
    """The observations that do not hold while the breaker is open, in words."""
    observed = await observe_all(ctx, list(params.beside.values()))
    pairs = zip(params.beside.items(), observed, strict=True)
    return [f"{name}: {why}" for (name, step), result in pairs if (why := failure(step, result)) is not None]


class CycleFacts(CourseFacts):
    """How a breaker went through its states once; null for what was not reached."""

    driven: bool
    """Whether calls were made to fail; if the open state was planted, its opening was not measured."""
    failures_made: Count
    """How many calls were made to fail."""
    failing_statuses: dict[str, Count]
    """Status -> how many of the failing calls got it."""
    timeouts: Count
    """How many of them failed by a time-out."""
    opened: bool
    """Whether a call was refused, after failures or because of the planted state."""
    opened_detail: str | None
    """What was done and seen where it did not open; null where it did."""
    failures_until_open: Count | None
    """After how many failures in a row the next call was refused."""
    told_open_after: Count | None
    """After how many failures the key in Redis was `open`."""
    refused: Count
    """How many calls were refused while it was open."""
    recovered: bool | None
    """Whether a call was let through again within the recovery time and the patience."""
    half_open_after_ms: Milliseconds | None
    """From its opening until a call was let through."""
    uncertainty_ms: Milliseconds | None
    """How much shorter or longer that time may have been: calls take time, and there is a pause between them."""
    early_ms: Milliseconds | None
    """How much earlier than promised it certainly let a call through; 0 if no call shows it."""
    late_ms: Milliseconds | None
    """How much later than promised it certainly still refused calls; 0 if no call shows it."""
    half_open_seen: bool | None
    """Whether the key in Redis was `half_open` after it opened; a breaker may pass through it within one call."""
    successes_until_closed: Count | None
    """After how many successes the key in Redis was `closed`; null if it never was."""
    closed_again: bool | None
    """Whether it was closed at the end: by the key, if it shows a state, and since one more failure did not open it."""
    transitions: list[str]
    """The changes of state that the key in Redis showed, in order: `closed->open`."""
    illegal_transitions: list[str] | None
    """Changes that no breaker may make, or not without a failure or success in between."""
    beside_failed: list[str] | None
    """Observations of `beside` that did not hold while the breaker was open, in words."""
    sources_disagree: list[str] | None
    """The other places that showed another state than the breaker's calls did, in words."""
    elapsed_ms: Milliseconds
    """How long the whole measurement took."""


@checker(
    "breaker.cycle",
    expect={"beside_failed": []},
    exclusive=True,
    waits=drive_waits("breaker.cycle"),
)
async def cycle(params: CycleParams, ctx: Context) -> CycleFacts:
    """Drive a circuit breaker through its states: fail until it opens, wait until it lets a call through, close it.

    Calls fail until one is refused; then the breaker is called every `every` until it lets a call through; then calls
    succeed until it is closed, and one more failure shows that it is. All is measured from outside: by the answers, and
    by the key in Redis, which is read after every call. A breaker that does not open fails a rule about `opened`; rules
    about what comes after cannot be judged then, and are an error with what was seen. Skipped if nothing is configured
    that makes calls fail. Checks of `breaker.cycle`, `breaker.refusal` and `breaker.state` with the same params and
    target share one measurement.

        kind: breaker.cycle
        target: api
        with:
          name: rag_api
          failures: "${breakers.rag_api.failures}"
          recovery: "${breakers.rag_api.recovery_s}s"
          key: "${redis_key_prefix}circuit_breaker:rag_api"
          call: {kind: http.request, with: {method: POST, path: /query, json: {query: "What is Xoe-NovAi?"}}}
          trip: {fault: {fault: process.pause, target: llm}}
        expect: {opened: true, failures_until_open: 3, successes_until_closed: 3, early_ms: {max: 20}}
    """
    record = await cycle_of(params, ctx)
    opening, waiting, closing = record.opening, record.waiting, record.closing
    opened = opening.opened is not None
    times = recovery_of(params, opening.opened, waiting)
    changes = record.driver.timeline
    return CycleFacts(
        driven=opening.planted is None,
        failures_made=len(opening.failed),
        failing_statuses=dict(Counter(str(call.status or "none") for call in opening.failed)),
        timeouts=sum(call.timed_out for call in opening.failed),
        opened=opened,
        opened_detail=opening.detail,
        failures_until_open=len(opening.failed) if opened and opening.planted is None else None,
        told_open_after=opening.noted_after,
        refused=len(record.refusals),
        recovered=waiting.admitted is not None if opened else None,
        half_open_after_ms=times.after_ms,
        uncertainty_ms=times.uncertainty_ms,
        early_ms=times.early_ms,
        late_ms=times.late_ms,
        half_open_seen=any(change.now == "half_open" for change in changes.changes) if params.key and opened else None,
        successes_until_closed=closing.noted_after if closing else None,
        closed_again=record.closed_again,
        transitions=changes.arrows,
        illegal_transitions=changes.faults if opened else None,
        timeline=changes.as_json(),
        calls=changes.calls_as_json(),
        beside_failed=record.beside if opened else None,
        sources_disagree=record.disagree if opened else None,
        elapsed_ms=(record.ended_s - record.begun_s) * 1000,
    ).not_reached(record.not_reached)
