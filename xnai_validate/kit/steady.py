"""Wait until a stack is steady or back: before it is disturbed, and after a fault was reverted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from xnai_validate.kit.context import Clock

STEADY_WITHIN_S = 60.0
"""Seconds that a stack has to become steady, unless a check gives another time."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5
"""The bounds of `pause_s`, in seconds."""


def pause_s(waited_s: float) -> float:
    """Return the seconds until the next look at what has been awaited for `waited_s`: a fiftieth of that, bounded.

    What is back soon is seen at once, and what stays away for a minute is not asked for a thousand times.
    """
    return min(max(waited_s / 50, FIRST_PAUSE_S), LONGEST_PAUSE_S)


async def wait_until_steady(
    clock: Clock,
    why_unsteady: Callable[[], Awaitable[str | None]],
    *,
    within_s: float = STEADY_WITHIN_S,
    in_a_row: int = 3,
    every_s: float = 0.5,
    at_least_s: float = 0.0,
) -> str | None:
    """Look repeatedly until the stack is steady; return None then, else why it was not at the last look.

    Args:
        clock: the clock to wait with.
        why_unsteady: a look at the stack: returns None where it is as it should be, else the reason.
        within_s: how long the stack has; the look that is judged begins when this time is over, or later.
        in_a_row: looks, one after the other, that must find the stack as it should be.
        every_s: the pause between two looks.
        at_least_s: for how long these looks must go on.
    """
    end_s = clock.monotonic() + within_s
    since_s, good = clock.monotonic(), 0
    while True:
        begun_s = clock.monotonic()
        why = await why_unsteady()
        if why is not None:
            good = 0
            if begun_s >= end_s:  # one that began before shows how it was before
                return why
        else:
            since_s = since_s if good else begun_s
            good += 1
            if good >= in_a_row and clock.monotonic() - since_s >= at_least_s:
                return None
        await clock.sleep(every_s)
