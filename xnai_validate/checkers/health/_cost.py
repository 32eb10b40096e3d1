"""What a health report costs the stack besides its time: whatever is counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from xnai_validate.checkers._steps import perform
from xnai_validate.checkers._watch import Watch, numbers
from xnai_validate.kit import Context, NotApplicable, Observation, Unmeasurable

ROUNDS = 4
"""How often reports are asked for where a number moves: it may be other clients that move it."""


async def cost(
    ctx: Context,
    health: Observation,
    watched: Mapping[str, Watch],
    reports: int,
    settle_s: float,
    work: Observation | None = None,
) -> dict[str, float]:
    """Return by how much each watched number moves per report.

    A number that is absent afterwards is left out: it did not move by 0. One that appears meanwhile counts from 0, as a
    counter with its first count. `work` is done first, so that the numbers exist. What moves without reports, in as
    long a time, is taken off, and the least of several rounds is returned: other clients use the stack as well. Raises
    Unmeasurable where the work fails or a number cannot be read, NotApplicable where others move it as much.
    """
    if not watched:
        return {}
    if work is not None:
        done = await perform(ctx, [work], times=1, together=False)
        if done.failed:
            raise Unmeasurable(f"the work before the numbers are read failed: {done.failed[0]}")
        await ctx.clock.sleep(settle_s)
    least: dict[str, float] = {}
    for _ in range(ROUNDS):
        begun_s = ctx.clock.monotonic()
        ask = partial(perform, ctx, [health], times=reports, together=False)
        moved = await _moved_by(ctx, watched, ask, settle_s)
        took_s = ctx.clock.monotonic() - begun_s
        if not any(value > 0 for value in moved.values()):
            return dict.fromkeys(moved, 0.0)
        alone = await _moved_by(ctx, watched, partial(ctx.clock.sleep, took_s), 0.0)
        for name, value in moved.items():
            by_reports = value - alone.get(name, 0.0)
            least[name] = min(least.get(name, by_reports), by_reports)
        busy = [name for name, value in alone.items() if value > 0 and value >= moved.get(name, 0.0) / 2]
        if all(value <= 0 for value in least.values()):
            break
    else:
        if busy:
            raise NotApplicable(
                f"other clients use the stack: {', '.join(busy)} moves by itself as much as with health reports"
            )
    return {name: round(max(0.0, value) / reports, 3) for name, value in least.items()}


async def _moved_by(
    ctx: Context, watched: Mapping[str, Watch], work: Callable[[], Awaitable[object]], settle_s: float
) -> dict[str, float]:
    """Name -> by how much the number moves while the work is done; without those that are absent afterwards."""
    before = await _read_numbers(ctx, watched)
    await work()
    if settle_s:
        await ctx.clock.sleep(settle_s)
    after = await _read_numbers(ctx, watched)
    return {name: last - (before[name] or 0.0) for name, last in after.items() if last is not None}


async def _read_numbers(ctx: Context, watched: Mapping[str, Watch]) -> dict[str, float | None]:
    """Read all counters. Raises Unmeasurable if one cannot be read."""
    found, unread = await numbers(watched, ctx)
    if unread:
        raise Unmeasurable("; ".join(f"{name}: {why}" for name, why in unread.items()))
    return found
