"""What a health report costs the stack: its time, and whatever else is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from xnai_validate.checkers._watch import Watch, numbers
from xnai_validate.kit import Context, Observation, Unmeasurable

TIME = "ms"
"""The name under which the time of a report stands among its costs."""


async def cost(
    ctx: Context, health: Observation, watched: Mapping[str, Watch], reports: int, settle_s: float
) -> dict[str, float]:
    """`ms`, the median time of a report, and by how much each watched number moved, for each report.

    Raises Unmeasurable where a number could not be read.
    """
    before = await _numbers(ctx, watched)
    times_ms = [await _report_ms(ctx, health) for _ in range(reports)]
    if watched and settle_s:
        await ctx.clock.sleep(settle_s)
    after = await _numbers(ctx, watched)
    moved = {name: round((after[name] - before[name]) / reports, 3) for name in watched}
    return {TIME: _median(times_ms), **moved}


async def _report_ms(ctx: Context, health: Observation) -> float:
    begun = ctx.clock.monotonic()
    total_ms = (await ctx.observe(health)).facts.get("total_ms")
    return float(total_ms) if isinstance(total_ms, int | float) else (ctx.clock.monotonic() - begun) * 1000


async def _numbers(ctx: Context, watched: Mapping[str, Watch]) -> dict[str, float]:
    found, unread = await numbers(watched, ctx)
    if unread:
        raise Unmeasurable("; ".join(f"{name}: {why}" for name, why in unread.items()))
    return {name: value or 0.0 for name, value in found.items()}


def _median(values: Sequence[float]) -> float:
    return round(median(values), 3)
