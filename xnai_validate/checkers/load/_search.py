"""The search for the most load that holds: doubling until a probe does not hold, then bisection."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from xnai_validate.kit import JsonObject, Observed

FACTS = (
    "sent_count", "throughput_rps", "goodput_rps", "good_ratio", "error_ratio", "p50_ms", "p95_ms", "p99_ms",
    "max_ms", "first_token_p50_ms", "first_token_p95_ms", "first_token_p99_ms", "stream_gap_p95_ms",
    "stream_max_ms", "lag_p99_ms",
)  # fmt: skip
"""What the curve shows of a probe, as far as its kind measures it."""

LATE_CAP = 5
"""Probes of one load in which this tool was late itself, until the search ends; these are no failures of the stack."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One load at one rate, or with one number of virtual users."""

    load: float
    why: str | None
    """The rules that did not hold, in words; None where all held."""
    too_slow: bool
    """Whether this tool, not the stack, explains the figures. A probe that holds all the same is to be trusted."""
    figures: JsonObject

    @classmethod
    def of(cls, load: float, why: str | None, observed: Observed) -> Probe:
        """The probe of a load and what it measured."""
        figures = {name: observed.facts[name] for name in FACTS if name in observed.facts}
        return cls(load, why, why is not None and bool(observed.facts["too_slow_client"]), figures)

    @property
    def queued_s(self) -> float:
        """How long the stack may still work on what a probe that did not hold has left in its queues."""
        times_ms = [self.figures.get(name) for name in ("max_ms", "stream_max_ms")]
        slowest_ms = max((ms for ms in times_ms if isinstance(ms, int | float)), default=0.0)
        return 2 * slowest_ms / 1000 if self.why is not None else 0.0

    def line(self) -> JsonObject:
        """Return the point of the probe in the curve of loads."""
        return {"load": self.load, "held": self.why is None, **self.figures, "reason": self.why}


@dataclass(slots=True)
class Search:
    """The course of a search between two loads."""

    from_: float
    to: float
    step: float
    """How far the highest load that held and the lowest that did not may be apart, of the former."""
    whole: bool
    """Whether only whole numbers can be probed."""
    attempts: int
    """A load does not hold where it did not in this number of probes in a row."""
    probes: list[Probe] = field(default_factory=list)
    held: float | None = None
    """The highest load that held."""
    broken: Probe | None = None
    """The lowest that did not."""
    ended_because: str | None = None
    """Why the search ended without a result."""

    async def run(self, probe: Callable[[float], Awaitable[Probe | None]]) -> None:
        """Search; `probe` applies a load, or returns None where there is no time for it."""
        while self.ended_because is None and (load := self._next()) is not None:
            await self._try(load, probe)

    def _next(self) -> float | None:
        """The load to probe next; None where the result is known."""
        if self.broken is None:
            if self.held is None:
                return self.from_
            return min(self.to, self.held * 2) if self.held < self.to else None
        if self.held is None:
            return None
        middle = (self.held + self.broken.load) / 2
        if self.whole:
            middle = math.floor(middle)
            if middle <= self.held:
                return None
        return middle if self.broken.load - self.held > self.step * self.held else None

    async def _try(self, load: float, probe: Callable[[float], Awaitable[Probe | None]]) -> None:
        """Apply a load until it holds, or has not held often enough."""
        failed = late = 0
        while True:
            last = await probe(load)
            if last is None:
                self.ended_because = "the check has no time for another probe"
                return
            self.probes.append(last)
            if last.why is None:
                self.held = load
                return
            late += last.too_slow
            failed += not last.too_slow
            if failed >= self.attempts:
                self.broken = last
                return
            if late >= LATE_CAP:
                self.ended_because = "this tool was late itself, so its figures do not judge the stack"
                return

    def unfinished(self) -> str | None:
        """Why there is no result, with what is known, in words; None where there is one."""
        if self.ended_because is None:
            return None
        held = "no load has held so far" if self.held is None else f"{self.held:.6g} held"
        at = f" at {self.probes[-1].load:.6g}" if self.probes else ""
        return f"the search ended{at}, {held}: {self.ended_because}"

    def curve(self) -> list[JsonObject]:
        """Every probe, by its load."""
        return [probe.line() for probe in sorted(self.probes, key=lambda probe: probe.load)]
