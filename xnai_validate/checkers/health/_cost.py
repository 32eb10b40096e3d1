"""What a health report costs the stack besides its time: whatever is counted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
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

    A number that is absent afterwards is left out, since its change is unknown. One that appears meanwhile counts from
    0, as a counter with its first count. `work` is done first, so that the numbers exist. A number that does not move
    with the reports of one round costs 0. Otherwise other clients may move it, too, so the change in an equally long
    period without reports is subtracted. Raises Unmeasurable where the work fails or a number cannot be read,
    NotApplicable where a cost cannot be distinguished from the activity of other clients.
    """
    if not watched:
        return {}
    if work is not None:
        done = await perform(ctx, [work], times=1, together=False)
        if done.failed:
            raise Unmeasurable(f"the work before the numbers are read failed: {done.failed[0]}")
        await ctx.clock.sleep(settle_s)
    rounds: list[_Round] = []
    unmoved: set[str] = set()
    for _ in range(ROUNDS):
        begun_s = ctx.clock.monotonic()
        request_reports = partial(perform, ctx, [health], times=reports, together=False)
        moved = await _moved_by(ctx, watched, request_reports, settle_s)
        took_s = ctx.clock.monotonic() - begun_s
        unmoved |= {name for name, value in moved.items() if value == 0}
        if moved.keys() <= unmoved:
            return dict.fromkeys(moved, 0.0)
        rounds.append(_Round(moved, await _moved_by(ctx, watched, partial(ctx.clock.sleep, took_s), 0.0)))
    return {name: 0.0 if name in unmoved else _per_report(name, rounds, reports) for name in rounds[-1].moved}


@dataclass(frozen=True, slots=True)
class _Round:
    """Name -> by how much a number moved with reports, and in as long a time without."""

    moved: Mapping[str, float]
    alone: Mapping[str, float]


def _per_report(name: str, rounds: Sequence[_Round], reports: int) -> float:
    """Return what a report costs by the round in which it cost least.

    That is too little by as much as others do more in one round than in another. Raises NotApplicable unless this is
    less than 1 per report, the least that a report costs of what is counted, or less than the cost.
    """
    moved = [each.moved.get(name, 0.0) for each in rounds]
    alone = [each.alone.get(name, 0.0) for each in rounds]
    least = min(with_reports - without for with_reports, without in zip(moved, alone, strict=True))
    noise = max(max(values) - min(values) for values in (moved, alone)) if any(alone) else 0.0
    if noise >= max(reports, least):
        raise NotApplicable(
            f"other clients use the stack: without health reports {name} moved by {min(alone):g} to {max(alone):g} in"
            f" as long a time, with {reports} of them by {min(moved):g} to {max(moved):g}"
        )
    return round(max(0.0, least) / reports, 3)


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
