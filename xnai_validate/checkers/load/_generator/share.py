"""The part of a load that one process sends, where several processes send it together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from xnai_validate.kit import JsonObject

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a numbered sequence that one process takes: the numbers n, from 0, with n % of == index.

    The shares 0 to `of` - 1 of a schedule together are the schedule, so its rate does not depend on their number.
    """

    index: int = 0
    of: int = 1

    def part(self, items: Iterable[T]) -> Iterator[T]:
        """The items of this share, in order."""
        return iter(items) if self.of == 1 else islice(items, self.index, None, self.of)

    def count(self, whole: int) -> int:
        """How many of the numbers below `whole` are of this share."""
        return max(0, (whole - self.index + self.of - 1) // self.of)


@dataclass(frozen=True, slots=True)
class Division:
    """How a load was divided among workers; without any, it was sent from this process."""

    workers: int | None = None
    slowest_worker: str | None = None
    start_spread_ms: float | None = None
    clock_uncertainty_ms: float | None = None
    lost_workers: tuple[str, ...] = ()
    not_measured_count: int | None = None
    by_worker: tuple[JsonObject, ...] = ()
    too_slow: bool = False
    """Whether one of them was itself late."""
    incomplete: str | None = None
    """Why the figures are not those of the whole load."""

    def facts(self) -> JsonObject:
        """The facts of `LoadFacts` about it."""
        return {
            "workers": self.workers,
            "slowest_worker": self.slowest_worker,
            "start_spread_ms": self.start_spread_ms,
            "clock_uncertainty_ms": self.clock_uncertainty_ms,
            "lost_workers": list(self.lost_workers),
            "not_measured_count": self.not_measured_count,
            "by_worker": list(self.by_worker) if self.workers else None,
        }
