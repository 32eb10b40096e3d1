"""One attempt of a check that is measured from several places: from each at the same time, and judged for each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Protocol

from xnai_validate.engine.attempts.attempt import attempt, judged_outcome, outcome_of, too_late
from xnai_validate.engine.attempts.lateness import LATENESS, Lateness
from xnai_validate.engine.attempts.outcome import WITH_EXCHANGES, Outcome
from xnai_validate.kit import Context, Facts
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import HERE, VantageResult, describe_vantage, rank
from xnai_validate.plan import CompiledMeasurement, PlannedCheck


@dataclass(frozen=True, slots=True)
class Measured:
    """What one measurement elsewhere has returned."""

    facts: Facts | None
    """None where the time limit of the check ended the measurement."""
    elapsed_ms: float
    lateness: Lateness
    """When the process that measured was late, by its own clock, which is that of the span of the facts."""
    exchanges: tuple[Exchange, ...] = ()
    stage: str = ""
    """What a measurement of several steps was doing at last."""


class VantagePoint(Protocol):
    """A place that measures for this process."""

    @property
    def name(self) -> str:
        """Its name in reports."""

    async def measure(self, measurement: CompiledMeasurement, ctx: Context, timeout_s: float) -> Measured:
        """Measure once, within the time limit at that place.

        Raises NotApplicable and Unmeasurable as checkers do, and another XnaiError where the place is lost.
        """


class VantagePoints(Protocol):
    """The places that a run has besides this process."""

    def points(self, names: Sequence[str]) -> Sequence[VantagePoint]:
        """Return the places that the names stand for, each once. Raises Unmeasurable for an unknown name."""


VANTAGE_POINTS: ContextVar[VantagePoints | None] = ContextVar("VANTAGE_POINTS", default=None)
"""The places of this run; None for a run without workers: then a check is measured here, if it names that."""


async def attempt_from_each(check: PlannedCheck, ctx: Context, timeout_s: float) -> Outcome:
    """Measure a check once from each of its vantage points, and return the worst outcome with all results."""
    return await outcome_of(check.measurement, _measure_from_each(check, ctx, timeout_s))


async def _measure_from_each(check: PlannedCheck, ctx: Context, timeout_s: float) -> Outcome:
    """Measure a check from each place at once. Raises Unmeasurable for a place that is not known."""
    begun = ctx.clock.monotonic()
    known = VANTAGE_POINTS.get()
    points = () if known is None else known.points([name for name in check.vantage if name != HERE])
    async with asyncio.TaskGroup() as group:
        tasks = {}
        if HERE in check.vantage:
            tasks[HERE] = group.create_task(attempt(check.measurement, ctx, timeout_s))
        for point in points:
            measured = _attempt_at(point, check.measurement, ctx, timeout_s)
            tasks[point.name] = group.create_task(outcome_of(check.measurement, measured))
    if not tasks:
        return Outcome(Status.SKIP, "the check is measured from workers, and the run has none")
    outcomes = {name: task.result() for name, task in tasks.items()}
    return _worst(outcomes, round((ctx.clock.monotonic() - begun) * 1000, 3))


async def _attempt_at(point: VantagePoint, measurement: CompiledMeasurement, ctx: Context, timeout_s: float) -> Outcome:
    """Measure at one place and judge here. Raises what the measurement raises."""
    measured = await point.measure(measurement, ctx, timeout_s)
    if measured.facts is None:
        outcome = too_late(measurement, measured.stage, timeout_s)
    else:
        LATENESS.set(measured.lateness)  # of this task alone: the rules judge how late the other process was
        outcome = judged_outcome(measurement, measured.facts, ctx.clock.time())
    exchanges = measured.exchanges if outcome.status in WITH_EXCHANGES else ()
    return replace(outcome, elapsed_ms=round(measured.elapsed_ms, 3), exchanges=exchanges)


def _worst(outcomes: Mapping[str, Outcome], elapsed_ms: float) -> Outcome:
    """Return the outcome of the place where it is worst, with the results of all places.

    A place where the check does not apply, though it was measured at others, was not measured: an error.
    """
    if len({outcome.status is Status.SKIP for outcome in outcomes.values()}) > 1:
        outcomes = {name: _as_error(outcome) for name, outcome in outcomes.items()}
    results = tuple(
        VantageResult(
            name=name,
            status=outcome.status,
            reason=outcome.reason,
            findings=outcome.findings,
            facts=outcome.facts,
            elapsed_ms=outcome.elapsed_ms,
        )
        for name, outcome in outcomes.items()
    )
    worst = max(outcomes.values(), key=lambda outcome: rank(outcome.status))
    reason = None if worst.status is Status.PASS else describe_vantage(results)
    return replace(worst, reason=reason, vantage=results, elapsed_ms=elapsed_ms)


def _as_error(outcome: Outcome) -> Outcome:
    """Return a skip as an error, any other outcome as it is."""
    if outcome.status is not Status.SKIP:
        return outcome
    return replace(outcome, status=Status.ERROR, reason=f"not measured: {outcome.reason}")
