"""Whether a stack is ready for the next phase: the rules, and how they are applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from xnai_validate.model.results.report import CheckResult, FaultResult
from xnai_validate.model.results.severity import Severity
from xnai_validate.model.results.status import Status
from xnai_validate.report.integration.models import Criterion, Level, Readiness, RootCause, RunEntry, Skipped
from xnai_validate.report.lists import counted
from xnai_validate.report.words import planned_text

RULES = (
    "Not ready: a fault may still be in force, or its revert is not proven.",
    "Not ready: a planned phase has not run, its run did not reach its end or judged nothing, or it did not pass for a "
    "reason of its own, such as --fail-on.",
    "Not ready: a root cause of severity critical or high failed.",
    "Not ready: a success criterion is not met.",
    "Ready with conditions: a root cause of severity medium or low failed, or a check could not be measured.",
    "Ready with conditions: a failure is waived, a check is flaky, a criterion was not judged, or checks were skipped "
    "because they may disturb the stack and that was not allowed.",
    "Ready: none of these.",
)
"""The rules that are shown in the report; the first that applies decides."""
GRAVE = (Severity.CRITICAL, Severity.HIGH)


NEEDS_CONSENT = "disruptive"
"""Stands in the reason of checks that were skipped because they may disturb the stack."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the rules are applied to."""

    runs: Sequence[RunEntry]
    missing: Sequence[str]
    criteria: Sequence[Criterion]
    causes: Sequence[RootCause]
    faults: Sequence[FaultResult]
    checks: Sequence[CheckResult]
    skipped: Sequence[Skipped]


def readiness_of(grounds: Grounds) -> Readiness:
    """Apply the rules, in their order."""
    obstacles = [
        list(rule(grounds)) for rule in (_faults_in_force, _runs_without_verdict, _grave_causes, _unmet_criteria)
    ]
    conditions = [list(rule(grounds)) for rule in (_other_causes, _accepted_risks)]
    level: Level = "not ready" if any(obstacles) else "ready with conditions" if any(conditions) else "ready"
    return Readiness(
        level=level,
        obstacles=tuple(chain.from_iterable(obstacles)),
        conditions=tuple(chain.from_iterable(conditions)),
        rules=RULES,
        met=(*(len(found) for found in (*obstacles, *conditions)), int(level == "ready")),
    )


def _faults_in_force(grounds: Grounds) -> Iterator[str]:
    """Yield the faults that may still be in force."""
    for fault in grounds.faults:
        if not fault.proven:
            yield f"the fault {fault.fault} of {fault.target or 'the host'} may still be in force"


def _runs_without_verdict(grounds: Grounds) -> Iterator[str]:
    """Yield the runs that are missing, did not reach their end, or judged nothing."""
    yield from grounds.missing
    explained = grounds.causes or any(criterion.result.met is False for criterion in grounds.criteria)
    for run in grounds.runs:
        name = f"the run {run.id} of {' '.join(run.profiles)}"
        if run.stopped is not None:
            yield f"{name} did not reach its end ({run.stopped})"
        elif sum(run.summary.values()) == run.summary["skip"]:
            yield f"{name} judged nothing: every check was skipped"
        elif run.exit_code and not explained:
            yield f"{name} ended with exit code {run.exit_code}"


def _grave_causes(grounds: Grounds) -> Iterator[str]:
    """Yield the failures of a grave severity."""
    for cause in grounds.causes:
        if cause.status is Status.FAIL and cause.severity in GRAVE:
            yield f"{cause.severity}: {cause.title} ({cause.id})"


def _unmet_criteria(grounds: Grounds) -> Iterator[str]:
    """Yield the success criteria that are not met."""
    for criterion in grounds.criteria:
        if criterion.result.met is False:
            result = criterion.result
            planned = planned_text(result.planned)
            yield f"criterion of {criterion.profiles}: {result.name} {planned}, got {result.actual}"


def _other_causes(grounds: Grounds) -> Iterator[str]:
    """Yield the failures of lower severity and the checks that could not be measured."""
    for cause in grounds.causes:
        if cause.status is Status.ERROR:
            yield f"not measured: {cause.title} ({cause.id})"
        elif cause.severity not in GRAVE:
            yield f"{cause.severity}: {cause.title} ({cause.id})"


def _accepted_risks(grounds: Grounds) -> Iterator[str]:
    """Yield what is accepted: waived and flaky checks, criteria that were not judged, checks without consent."""
    for check in grounds.checks:
        if check.status is Status.WAIVED and check.waiver is not None:
            yield f"waived until {check.waiver.until}: {check.title} ({check.id})"
        elif check.status is Status.FLAKY:
            yield f"flaky: {check.title} ({check.id})"
    for criterion in grounds.criteria:
        if criterion.result.not_judged is not None:
            result = criterion.result
            yield f"criterion of {criterion.profiles} not judged: {result.name} ({result.not_judged})"
    for entry in grounds.skipped:
        if NEEDS_CONSENT in entry.reason:
            yield f"{counted(len(entry.checks), 'check')} skipped: {entry.reason}"
