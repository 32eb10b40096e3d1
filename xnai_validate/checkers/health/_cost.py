"""What a health report costs the stack besides its time: whatever is counted."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.checkers._steps import perform
from xnai_validate.checkers._watch import Watch, numbers
from xnai_validate.kit import Context, Observation, Unmeasurable


async def cost(
    ctx: Context, health: Observation, watched: Mapping[str, Watch], reports: int, settle_s: float
) -> dict[str, float]:
    """Return by how much each watched number moves per report.

    Raises Unmeasurable where a number could not be read.
    """
    if not watched:
        return {}
    before = await _numbers(ctx, watched)
    await perform(ctx, [health], times=reports, together=False)
    if settle_s:
        await ctx.clock.sleep(settle_s)
    after = await _numbers(ctx, watched)
    return {name: round((after[name] - before[name]) / reports, 3) for name in watched}


async def _numbers(ctx: Context, watched: Mapping[str, Watch]) -> dict[str, float]:
    found, unread = await numbers(watched, ctx)
    if unread:
        raise Unmeasurable("; ".join(f"{name}: {why}" for name, why in unread.items()))
    return {name: value or 0.0 for name, value in found.items()}
