"""Calls to the dependency behind a breaker, past the breaker: how far it does them one by one itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from xnai_validate.checkers._steps import failure
from xnai_validate.kit import Context, Observation

ALONE = 3
"""Calls that are made one by one, to know how long one takes."""
DIRECT = 6
"""Calls that are made at once to the dependency itself."""
SERIAL_RATIO = 0.5
"""From this `serial_ratio` on calls run one by one: side by side it is near 0, one by one near 1."""


@dataclass(frozen=True, slots=True)
class DirectCalls:
    """What calls past the breaker have shown of the dependency; without such calls nothing is known."""

    failed: str | None = None
    """Why one of these calls failed; None if none did."""
    serial_ratio: float | None = None
    """How far the calls at once ran one by one; None if that is not known."""
    share: float | None = None
    """The time of the calls at once, as a share of the time of as many one after the other; None if not known."""

    def why_serial(self, ratio: float | None) -> str | None:
        """Return why calls through the breaker run one by one, where that may not be its doing; else None.

        `ratio`: the `serial_ratio` of calls through the breaker; None if they were not made. A dependency with a few
        slots, or one that computes, does calls side by side and still answers a crowd hardly sooner than one by one.
        """
        if self.serial_ratio is not None and self.serial_ratio >= SERIAL_RATIO:
            return f"calls to what is behind the breaker run one by one without it (ratio {self.serial_ratio:.2f})"
        if ratio is None or ratio < SERIAL_RATIO:
            return None
        if self.failed is not None:
            return f"whether that is the doing of the breaker is not known: a call without it failed: {self.failed}"
        if self.share is not None and self.share >= ratio:
            return (
                f"calls to what is behind the breaker slow each other down without it: {DIRECT} at once take"
                f" {self.share:.2f} of the time of {DIRECT} one after the other"
            )
        return None


async def call_directly(observation: Observation, ctx: Context) -> DirectCalls:
    """Call the dependency itself, one by one and at once, and return how far the calls at once ran one by one."""
    took_s: list[float] = []
    for _ in range(ALONE):
        begun_s = ctx.clock.monotonic()
        why = failure(observation, await ctx.observe(observation))
        took_s.append(ctx.clock.monotonic() - begun_s)
        if why is not None:
            return DirectCalls(why)
    ends_s: list[float] = []
    failed: list[str] = []

    async def call() -> None:
        """Make one call and note its end."""
        why = failure(observation, await ctx.observe(observation))
        failed.extend([why] if why is not None else [])
        ends_s.append(ctx.clock.monotonic())

    begun_s = ctx.clock.monotonic()
    results = await asyncio.gather(*(call() for _ in range(DIRECT)), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    if failed:
        return DirectCalls(failed[0])
    return direct_calls(min(took_s), begun_s, ends_s)


def direct_calls(alone_s: float, begun_s: float, ends_s: Sequence[float]) -> DirectCalls:
    """Return what calls have shown that were begun at once and have ended at these times.

    `alone_s`: how long one takes alone.
    """
    share = (max(ends_s) - begun_s) / (len(ends_s) * alone_s) if alone_s else None
    return DirectCalls(None, serial_ratio(alone_s * 1000, ends_s), share)


def serial_ratio(alone_ms: float | None, ends_s: Sequence[float]) -> float | None:
    """Return the mean gap between consecutive answers, divided by the latency of a call alone.

    It is about 1 for calls that run one by one, and about 0 for calls that run in parallel. The longest gap is ignored
    as an outlier: the machine may have been busy. None without that latency, or with fewer than 3 answers.
    """
    ends = sorted(ends_s)
    if not alone_ms or len(ends) < 3:
        return None
    gaps = sorted(later - earlier for earlier, later in pairwise(ends))[:-1]
    return sum(gaps) / len(gaps) * 1000 / alone_ms
