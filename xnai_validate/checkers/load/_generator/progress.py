"""The progress of a load, as a line for the live display."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """What the line shows."""

    phase: str
    since_s: float
    """How long the phase has gone on."""
    for_s: float
    """How long it lasts."""
    is_over: bool
    """Whether only the last answers are awaited."""
    count: int
    """What has come so far."""
    unit: str
    """What is counted."""
    busy: int
    """Requests under way."""
    errors: int
    latency: str = ""
    """The latencies of late: `, p50 12 ms, p99 80 ms`."""

    def line(self, rate: float) -> str:
        """Describe it; `rate` is the number of units a second."""
        while_ = (
            "load over, the last are awaited" if self.is_over else f"{self.phase} {self.since_s:.0f}/{self.for_s:g} s"
        )
        errors = f"{self.errors} error{'' if self.errors == 1 else 's'}"
        return f"{while_}, {rate:.0f} {self.unit}/s{self.latency}, {self.busy} under way, {errors}"


class Progress:
    """Remembers the last line, since the rate that is shown is the one since then."""

    def __init__(self, now: float) -> None:
        self.shown_at = now
        self._count = 0

    def line(self, moment: Moment, now: float) -> str:
        """Describe the progress."""
        rate = (moment.count - self._count) / (now - self.shown_at) if now > self.shown_at else 0.0
        self.shown_at, self._count = now, moment.count
        return moment.line(rate)
