"""How long a measurement takes by its own params: for the expected duration of a run, and for time limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from xnai_validate.kit.observation import Observation

UNKNOWN_S = 10.0
"""The longest time of a measurement within another one, where its params do not limit it."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The times of one measurement, in seconds."""

    usual_s: float = 0.05
    """How long it takes on a stack that is well."""
    longest_s: float | None = None
    """How long it may take by its own waits; None if its params do not limit it."""
    held_s: float = 0.0
    """How long the faults of its params are in force at the longest."""
    shared: str | None = None
    """The name under which equal checks of a run share one measurement; None if each is measured."""

    @property
    def most_s(self) -> float:
        """The longest time, with a guess where it is not limited."""
        return UNKNOWN_S if self.longest_s is None else self.longest_s


Inner = Callable[[Observation], Waits]
"""Returns the times of an observation of the params."""


def in_turn(observations: Iterable[Observation], inner: Inner) -> Waits:
    """The times of observations that are made one after the other."""
    found = [inner(observation) for observation in observations]
    return Waits(sum(waits.usual_s for waits in found), sum(waits.most_s for waits in found))


def at_once(observations: Iterable[Observation], inner: Inner) -> Waits:
    """The times of observations that are made at the same time."""
    found = [inner(observation) for observation in observations]
    return Waits(
        max((waits.usual_s for waits in found), default=0.0), max((waits.most_s for waits in found), default=0.0)
    )
