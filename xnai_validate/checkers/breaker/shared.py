"""`breaker.shared`: an open breaker refuses calls whichever way they take, and on every connection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._driver.calls import Call, Outcome, make
from xnai_validate.checkers.breaker._driver.driver import Driver
from xnai_validate.checkers.breaker._driver.phases import Opening
from xnai_validate.checkers.breaker._driver.readings import PAUSE_S
from xnai_validate.checkers.breaker._driver.trips import must_have_time, must_open
from xnai_validate.checkers.breaker._driver.waits import drive_waits
from xnai_validate.checkers.breaker._models import BreakerParams
from xnai_validate.checkers.breaker.concurrent import at_once
from xnai_validate.kit import (
    Context,
    Count,
    Facts,
    FaultEntry,
    Field,
    Ge,
    Le,
    Milliseconds,
    Observation,
    XnaiError,
    checker,
)


class SharedParams(BreakerParams):
    """A breaker, and the ways to it."""

    ways: dict[str, Observation] = Field(default_factory=dict)
    """Name -> the same call by another way: through the gateway, of another instance."""
    connections: Annotated[int, Ge(1), Le(256)] = 16
    """How many calls are made on connections of their own (POST opens one each), to reach all workers of a server."""
    outage: FaultEntry | None = None
    """What takes Redis away for a while before: calls on all these connections are made meanwhile, so that every worker
    has gone on without it."""


ATTEMPTS = 3
"""How often at most it is opened: on a busy machine the calls may take longer than it stays open."""


@dataclass(slots=True)
class _Record:
    """What was measured while the breaker was open, and when it had closed."""

    opening: Opening = field(default_factory=Opening)
    opened: bool = False
    open_: dict[str, float | None] = field(default_factory=dict)
    """Way -> milliseconds from the opening until a call by it was refused."""
    connections: list[Call] = field(default_factory=list)
    in_time: bool = False
    """Whether all of that was measured within the recovery time."""
    closed_again: bool | None = None
    closed: dict[str, float | None] = field(default_factory=dict)
    """Way -> milliseconds from the closing until a call by it succeeded."""


class SharedFacts(Facts):
    """Which ways and connections an open breaker refused; null for what was not reached."""

    opened: bool
    """Whether failures, or the planted state, opened it."""
    opened_detail: str | None
    """What was done and seen where it did not open; null where it did."""
    in_time: bool | None
    """Whether all calls were made within the recovery time; if not, the facts of the open state are null."""
    not_refused: list[str] | None
    """The ways by which no call was refused within `settle`, though the breaker was open."""
    refused_after_ms: Milliseconds | None
    """From the failure that opened it until calls by every way were refused; null also if one never was."""
    connections_refused: Count | None
    """How many calls on connections of their own were refused after `settle`."""
    connections_let_through: Count | None
    """How many of them were let through: their workers did not know."""
    closed_again: bool | None
    """Whether it was closed at the end, by the way of the check."""
    still_refused: list[str] | None
    """The ways by which no call succeeded within `settle` after it was closed."""
    elapsed_ms: Milliseconds
    """How long the whole measurement took."""


@checker(
    "breaker.shared",
    expect={"not_refused": [], "connections_let_through": 0},
    exclusive=True,
    waits=drive_waits("breaker.shared"),
)
async def shared(params: SharedParams, ctx: Context) -> SharedFacts:
    """Open a circuit breaker by one way, and call it by others and on many connections: all must be refused.

    The workers of a server share a breaker's state. Identical checks share one measurement.

        kind: breaker.shared
        target: api
        with:
          ways: {gateway: {kind: http.request, target: gateway, with: {method: POST, path: /api/v1/query, json: ...}}}
          ...
        expect: {closed_again: true, still_refused: [], refused_after_ms: {max: 500}}
    """
    record, elapsed_ms = await once("breaker.shared", params, ctx, lambda: _drive(params, ctx))
    judged = record.opened and record.in_time
    times = list(record.open_.values())
    known = [time for time in times if time is not None]
    through = sum(call.let_through for call in record.connections)
    return SharedFacts(
        opened=record.opened,
        opened_detail=record.opening.detail,
        in_time=record.in_time if record.opened else None,
        not_refused=[name for name, time in record.open_.items() if time is None] if judged else None,
        refused_after_ms=max(known, default=None) if judged and len(known) == len(times) else None,
        connections_refused=sum(call.outcome is Outcome.REFUSED for call in record.connections) if judged else None,
        connections_let_through=through if judged else None,
        closed_again=record.closed_again,
        still_refused=[name for name, time in record.closed.items() if time is None] if record.closed_again else None,
        elapsed_ms=elapsed_ms,
    ).not_reached(_not_reached(params, record))


def _not_reached(params: SharedParams, record: _Record) -> str | None:
    """Why the open breaker was not judged, or not its closing, in words; None where both were."""
    if not record.opened:
        return f"the breaker {params.name} did not open: {record.opening.detail}"
    if not record.in_time:
        return f"the calls took longer than the recovery time of the breaker {params.name}, {params.recovery:g} s"
    if not record.closed_again:
        return f"the breaker {params.name} was not closed again"
    return None


async def _drive(params: SharedParams, ctx: Context) -> tuple[_Record, float]:
    """Open the breaker, then call on many connections; return what was seen, and the time in ms."""
    must_open(params)
    must_have_time(params, ctx)
    driver, record = Driver(params, ctx), _Record()
    begun_s = driver.now()
    await driver.begin()
    if params.outage is not None:
        ctx.progress(f"breaker {params.name}: {params.outage.fault} takes Redis away")
        async with ctx.injected(params.outage):
            await at_once(params, ctx, params.call, params.connections)
        # A worker may leave a Redis alone for a moment that has just failed it.
        await ctx.clock.sleep(2 * params.settle)
        await driver.begin()
    for attempt in range(1, ATTEMPTS + 1):
        attempt_s = driver.now()
        record = _Record()
        async with driver.opened() as record.opening:
            if record.opening.opened is not None:
                await _call_all(params, driver, record.opening.opened, record)
        if record.in_time or not record.closed_again:
            break
        now_s = driver.now()
        if attempt == ATTEMPTS or now_s - begun_s + 2 * (now_s - attempt_s) > ctx.timeout_s:
            break
        ctx.progress(f"breaker {params.name}: the calls took longer than the recovery time; once more")
    await driver.refuse_others()
    return record, (driver.now() - begun_s) * 1000


async def _call_all(params: SharedParams, driver: Driver, opened: tuple[float, float], record: _Record) -> None:
    """Call the open breaker by every way, and again when it is closed."""
    record.opened = True
    record.open_ = await _times_by_way(params, driver.ctx, Outcome.REFUSED, opened[1])
    record.connections = await at_once(params, driver.ctx, params.call, params.connections)
    record.in_time = driver.now() < opened[0] + params.recovery
    waiting = await driver.wait(opened[1])
    record.closed_again = waiting.admitted is not None and await driver.ready()
    record.closed = await _times_by_way(params, driver.ctx, Outcome.SUCCEEDED, driver.now())


async def _times_by_way(
    params: SharedParams, ctx: Context, outcome: Outcome, since_s: float
) -> dict[str, float | None]:
    """Return, for each way, the milliseconds from `since_s` until a call by it had the outcome, or None."""

    async def time_to_outcome(observation: Observation) -> float | XnaiError | None:
        """Call until the outcome is the expected one; return after how long, None if the time is over, or an error."""
        end_s = ctx.clock.monotonic() + params.settle
        try:
            while True:
                call = await make(ctx, observation, params.name)
                if call.outcome is outcome:
                    return (call.answered_s - since_s) * 1000
                if call.sent_s >= end_s:
                    return None
                await ctx.clock.sleep(PAUSE_S)
        except XnaiError as error:
            return error  # raised within a TaskGroup it would be wrapped in a group

    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(time_to_outcome(observation)) for name, observation in params.ways.items()}
    times: dict[str, float | None] = {}
    for name, task in tasks.items():
        result = task.result()
        if isinstance(result, XnaiError):
            raise result
        times[name] = result
    return times
