"""Whether a stack is ready for the next phase: the rules, and how they are applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


def readiness_of(
    runs: Sequence[RunEntry],
    missing: Sequence[str],
    criteria: Sequence[Criterion],
    causes: Sequence[RootCause],
    faults: Sequence[FaultResult],
    checks: Sequence[CheckResult],
    skipped: Sequence[Skipped],
) -> Readiness:
    """Apply the rules."""
    obstacles = tuple(_obstacles(runs, missing, criteria, causes, faults))
    conditions = tuple(_conditions(criteria, causes, checks, skipped))
    level: Level = "not ready" if obstacles else "ready with conditions" if conditions else "ready"
    return Readiness(level=level, obstacles=obstacles, conditions=conditions, rules=RULES)


def _obstacles(
    runs: Sequence[RunEntry],
    missing: Sequence[str],
    criteria: Sequence[Criterion],
    causes: Sequence[RootCause],
    faults: Sequence[FaultResult],
) -> Iterator[str]:
    for fault in faults:
        if not fault.proven:
            yield f"the fault {fault.fault} of {fault.target or 'the host'} may still be in force"
    yield from missing
    for run in runs:
        name = f"the run {run.id} of {' '.join(run.profiles)}"
        if run.stopped is not None:
            yield f"{name} did not reach its end ({run.stopped})"
        elif sum(run.summary.values()) == run.summary["skip"]:
            yield f"{name} judged nothing: every check was skipped"
        elif run.exit_code and not causes and all(criterion.result.met is not False for criterion in criteria):
            yield f"{name} ended with exit code {run.exit_code}"
    for cause in causes:
        if cause.status is Status.FAIL and cause.severity in GRAVE:
            yield f"{cause.severity}: {cause.title} ({cause.id})"
    for criterion in criteria:
        if criterion.result.met is False:
            result = criterion.result
            planned = planned_text(result.planned)
            yield f"criterion of {criterion.profiles}: {result.name} {planned}, got {result.actual}"


def _conditions(
    criteria: Sequence[Criterion],
    causes: Sequence[RootCause],
    checks: Sequence[CheckResult],
    skipped: Sequence[Skipped],
) -> Iterator[str]:
    for cause in causes:
        if cause.status is Status.ERROR:
            yield f"not measured: {cause.title} ({cause.id})"
        elif cause.severity not in GRAVE:
            yield f"{cause.severity}: {cause.title} ({cause.id})"
    for check in checks:
        if check.status is Status.WAIVED and check.waiver is not None:
            yield f"waived until {check.waiver.until}: {check.title} ({check.id})"
        elif check.status is Status.FLAKY:
            yield f"flaky: {check.title} ({check.id})"
    for criterion in criteria:
        if criterion.result.not_judged is not None:
            result = criterion.result
            yield f"criterion of {criterion.profiles} not judged: {result.name} ({result.not_judged})"
    for entry in skipped:
        if "disruptive" in entry.reason:
            yield f"{counted(len(entry.checks), 'check')} skipped: {entry.reason}"
