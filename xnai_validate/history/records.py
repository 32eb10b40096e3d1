"""What the history keeps of a run: its verdict and counts, and of each check the status and the main figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.report import CheckResult, RunReport, Shard, Summary
from xnai_validate.model.results.status import Status

REASON_CAP = 300
"""Characters of a reason that are kept."""
PREFERRED = ("p95_ms", "p99_ms", "p50_ms", "total_ms")
"""The main figure of a check is the first of these that it measured and judged."""
LARGEST = 1e300
UNITS = ("_us", "_ms", "_s", "_hours", "_days", "_bytes", "_kib", "_mib", "_gib", "_ratio", "_percent", "_rps")
"""How the name of a fact ends that is a measured quantity. A count or a code has no trend."""
ELAPSED = "elapsed_ms"
"""The main figure of a check that judges no measured quantity: how long it took."""
RUNNING = "running"
"""The verdict of a run that has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run."""

    id: str
    profiles: tuple[str, ...]
    """The profiles, and which shard of them it was, if it was one."""
    title: str
    started_at: str
    """ISO 8601, UTC."""
    elapsed_ms: float
    verdict: str
    """The verdict of the report; `running` if the run has not ended."""
    exit_code: int
    stopped: str | None
    counts: Mapping[str, int]
    """Status -> number of checks."""

    @property
    def name(self) -> str:
        """The profiles, separated by spaces."""
        return " ".join(self.profiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRecord:
    """One check in one run."""

    check: str
    status: Status
    elapsed_ms: float
    figure: str | None
    """The name of its main figure, with its unit; None if it was not measured."""
    value: float | None
    reason: str | None


def recorded_profiles(profiles: tuple[str, ...], shard: Shard | None) -> tuple[str, ...]:
    """Return the names under which the history keeps a run: a shard has a course of its own, for it is never whole."""
    return profiles if shard is None else (*profiles, f"shard {shard.name}")


def run_record(report: RunReport, *, running: bool = False) -> RunRecord:
    """Return the record of a run; `running` if it has not ended."""
    run = report.run
    return RunRecord(
        id=run.id,
        profiles=recorded_profiles(run.profiles, run.shard),
        title=run.title,
        started_at=run.started_at,
        elapsed_ms=run.elapsed_ms,
        verdict=RUNNING if running else report.verdict,
        exit_code=report.exit_code,
        stopped=None if running else run.stopped,
        counts={field.name.rstrip("_"): getattr(report.summary, field.name) for field in fields(Summary)},
    )


def result_records(report: RunReport) -> Iterator[ResultRecord]:
    """Yield the records of the checks of a run, in the order of the report."""
    for check in report.checks:
        figure, value = main_figure(check)
        reason = None if check.reason is None else check.reason[:REASON_CAP]
        yield ResultRecord(
            check=check.id,
            status=check.status,
            elapsed_ms=check.elapsed_ms,
            figure=figure,
            value=value,
            reason=reason,
        )


def main_figure(check: CheckResult) -> tuple[str | None, float | None]:
    """Return the name and value of the figure whose trend is shown.

    It is a judged fact that is a measured quantity by its unit: the first of `PREFERRED`, else the first judged one;
    else the duration of the check. A check that was not measured has none.
    """
    if check.status in (Status.SKIP, Status.ERROR):
        return None, None
    measured = dict(_quantities(check.findings))
    for name in (*PREFERRED, *measured):
        if name in measured:
            return name, measured[name]
    return ELAPSED, check.elapsed_ms


def _quantities(findings: Sequence[Finding]) -> Iterator[tuple[str, float]]:
    """Yield the facts that rules judged, have a unit and are finite numbers."""
    for finding in findings:
        is_number = isinstance(finding.actual, int | float) and not isinstance(finding.actual, bool)
        # A number of hundreds of digits, which JSON may hold, is not a measured quantity and no float.
        if is_number and finding.fact.endswith(UNITS) and abs(finding.actual) < LARGEST:  # type: ignore[arg-type]  # see above
            yield finding.fact, float(finding.actual)  # type: ignore[arg-type]  # a number, see above
