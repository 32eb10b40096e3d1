"""What the model server has done since it started."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class Counters:
    """Counts of one model server; `active` is how many generations run now."""

    requests: int = 0
    tokens_generated: int = 0
    cancelled: int = 0
    active: int = 0

    def as_json(self) -> dict[str, int]:
        """The counts under the names of `GET /stats`."""
        return asdict(self)
