"""What a baseline keeps of a run: where it ran, and the figures of each check that passed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import ConfigDict

from xnai_validate.baseline.figures import Figure, Figures, Missing, is_memory, latency_figures, windows_of
from xnai_validate.baseline.fingerprint import Fingerprint, fingerprint_of
from xnai_validate.model.json import JsonValue
from xnai_validate.model.results.report import CheckResult, RunReport

WINDOWS = "latency_windows"
"""The fact in which a load gives its latencies, window by window."""
LAG = "lag_p99_ms"
"""The fact of a load that measures how late the tool itself was."""
LAG_RATIO = 0.1
"""How large it may be, as a share of the median latency, for latencies to describe the stack.

On the runs of `bench.samples` the p50 of a load differed by 7 % from run to run, and by 1 % among those within this.
"""
LAG_LEAST_MS = 1.0
"""So late is a tool in Python now and then on an idle machine; a shorter latency is compared nevertheless."""
FORMAT: Literal["xnai-validate/baseline/1"] = "xnai-validate/baseline/1"


class _Value:
    """Read and written by pydantic."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCheck(_Value):
    """A check of a recorded run."""

    facts: Mapping[str, bool | int | float]
    """Its facts that are numbers or flags."""
    memory: tuple[str, ...] = ()
    """Its facts of resident memory that the check judges: many checks report one that they do not judge."""
    latency_windows: JsonValue = None
    """Its latencies, for a load."""

    @property
    def comparable(self) -> bool:
        """Whether it has figures that can be compared."""
        return self.latency_windows is not None or bool(self.memory)

    def figures(self) -> Figures:
        """Its figures by name; those of a load that was itself too slow are missing, with the reason."""
        figures: Figures = {name: Figure(float(self.facts[name])) for name in self.memory if self.facts.get(name)}
        if self.latency_windows is None:
            return figures
        why = None
        if self.facts.get("too_slow_client"):
            why = "the load generator was too slow, so that the latencies are its own"
        elif self.facts.get("ended_early"):
            why = "the load ended early"
        try:
            _, windows = windows_of(self.latency_windows)
            latencies = latency_figures(windows)
        except ValueError as error:
            return {**figures, "p50_ms": Missing(str(error))}
        why = why or self._describe_disturbance(latencies["p50_ms"])
        return {**figures, **(dict.fromkeys(latencies, Missing(why)) if why else latencies)}

    def _describe_disturbance(self, median: Figure | Missing) -> str | None:
        """Return why the latencies do not describe the stack: the machine was too busy, for this tool as well."""
        late_ms = self.facts.get(LAG, 0)
        if isinstance(median, Missing) or late_ms <= max(LAG_RATIO * median.value, LAG_LEAST_MS):
            return None
        return (
            f"the machine was too busy: the tool itself was {late_ms:.3g} ms late, at a median of {median.value:.3g} ms"
        )

    @property
    def window_ms(self) -> float | None:
        """How long a window of its latencies is; None where it has none."""
        try:
            return windows_of(self.latency_windows)[0]
        except ValueError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun(_Value):
    """A run as a baseline keeps it."""

    id: str
    started_at: str
    """ISO 8601, UTC."""
    fingerprint: Fingerprint
    checks: Mapping[str, RecordedCheck] = field(default_factory=dict)
    """By id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline(_Value):
    """One run or more of the same stack on the same host."""

    format: Literal["xnai-validate/baseline/1"] = FORMAT
    name: str
    runs: tuple[RecordedRun, ...]
    """Oldest first."""


def recorded(report: RunReport, *, passed_only: bool) -> RecordedRun:
    """Return the part of a run that a baseline keeps. With `passed_only`, checks that did not pass are left out."""
    chosen = (check for check in report.checks if check.facts and (check.status.passed or not passed_only))
    return RecordedRun(
        id=report.run.id,
        started_at=report.run.started_at,
        fingerprint=fingerprint_of(report),
        checks={check.id: kept for check in chosen if (kept := _record_check(check)) is not None},
    )


def _record_check(check: CheckResult) -> RecordedCheck | None:
    """Return the figures of a check that can be compared; None if it has none."""
    facts = {name: value for name, value in check.facts.items() if isinstance(value, bool | int | float)}
    numbers = {name: value for name, value in facts.items() if math.isfinite(value)}
    judged = {finding.fact for finding in check.findings}
    memory = tuple(name for name in numbers if name in judged and is_memory(name))
    kept = RecordedCheck(facts=numbers, memory=memory, latency_windows=check.facts.get(WINDOWS))
    return kept if numbers or kept.latency_windows is not None else None
