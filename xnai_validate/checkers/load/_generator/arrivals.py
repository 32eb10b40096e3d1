"""When the requests of an open load are to begin: a schedule that does not wait for answers.

A load whose next request waits for the last answer asks less of a server the slower it is, and misses what users would
have met meanwhile ("coordinated omission", Gil Tene, https://www.youtube.com/watch?v=lJ8ydIuPFeU). Here arrival k has
its time before anything is sent, and latency counts from that time.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ALMOST = 1e-6
"""Tolerance for the rounding of floats, so that it does not add an arrival at the very end."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A period in which the rate changes linearly from one value to another; where both are equal, it is constant."""

    from_rps: float
    to_rps: float
    for_s: float

    @property
    def expected(self) -> float:
        """The expected number of arrivals; may be a fraction, which is carried over into the next stage."""
        return (self.from_rps + self.to_rps) / 2 * self.for_s

    def when(self, number: float) -> float:
        """Seconds from its beginning until this many arrivals have come: the inverse of `a t + (b - a) t^2 / 2 T`."""
        # Numerically stable form: the textbook quadratic formula becomes 0/0 as a approaches b.
        slope = (self.to_rps - self.from_rps) / self.for_s
        root = math.sqrt(max(0.0, self.from_rps * self.from_rps + 2 * slope * number))
        return 2 * number / (self.from_rps + root) if number > 0 else 0.0

    def rate_at(self, s: float) -> float:
        """Arrivals a second at that time from its beginning."""
        return self.from_rps + (self.to_rps - self.from_rps) * s / self.for_s


@dataclass(frozen=True, slots=True)
class Randomness:
    """Distances between arrivals that are gamma distributed, with a mean of one.

    A shape of 1 is a Poisson process: users who know nothing of one another. Below 1 they come in bursts, above 1 more
    evenly, and without end as on a grid. The same seed gives the same arrivals.
    """

    shape: float
    seed: int

    def numbers(self) -> Iterator[float]:
        """How many arrivals of an even schedule have come when each of these comes; without end."""
        draw = random.Random(self.seed)
        return itertools.accumulate(draw.gammavariate(self.shape, 1 / self.shape) for _ in itertools.repeat(None))


class Arrivals:
    """The arrivals of stages that follow one another, at the rate of their moment: evenly spaced, or by chance."""

    def __init__(self, stages: Sequence[Stage], randomness: Randomness | None = None) -> None:
        self.randomness = randomness
        """How the distances vary; None for an even grid, of which the rest describes the numbers."""
        self.stages = tuple(stage for stage in stages if stage.for_s > 0)
        self.duration_s = math.fsum(stage.for_s for stage in self.stages)
        """Seconds from the first arrival to the end of the last stage."""
        self.count = max(0, math.ceil(math.fsum(stage.expected for stage in self.stages) - ALMOST))
        """How many arrivals: the first at time 0, none at the very end. With randomness, the expected number."""

    def __iter__(self) -> Iterator[float]:
        """Seconds from the beginning, in order, one for each arrival; nothing is kept in memory."""
        return self._even_arrivals() if self.randomness is None else self._random(self.randomness.numbers())

    def _random(self, numbers: Iterator[float]) -> Iterator[float]:
        """The arrivals by chance: a process of rate one, in the time in which the rate of the stages is one."""
        before, begun_s = 0.0, 0.0
        number = next(numbers)
        for stage in self.stages:
            while number < before + stage.expected:
                yield begun_s + min(stage.when(number - before), stage.for_s)
                number = next(numbers)
            before, begun_s = before + stage.expected, begun_s + stage.for_s

    def _even_arrivals(self) -> Iterator[float]:
        """Arrival times on an even grid: arrival k comes when the expected number of arrivals reaches k."""
        number, before, begun_s = 0, 0.0, 0.0
        for stage in self.stages:
            after = before + stage.expected
            last = min(self.count, math.ceil(after - ALMOST))
            if (
                stage.from_rps == stage.to_rps
            ):  # no square root: most loads are constant, and this runs once per request
                gap_s = 1 / stage.from_rps if stage.from_rps else 0.0
                while number < last:
                    yield begun_s + max(0.0, number - before) * gap_s
                    number += 1
            else:
                while number < last:
                    yield begun_s + stage.when(number - before)
                    number += 1
            before, begun_s = after, begun_s + stage.for_s

    def rate_at(self, s: float) -> float:
        """Arrivals a second that the schedule wants at that time; none before it and after it."""
        if s < 0:
            return 0.0
        for stage in self.stages:
            if s < stage.for_s:
                return stage.rate_at(s)
            s -= stage.for_s
        return 0.0
