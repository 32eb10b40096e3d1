"""`breaker.shared`: an open breaker refuses calls wherever they come in."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from xnai_validate.checkers._once import once
from xnai_validate.checkers.breaker._calls import Call, Outcome, make
from xnai_validate.checkers.breaker._driver import Driver
from xnai_validate.checkers.breaker._params import BreakerParams
from xnai_validate.checkers.breaker._readings import PAUSE_S
from xnai_validate.checkers.breaker._trips import must_have_time, must_open
from xnai_validate.checkers.breaker.concurrent import at_once
from xnai_validate.kit import Context, Count, Facts, Field, Ge, Le, Milliseconds, Observation, XnaiError, checker


class SharedParams(BreakerParams):
    """A breaker, and the ways to it."""

    ways: dict[str, Observation] = Field(default_factory=dict)
    """Name -> the same call by another way: through the gateway, of another instance."""
    connections: Annotated[int, Ge(1), Le(256)] = 16
    """How many calls are made on connections of their own (POST opens one each), to reach all workers of a server."""


@dataclass(slots=True)
class _Seen:
    ready: bool = False
    opened: bool = False
    open_: dict[str, float | None] = field(default_factory=dict)
    """Way -> milliseconds from the opening until a call by it was refused."""
    connections: list[Call] = field(default_factory=list)
    in_time: bool = False
    """Whether all of that was done before the recovery time was over."""
    closed_again: bool | None = None
    closed: dict[str, float | None] = field(default_factory=dict)
    """Way -> milliseconds from the closing until a call by it succeeded."""


class SharedFacts(Facts):
    """Who knew that a breaker was open, and closed again; null is what it did not come to."""

    closed_before: bool
    """Whether it was closed at the beginning, or came to be closed by calls that succeeded."""
    opened: bool
    """Whether failures opened it."""
    in_time: bool | None
    """Whether all were asked before the recovery time was over; where not, nothing is said of `open`."""
    not_refused: list[str] | None
    """The ways by which no call was refused within `settle`, though the breaker was open."""
    refused_after_ms: Milliseconds | None
    """From the failure that opened it until calls by every way were refused; null also where one never was."""
    connections_refused: Count | None
    """How many calls on connections of their own were refused after `settle`."""
    connections_let_through: Count | None
    """How many of them were not: their workers did not know."""
    closed_again: bool | None
    """Whether it was closed at the end, by the way of the check."""
    still_refused: list[str] | None
    """The ways by which no call succeeded within `settle` after it was closed."""
    elapsed_ms: Milliseconds
    """How long all of it took."""


@checker(
    "breaker.shared",
    expect={"closed_before": True, "opened": True, "in_time": True, "not_refused": [], "connections_let_through": 0},
    exclusive=True,
)
async def shared(params: SharedParams, ctx: Context) -> SharedFacts:
    """Open a circuit breaker by one way, and call it by others and on many connections: all must be refused.

    The workers of a server share a breaker's state. Equal checks share one drive.

        kind: breaker.shared
        target: api
        with:
          ways: {gateway: {kind: http.request, target: gateway, with: {method: POST, path: /api/v1/query, json: ...}}}
          ...
        expect: {closed_again: true, still_refused: [], refused_after_ms: {max: 500}}
    """
    seen, elapsed_ms = await once("breaker.shared", params, ctx, lambda: _drive(params, ctx))
    told = seen.opened and seen.in_time
    times = list(seen.open_.values())
    known = [time for time in times if time is not None]
    through = sum(call.let_through for call in seen.connections)
    return SharedFacts(
        closed_before=seen.ready,
        opened=seen.opened,
        in_time=seen.in_time if seen.opened else None,
        not_refused=[name for name, time in seen.open_.items() if time is None] if told else None,
        refused_after_ms=max(known, default=None) if told and len(known) == len(times) else None,
        connections_refused=sum(call.outcome is Outcome.REFUSED for call in seen.connections) if told else None,
        connections_let_through=through if told else None,
        closed_again=seen.closed_again,
        still_refused=[name for name, time in seen.closed.items() if time is None] if seen.closed_again else None,
        elapsed_ms=elapsed_ms,
    )


async def _drive(params: SharedParams, ctx: Context) -> tuple[_Seen, float]:
    must_open(params)
    must_have_time(params, ctx)
    driver, seen = Driver(params, ctx), _Seen()
    begun_s = driver.now()
    seen.ready = await driver.ready()
    if seen.ready:
        async with driver.opened() as opening:
            if opening.opened is not None:
                await _ask_all(params, driver, opening.opened, seen)
    return seen, (driver.now() - begun_s) * 1000


async def _ask_all(params: SharedParams, driver: Driver, opened: tuple[float, float], seen: _Seen) -> None:
    """Call the open breaker by every way, and again when it is closed."""
    seen.opened = True
    seen.open_ = await _by_all(params, driver.ctx, Outcome.REFUSED, opened[1])
    seen.connections = await at_once(params, driver.ctx, params.call, params.connections)
    seen.in_time = driver.now() < opened[0] + params.recovery
    waiting = await driver.wait(opened[1])
    seen.closed_again = waiting.admitted is not None and await driver.ready()
    seen.closed = await _by_all(params, driver.ctx, Outcome.SUCCEEDED, driver.now())


async def _by_all(params: SharedParams, ctx: Context, outcome: Outcome, since_s: float) -> dict[str, float | None]:
    """Way -> milliseconds since `since_s` until a call by it had the outcome; None where none had within `settle`."""

    async def one(wanted: Observation) -> float | XnaiError | None:
        end_s = ctx.clock.monotonic() + params.settle
        try:
            while True:
                call = await make(ctx, wanted, params.name)
                if call.outcome is outcome:
                    return (call.answered_s - since_s) * 1000
                if ctx.clock.monotonic() >= end_s:
                    return None
                await ctx.clock.sleep(PAUSE_S)
        except XnaiError as error:
            return error  # raised within a TaskGroup it would come out in a group

    async with asyncio.TaskGroup() as group:
        tasks = {name: group.create_task(one(wanted)) for name, wanted in params.ways.items()}
    found: dict[str, float | None] = {}
    for name, task in tasks.items():
        result = task.result()
        if isinstance(result, XnaiError):
            raise result
        found[name] = result
    return found
