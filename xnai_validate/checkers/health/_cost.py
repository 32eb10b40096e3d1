"""What a health report costs the stack besides its time: whatever is counted."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.checkers._steps import perform
from xnai_validate.checkers._watch import Watch, numbers
from xnai_validate.kit import Context, Observation, Unmeasurable


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
    counter with its first count. `work` is done first, so that the numbers exist. Raises Unmeasurable where the work
    fails or a number cannot be read.
    """
    if not watched:
        return {}
    if work is not None:
        done = await perform(ctx, [work], times=1, together=False)
        if done.failed:
            raise Unmeasurable(f"the work before the numbers are read failed: {done.failed[0]}")
        await ctx.clock.sleep(settle_s)
    before = await _read_numbers(ctx, watched)
    await perform(ctx, [health], times=reports, together=False)
    if settle_s:
        await ctx.clock.sleep(settle_s)
    after = await _read_numbers(ctx, watched)
    return {
        name: round((last - (before[name] or 0.0)) / reports, 3) for name, last in after.items() if last is not None
    }


async def _read_numbers(ctx: Context, watched: Mapping[str, Watch]) -> dict[str, float | None]:
    """Read all counters. Raises Unmeasurable if one cannot be read."""
    found, unread = await numbers(watched, ctx)
    if unread:
        raise Unmeasurable("; ".join(f"{name}: {why}" for name, why in unread.items()))
    return found
