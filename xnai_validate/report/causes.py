"""What is wrong, as a report shows it: every root cause once, with the checks that are alike and those blocked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xnai_validate.model.results.causes import BAD, blocked_by_root, grouped
from xnai_validate.model.results.report import Cause, CheckResult, RunReport
from xnai_validate.model.results.severity import CRITICAL_TAGS
from xnai_validate.model.results.status import Status
from xnai_validate.report.lists import counted

MANY = 4
"""From this number of failures on, a report lists their causes first: the details fill more than a screen."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A check that did not pass, with the checks that are reported under it."""

    check: CheckResult
    alike: tuple[str, ...]
    """The ids of the other checks that failed for the same reason, and of those that warn for it."""
    blocks: tuple[str, ...]
    """The ids of the checks that could not be measured because of these checks."""
    count: int
    """How many checks have its status for this reason."""


PROBLEMS: tuple[tuple[Status, str], ...] = (
    (Status.FAIL, "Failed"),
    (Status.ERROR, "Could not be measured"),
    (Status.WARN, "Warnings"),
    (Status.FLAKY, "Flaky"),
    (Status.WAIVED, "Waived"),
)
"""The statuses that need attention, the gravest first, with the titles of their sections."""


def problems_of(report: RunReport, status: Status, *, fold: bool = True) -> list[Problem]:
    """Return the checks of a status as problems: the critical first, then those that block the most checks.

    With `fold`, checks that failed for one reason are one problem, under which what could not be measured because of it
    is listed. Warnings with the reason of a failure are reported under that.
    """
    known = {check.id: check for check in report.checks}
    if fold and status in BAD:
        causes = [cause for cause in report.causes if cause.status is status]
        return [Problem(known[each.id], each.alike, each.blocks, _count_alike(each, known, status)) for each in causes]
    under_a_cause = {check_id for cause in report.causes for check_id in cause.alike} if fold else set()
    of_status = [check for check in report.checks if check.status is status and check.id not in under_a_cause]
    groups = grouped(of_status) if fold else [[check] for check in of_status]
    blocked = blocked_by_root(report.checks)
    problems = [
        Problem(first, tuple(check.id for check in rest), tuple(blocked.get(first.id, ())), 1 + len(rest))
        for first, *rest in groups
    ]
    return sorted(problems, key=lambda problem: (CRITICAL_TAGS.isdisjoint(problem.check.tags), -len(problem.blocks)))


def _count_alike(cause: Cause, known: Mapping[str, CheckResult], status: Status) -> int:
    """Count the checks of a cause, itself and those alike, that have a status."""
    return 1 + sum(known[check_id].status is status for check_id in cause.alike)


def has_many_failures(checks: Sequence[CheckResult]) -> bool:
    """Whether the causes are listed before the details."""
    return sum(check.status in BAD for check in checks) >= MANY


def cause_counts(cause: Cause) -> str:
    """Return ` (2 alike, blocks 42 checks)`; an empty text if it concerns a single check."""
    parts = [f"{len(cause.alike)} alike"] if cause.alike else []
    parts += [f"blocks {counted(len(cause.blocks), 'check')}"] if cause.blocks else []
    return f" ({', '.join(parts)})" if parts else ""


def skips_of(checks: Sequence[CheckResult]) -> list[tuple[str, list[str]]]:
    """Return the reasons for which checks were skipped, each with the ids of its checks, the most frequent first.

    Checks that a failure blocked are left out: they are listed under that failure.
    """
    reported = {check.id for check in checks if check.status in (*BAD, Status.WAIVED)}
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.status is Status.SKIP and check.blocked_by not in reported:
            reason = f"needs {check.blocked_by}" if check.blocked_by else check.reason or "no reason was given"
            reasons.setdefault(reason, []).append(check.id)
    return sorted(reasons.items(), key=lambda item: -len(item[1]))
