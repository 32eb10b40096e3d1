"""The offset of a worker's clock is within the uncertainty that is reported."""

from __future__ import annotations

import asyncio
import random
from time import perf_counter

from xnai_validate.workers.clock_offset import MORE_ROUNDS, ROUNDS, measure_offset

AHEAD_S = 1234.5


def test_the_true_offset_lies_within_the_uncertainty() -> None:
    """Also where the two ways take different times: the error is at most half of the round trip."""
    draw = random.Random(1)

    async def ask() -> float:
        await asyncio.sleep(draw.uniform(0, 0.02))
        there = perf_counter() + AHEAD_S
        await asyncio.sleep(draw.uniform(0, 0.002))
        return there

    offset = asyncio.run(measure_offset(ask, 1.0))
    assert abs(offset.offset_s - AHEAD_S) <= offset.uncertainty_s


def test_it_is_asked_again_where_the_clock_is_not_known_well_enough() -> None:
    """Slow round trips are repeated within a bound, and the shortest counts."""
    asked: list[int] = []

    async def ask() -> float:
        asked.append(1)
        return perf_counter()

    asyncio.run(measure_offset(ask, 1.0))
    assert len(asked) == ROUNDS
    asked.clear()
    asyncio.run(measure_offset(ask, 0.0))
    assert len(asked) == MORE_ROUNDS
