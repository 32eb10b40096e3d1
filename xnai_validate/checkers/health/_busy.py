"""Whether health is reported while the stack is busy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers.health._sample import Paths, Sample, look
from xnai_validate.kit import Context, Observation, XnaiError

GRACE_S = 1.0
"""A report that was asked for so short before the end of the work may come after it."""


@dataclass(frozen=True, slots=True)
class Busy:
    """What was seen of the report while work was under way."""

    answered: bool | None
    """Whether every report came that was asked for, and one at least before the work was over."""
    slowest_ms: float | None
    failed: str | None
    """Why the work was none: a rule of it that did not hold, or too short a time."""


async def while_busy(ctx: Context, work: Observation, health: Observation, paths: Paths, every_s: float) -> Busy:
    """Do the work, and ask for the report all the while. Raises the XnaiError of what could not be measured."""
    seen: list[Sample] = []
    ended_s = 0.0

    async def do_work() -> str | XnaiError | None:
        """Do the work; return why it did not hold, and note when it ended."""
        nonlocal ended_s
        try:
            return failure(work, await ctx.observe(work))
        except XnaiError as error:
            return error  # raised here it would come out in a group
        finally:
            ended_s = ctx.clock.monotonic()

    async with asyncio.TaskGroup() as group:
        working = group.create_task(do_work())
        await ctx.clock.sleep(every_s)
        while not working.done():
            seen.append(await look(ctx, health, {}, paths))
            await ctx.clock.sleep(every_s)
    failed = working.result()
    if isinstance(failed, XnaiError):
        raise failed
    early = [sample for sample in seen if sample.begun_s < ended_s - GRACE_S]
    if not early:
        return Busy(None, None, failed or f"over before a report could be asked for, {GRACE_S:g} s ahead of its end")
    # A report that waits for the work comes at its end; on a busy host one report may, how long each takes is busy_ms.
    came = all(sample.claims is not None for sample in seen) and any(sample.at_s < ended_s for sample in early)
    return Busy(came, max(sample.report_ms for sample in seen), failed)
