"""Which of many are disturbed, and by how much: the same each time for the same seed."""

from __future__ import annotations

from math import floor
from random import Random


class Spread:
    """Picks a share of what comes: of any n in a row it is share * n, less than one more or less."""

    def __init__(self, share: float, seed: int) -> None:
        self._share, self._begin = share, Random(seed).random()
        self._count = 0

    def hit(self) -> bool:
        """Whether the next one is among them."""
        number, self._count = self._count, self._count + 1
        return floor((number + 1) * self._share + self._begin) > floor(number * self._share + self._begin)


def draws(seed: int, connection: int, way: str) -> Random:
    """The random numbers of one way of one connection."""
    return Random(f"{seed}:{connection}:{way}")
