"""What the server shows: the latest run, rendered once; a request never waits for a check."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from xnai_validate.errors import XnaiError
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.metrics.gauges import Gauge, gauges_of
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.verdict_text import counts_sentence
from xnai_validate.report.view import PastRun, View

TREND = 60
"""Runs that the trend on the page shows."""
STALE_INTERVALS = 3
"""Intervals after which the latest run is too old to describe the stack. A run that takes longer is one."""

State = Literal["starting", "passed", "failed", "stale", "not run"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One run, as it is served."""

    run: str
    verdict: str
    exit_code: int
    counts: str
    elapsed_s: float
    ended_s: float
    """By the monotonic clock."""
    page: bytes
    gauges: tuple[Gauge, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """The health at a moment."""

    state: State
    body: dict[str, object]

    @property
    def status(self) -> int:
        """The status of the response: 200 if the latest run passed and is recent, else 503."""
        return 200 if self.state == "passed" else 503


@dataclass(slots=True)
class LatestRun:
    """The latest run and why no later one began. One thread replaces what others read, whole."""

    every_s: float
    clock: Callable[[], float] = time.monotonic
    snapshot: Snapshot | None = None
    error: str | None = None
    """Why the run after it could not begin; None if it did."""
    _past: deque[PastRun] = field(default_factory=lambda: deque(maxlen=TREND))

    def recall(self, runs: Iterable[PastRun]) -> None:
        """Begin the trend with runs that ended before this server was started, oldest first."""
        self._past.extend(runs)

    def take(self, report: RunReport) -> None:
        """Render a run that has ended, with the trend of those before it."""
        run = report.run
        self._past.append(PastRun(run.started_at, run.elapsed_ms, report.verdict, report.exit_code))
        page = FORMATS.get("html").text(report, View(trend=tuple(self._past)))
        self.snapshot = Snapshot(
            run=report.run.id,
            verdict=report.verdict,
            exit_code=report.exit_code,
            counts=counts_sentence(report),
            elapsed_s=report.run.elapsed_ms / 1000,
            ended_s=self.clock(),
            page=page.encode("utf-8", "replace"),
            gauges=tuple(gauges_of(report)),
        )
        self.error = None

    def refuse(self, error: XnaiError) -> None:
        """Keep why a run could not begin; the run before stays the latest."""
        self.error = error.message

    def health(self) -> Health:
        """Return the health now."""
        latest = self.snapshot
        stale_after_s = STALE_INTERVALS * max(self.every_s, latest.elapsed_s if latest else 0.0)
        limits: dict[str, object] = {"every_s": self.every_s, "stale_after_s": round(stale_after_s, 3)}
        if latest is None:
            return Health("starting", {"status": "starting", "verdict": None, "age_s": None, **limits})
        age_s = self.clock() - latest.ended_s
        state: State = "passed" if latest.exit_code == 0 else "failed"
        if self.error is not None:
            state = "not run"
        elif age_s > stale_after_s:
            state = "stale"
        body: dict[str, object] = {
            "status": state,
            "verdict": latest.verdict,
            "exit_code": latest.exit_code,
            "run": latest.run,
            "age_s": round(age_s, 3),
            **limits,
            "counts": latest.counts,
        }
        return Health(state, body if self.error is None else {**body, "error": self.error})

    def gauges(self) -> tuple[Gauge, ...]:
        """Return the gauges of the latest run, and those of the server itself."""
        health = self.health()
        latest = self.snapshot
        own = [
            Gauge("xnai_validate_healthy", "1 if /healthz has status 200.", (({}, float(health.status == 200)),)),
            Gauge("xnai_validate_every_seconds", "The interval of runs.", (({}, self.every_s),)),
        ]
        if latest is not None:
            age_s = self.clock() - latest.ended_s
            own.append(Gauge("xnai_validate_run_age_seconds", "Time since the latest run ended.", (({}, age_s),)))
        return (*own, *(latest.gauges if latest else ()))
