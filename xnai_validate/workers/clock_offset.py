"""How far the clock of a worker is from the one here, by round trips."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter

ROUNDS = 8
MORE_ROUNDS = 40
"""The most rounds that are made, where those before are not exact enough."""


@dataclass(frozen=True, slots=True)
class Offset:
    """What is added to a time here to have the same instant on the worker's clock."""

    offset_s: float
    uncertainty_s: float
    """Half of the shortest round trip: the answer was given at some time within it (Cristian's algorithm, 1989)."""


async def measure_offset(ask: Callable[[], Awaitable[float]], bound_s: float) -> Offset:
    """Measure by asking for the worker's clock, until it is known to `bound_s` or the rounds are over."""
    best: Offset | None = None
    for number in range(MORE_ROUNDS):
        if number >= ROUNDS and best is not None and best.uncertainty_s <= bound_s:
            break
        before = perf_counter()
        there = await ask()
        after = perf_counter()
        trip = Offset(there - (before + after) / 2, (after - before) / 2)
        if best is None or trip.uncertainty_s < best.uncertainty_s:
            best = trip
    assert best is not None
    return best
