"""Root causes: which checks failed for one reason and are reported together, and what each of them blocked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xnai_validate.model.results.report import CheckResult
from xnai_validate.model.results.status import Status
from xnai_validate.report.words import broken_findings

ALIKE = 3
"""From this number on, checks of one target that failed for one reason are reported as one problem."""
CRITICAL = frozenset({"critical", "preflight"})
"""The tags of checks whose failures are listed first: without what they ask for a stack is not fit for use."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A check that did not pass, with the checks that are reported under it."""

    check: CheckResult
    alike: tuple[str, ...]
    """The ids of the other checks that failed for the same reason."""
    blocks: tuple[str, ...]
    """The ids of the checks that were skipped because of these checks."""


PROBLEMS: tuple[tuple[Status, str], ...] = (
    (Status.FAIL, "Failed"),
    (Status.ERROR, "Could not be measured"),
    (Status.WARN, "Warnings"),
    (Status.FLAKY, "Flaky"),
)
"""The statuses that need attention, the gravest first, with the titles of their sections."""


def problems_of(checks: Sequence[CheckResult], status: Status, *, fold: bool = True) -> list[Problem]:
    """Return the checks of a status as problems: the critical first, then those that block the most checks.

    With `fold`, checks of one target that failed for one reason are one problem if there are `ALIKE` of them or more,
    and those that break one promise in the same facts in any case.
    """
    blocked = blocked_by_root(checks)
    of_status = [check for check in checks if check.status is status]
    ordered = sorted(of_status, key=lambda check: (CRITICAL.isdisjoint(check.tags), -len(blocked.get(check.id, ()))))
    groups: dict[tuple[object, ...], list[CheckResult]] = {}
    for check in ordered:
        groups.setdefault(_cause(check), []).append(check)
    problems: dict[str, Problem] = {}
    for cause, group in groups.items():
        parts = [group] if fold and (len(group) >= ALIKE or _PROMISE in cause) else [[check] for check in group]
        for first, *rest in parts:
            blocks = [check_id for check in (first, *rest) for check_id in blocked.get(check.id, ())]
            problems[first.id] = Problem(first, tuple(check.id for check in rest), tuple(blocks))
    return [problems[check.id] for check in ordered if check.id in problems]


def skips_of(checks: Sequence[CheckResult]) -> list[tuple[str, list[str]]]:
    """Return the reasons for which checks were skipped, each with the ids of its checks, the most frequent first.

    Checks that a failure blocked are left out: they are listed under that failure.
    """
    reported = {check.id for check in checks if check.status in (Status.FAIL, Status.ERROR)}
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.status is Status.SKIP and check.blocked_by not in reported:
            reason = f"needs {check.blocked_by}" if check.blocked_by else check.reason or "no reason was given"
            reasons.setdefault(reason, []).append(check.id)
    return sorted(reasons.items(), key=lambda item: -len(item[1]))


def blocked_by_root(checks: Sequence[CheckResult]) -> dict[str, list[str]]:
    """Return the id of each root cause with the ids of the checks that were skipped because of it."""
    blocked: dict[str, list[str]] = {}
    for check in checks:
        if check.status is Status.SKIP and check.blocked_by is not None:
            blocked.setdefault(check.blocked_by, []).append(check.id)
    return blocked


def _cause(check: CheckResult) -> tuple[object, ...]:
    """Return a key that is equal for checks that failed for one reason; for any other check, its id.

    One reason is the same words of an error, on whatever target (a missing library); or, on one target, the same error
    instead of an answer, an answer with the same status of 500 or more, or the same part missing in a document; or one
    promise that is broken in the same facts, alike as far as these are no measured numbers, lists or objects. Failed
    steps of a flow may have any reason, so such checks stand alone.
    """
    if check.status is Status.ERROR and check.reason:
        return (check.reason,)
    broken = broken_findings(check.findings, "expect")
    for finding in broken:
        if finding.fact == "error" and isinstance(finding.actual, str):
            return (check.target, finding.actual)
        if finding.fact == "status" and isinstance(finding.actual, int) and finding.actual >= 500:
            return (check.target, finding.fact, finding.actual)
    if broken and broken[0].actual is None and broken[0].expected is not None and " $" in broken[0].fact:
        return (check.target, broken[0].fact)
    by_steps = any(finding.fact == "failed_steps" for finding in broken)
    if broken and check.promise is not None and check.status is Status.FAIL and not by_steps:
        facts = frozenset((finding.fact, *_same_value(finding.actual)) for finding in broken)
        return (_PROMISE, check.target, check.promise.id, facts)
    return (check.id,)


_PROMISE = "promise"


def _same_value(value: object) -> tuple[object, ...]:
    """Return what must be equal of the values of one fact in checks that failed for one reason."""
    return () if isinstance(value, float | list | dict) else (value,)
