"""`flow.delta`: what work moves elsewhere in the stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from xnai_validate.checkers._steps import perform
from xnai_validate.checkers._watch import Watch, numbers
from xnai_validate.checkers.flow._rest import QUIET_LOOKS, Attempted, Rest, hold_rest, values_in
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
    model_validator,
)

POLL_S = 0.05
"""Seconds between two readings of the values until they have moved enough."""
READING_S = 0.05
"""How long reading the numbers takes on a stack that is well."""
REST_OF_SETTLE = 0.2
"""The part of `settle` after which values that others may move are read: from there on they may stand still."""


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
    enough: dict[str, float] = Field(default_factory=dict)
    """Name -> the movement that is enough: once all of these values have moved by as much, the wait of `settle` ends.
    For values that are expected to move by at least a number."""
    quiet: Duration = 0.0
    """For counters that other clients of the stack move too: how long the values are looked at before the work, and how
    long they must stand still before it is attempted again (`until`, `retry`). Where an earlier check of the run has
    read them and they stand still since, less of that time is left. If they do not come to rest, the check is skipped
    where they moved before its work already; where they have moved only since, it is judged: its work goes on."""
    absent_is_zero: bool = True
    """Whether a value that is there after the work and was not before counts as 0 before it, as a counter that had not
    counted yet. What is absent after the work has not moved by any number."""

    @model_validator(mode="after")
    def _verify_enough(self) -> DeltaParams:
        """Return the params. Raises ValueError if `enough` names a value that is not watched."""
        unknown = sorted(self.enough.keys() - self.watch.keys())
        if unknown:
            raise ValueError(f"enough: {', '.join(unknown)} is not among the values of watch")
        return self


def delta_waits(params: DeltaParams, inner: Inner) -> Waits:
    """Return how long a measurement takes: to come to rest, do the work, settle and read the numbers."""
    work = at_once(params.during, inner) if params.together else in_turn(params.during, inner)
    times = 1 if params.together else params.times
    first_s = in_turn(params.first, inner).usual_s
    return Waits(params.quiet + first_s + times * work.usual_s + params.settle + READING_S)


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
    """Name -> the value after the work; null where it was absent, left out where it could not be read."""
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
    rest = await ctx.shared(("delta", "rest"), hold_rest) if params.quiet else None
    if rest is not None:
        await _wait_until_quiet(params, ctx, rest)
    first = await perform(ctx, params.first, times=1, together=False)
    before, unread_before = await numbers(params.watch, ctx)
    work = await perform(ctx, params.during, times=params.times, together=params.together)
    if params.settle:
        await _settle(params, ctx, before, rest)
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


async def _settle(params: DeltaParams, ctx: Context, before: Mapping[str, float | None], rest: Rest | None) -> None:
    """Wait for `settle`, or until the values have moved `enough`; of values that others move too, keep a reading."""
    until_s = ctx.clock.monotonic() + params.settle
    if rest is not None:
        await ctx.clock.sleep(params.settle * REST_OF_SETTLE)
        await rest.look(params.watch, ctx)
    while (left_s := until_s - ctx.clock.monotonic()) > 0:
        if not params.enough:
            await ctx.clock.sleep(left_s)
            return
        moved = _moved(params, before, (await numbers(params.watch, ctx))[0])
        if all(name in moved and moved[name] >= value for name, value in params.enough.items()):
            return
        await ctx.clock.sleep(min(POLL_S, left_s))


async def _wait_until_quiet(params: DeltaParams, ctx: Context, rest: Rest) -> None:
    """Before the first attempt, note whether the values move; before a later one, wait until they stand still.

    Raises NotApplicable if they moved before the first attempt and still move after `QUIET_LOOKS` times `quiet`: then
    other clients use the stack. Values that move only since the first attempt are moved by the check's own work.
    """
    ctx.progress("does anyone else use the stack?")
    earlier = next((each for each in rest.attempted if each.check is ctx), None)
    moved = await _moved_without_work(params, ctx, rest, looks=1 if earlier is None else QUIET_LOOKS)
    if earlier is None:
        rest.attempted.append(Attempted(ctx, bool(moved)))
        return
    if moved and earlier.moved_before:
        moves = " and ".join(f"{name} by {value:g}" for name, value in sorted(moved.items()))
        raise NotApplicable(
            f"other clients use the stack: without a request of this check, {moves} moved in the last {params.quiet:g}"
            f" of {QUIET_LOOKS * params.quiet:g} s; what its own requests move cannot be distinguished from that"
        )
    earlier.moved_before = False


async def _moved_without_work(params: DeltaParams, ctx: Context, rest: Rest, looks: int) -> dict[str, float]:
    """Return name -> change of each value that still moved during the last period of `quiet`.

    It is empty as soon as a period passes without change. `looks`: the most periods to wait. The first period counts
    from the earliest kept reading that has the same values.
    """
    now = await rest.look(params.watch, ctx)
    since = rest.still_since(now, params.watch, ctx)
    moved: dict[str, float] = {}
    for _ in range(looks):
        left_s = params.quiet - (now.begun_s - since.ended_s)
        if left_s > 0:
            await ctx.clock.sleep(min(left_s, params.quiet))
            now = await rest.look(params.watch, ctx)
        before, after = values_in(since, params.watch, ctx), values_in(now, params.watch, ctx)
        moved = {name: value for name, value in _moved(params, before, after).items() if value}
        if not moved:
            break
        since = now
    return moved
