"""Which connections or requests are affected, and random numbers: the same for the same seed."""

from __future__ import annotations

from math import floor
from random import Random


class Spread:
    """Picks a share of a sequence: of any n in a row it picks share * n, rounded up or down."""

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._begin = share, Random(seed).random()
        self._count = 0

    def hit(self) -> bool:
        """Return whether the next one is picked."""
        number, self._count = self._count, self._count + 1
        return floor((number + 1) * self._share + self._begin) > floor(number * self._share + self._begin)


def draws(seed: int, connection: int, direction: str) -> Random:
    """The random numbers of one direction of one connection."""
    return Random(f"{seed}:{connection}:{direction}")
