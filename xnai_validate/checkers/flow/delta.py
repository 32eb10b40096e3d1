"""`flow.delta`: what work moves elsewhere in the stack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from xnai_validate.checkers._steps import perform
from xnai_validate.checkers._watch import Watch, numbers
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    Facts,
    Field,
    Ge,
    Inner,
    Le,
    Milliseconds,
    NotApplicable,
    Observation,
    Params,
    Waits,
    at_once,
    checker,
    in_turn,
)

QUIET_LOOKS = 10
"""How often the values are looked at that other clients may move, at the most."""


class DeltaParams(Params):
    """The work, and the values that are read before and after it."""

    watch: dict[str, Watch] = Field(min_length=1)
    """Name -> the number to read; a JSONPath that finds several numbers means their sum."""
    first: list[Observation] = Field(default_factory=list)
    """What is done before anything is read, such as a question that waits for the stack to end earlier work."""
    during: list[Observation] = Field(min_length=1)
    """The work: observations, performed in order."""
    times: Annotated[int, Ge(1), Le(10_000)] = 1
    """How often the work is done."""
    together: bool = False
    """Whether all of it is done at once instead of in order."""
    settle: Duration = 0.0
    """How long to wait after the work before the values are read again."""
    quiet: Duration = 0.0
    """For counters that other clients of the stack move too: how long the values are looked at before the work, and how
    long they must stand still before it is attempted again (`until`, `retry`). If they do not come to rest, the check
    is skipped where they moved before its work already; where they have moved only since, it is judged: its work goes
    on."""
    absent_is_zero: bool = True
    """Whether a value that is there after the work and was not before counts as 0 before it, as a counter that had not
    counted yet. What is absent after the work has not moved by any number."""


def delta_waits(params: DeltaParams, inner: Inner) -> Waits:
    """How long the work takes, with the time to settle."""
    work = at_once(params.during, inner) if params.together else in_turn(params.during, inner)
    times = 1 if params.together else params.times
    return Waits(params.quiet + in_turn(params.first, inner).usual_s + times * work.usual_s + params.settle + 0.05)


class Moved(Facts):
    """The values before and after the work."""

    failed_steps: list[str]
    """The first observations, readings among them, whose rules did not hold, in words."""
    failed_step_count: Count
    """How many did not hold."""
    step_count: Count
    """How many observations the work was."""
    before: dict[str, float | None]
    """Name -> the value before the work; null where it was absent, left out where it could not be read."""
    after: dict[str, float | None]
    """The same after the work."""
    moved: dict[str, float]
    """Name -> after less before; left out where the value is absent after the work."""
    elapsed_ms: Milliseconds
    """How long the work took."""


@checker("flow.delta", expect={"failed_steps": []}, target=False, exclusive=True, waits=delta_waits)
async def delta(params: DeltaParams, ctx: Context) -> Moved:
    """Read numbers, do some work, read them again: what did the work move?

    For counters that must count: after N queries the metrics, the stream in Redis or a breaker's total have moved by N.

        kind: flow.delta
        with:
          watch:
            queries: {kind: metrics.samples, target: metrics, fact: samples, path: xnai_queries_processed_total}
          during: [{kind: http.request, target: api, with: {method: POST, path: /query, json: {query: Hello}}}]
          times: 5
        expect: {moved: {queries: 5}}
    """
    if params.quiet:
        await _wait_until_quiet(params, ctx)
    first = await perform(ctx, params.first, times=1, together=False)
    before, unread_before = await numbers(params.watch, ctx)
    work = await perform(ctx, params.during, times=params.times, together=params.together)
    if params.settle:
        await ctx.clock.sleep(params.settle)
    after, unread_after = await numbers(params.watch, ctx)
    unread = [f"{name} before: {why}" for name, why in unread_before.items()]
    unread += [f"{name} after: {why}" for name, why in unread_after.items()]
    moved = _moved(params, before, after)
    return Moved(
        failed_steps=[*first.failed, *unread, *work.failed],
        failed_step_count=first.failed_count + len(unread) + work.failed_count,
        step_count=work.count,
        before=before,
        after=after,
        moved={name: moved[name] for name in params.watch if name in moved},
        elapsed_ms=work.elapsed_ms,
    )


def _moved(
    params: DeltaParams, before: Mapping[str, float | None], after: Mapping[str, float | None]
) -> dict[str, float]:
    """Name -> by how much the value has moved, where both are known."""
    moved: dict[str, float] = {}
    for name in before.keys() & after.keys():
        earlier, later = before[name], after[name]
        if earlier is None and params.absent_is_zero:
            earlier = 0.0
        if earlier is not None and later is not None:
            moved[name] = later - earlier
    return moved


@dataclass(slots=True)
class _Attempted:
    """A check that has attempted its work."""

    check: Context
    moved_before: bool
    """Whether the values moved before its first attempt, and have not stood still before a later one."""


@asynccontextmanager
async def _hold_attempted() -> AsyncIterator[list[_Attempted]]:
    """Yield the checks that have attempted some work, for as long as the run lasts."""
    yield []


async def _wait_until_quiet(params: DeltaParams, ctx: Context) -> None:
    """Before the first attempt note whether the values move; before others wait until they stand still.

    Raises NotApplicable if they moved before all work of the check, and still do for `QUIET_LOOKS` times as long as
    they must stand still: then others use the stack. What moves only since then, the work has begun.
    """
    ctx.progress("does anyone else use the stack?")
    known = await ctx.shared(("delta", params.model_dump_json()), _hold_attempted)
    earlier = next((each for each in known if each.check is ctx), None)
    moved = await _moved_without_work(params, ctx, looks=1 if earlier is None else QUIET_LOOKS)
    if earlier is None:
        known.append(_Attempted(ctx, bool(moved)))
        return
    if moved and earlier.moved_before:
        moves = " and ".join(f"{name} by {value:g}" for name, value in sorted(moved.items()))
        raise NotApplicable(
            f"other clients use the stack: without a request of this check, {moves} moved in the last {params.quiet:g}"
            f" of {QUIET_LOOKS * params.quiet:g} s; what its own requests move cannot be distinguished from that"
        )
    earlier.moved_before = False


async def _moved_without_work(params: DeltaParams, ctx: Context, looks: int) -> dict[str, float]:
    """Return the values that moved within `quiet`, by how much, at the last look; empty once none does."""
    before, _ = await numbers(params.watch, ctx)
    moved: dict[str, float] = {}
    for _ in range(looks):
        await ctx.clock.sleep(params.quiet)
        after, _ = await numbers(params.watch, ctx)
        moved = {name: value for name, value in _moved(params, before, after).items() if value}
        if not moved:
            break
        before = after
    return moved
