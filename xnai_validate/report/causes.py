"""Root causes: which problems are told once for several checks, and what each of them blocked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xnai_validate.model.results.report import CheckResult
from xnai_validate.model.results.status import Status
from xnai_validate.report.words import telling

ALIKE = 3
"""So many checks of one target that fail for one reason are told as one, unless every check is asked for."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A check that is to be told, with what is told under it."""

    check: CheckResult
    alike: tuple[str, ...]
    """Ids of the checks that are told with it."""
    blocks: tuple[str, ...]
    """Ids of what it, or one of those, blocked."""


PROBLEMS: tuple[tuple[Status, str], ...] = (
    (Status.FAIL, "Failed"),
    (Status.ERROR, "Could not be measured"),
    (Status.WARN, "Warnings"),
    (Status.FLAKY, "Flaky"),
)
"""The statuses that a reader is to act on, the gravest first, and what their sections are called."""


def problems_of(checks: Sequence[CheckResult], status: Status, *, fold: bool = True) -> list[Problem]:
    """The checks of a status as problems, those that block the most first: they are what to mend first.

    With `fold`, checks of one target that fail for one reason are told as one, where there are several.
    """
    blocked = blocked_by_root(checks)
    found = [check for check in checks if check.status is status]
    ordered = sorted(found, key=lambda check: -len(blocked.get(check.id, ())))
    groups: dict[tuple[object, ...], list[CheckResult]] = {}
    for check in ordered:
        groups.setdefault(_cause(check), []).append(check)
    problems: dict[str, Problem] = {}
    for group in groups.values():
        parts = [group] if fold and len(group) >= ALIKE else [[check] for check in group]
        for first, *rest in parts:
            blocks = [one for check in (first, *rest) for one in blocked.get(check.id, ())]
            problems[first.id] = Problem(first, tuple(check.id for check in rest), tuple(blocks))
    return [problems[check.id] for check in ordered if check.id in problems]


def skips_of(checks: Sequence[CheckResult]) -> list[tuple[str, list[str]]]:
    """Why checks were skipped and the ids of those that were, the commonest reason first.

    Those that a failure blocked stand under that failure and are not among them.
    """
    told = {check.id for check in checks if check.status in (Status.FAIL, Status.ERROR)}
    reasons: dict[str, list[str]] = {}
    for check in checks:
        if check.status is Status.SKIP and check.blocked_by not in told:
            reason = f"needs {check.blocked_by}" if check.blocked_by else check.reason or "no reason was given"
            reasons.setdefault(reason, []).append(check.id)
    return sorted(reasons.items(), key=lambda item: -len(item[1]))


def _cause(check: CheckResult) -> tuple[object, ...]:
    """What checks of one target have in common that fail for one reason; for any other check, itself.

    What could not be measured is alike where the same words say why, whatever the target: a library is missing to all.

    One reason is the same error instead of an answer, an answer of the same status from 500 on, or the same part
    missing in a document.
    """
    if check.status is Status.ERROR and check.reason:
        return (check.reason,)
    told = telling(check.findings, "expect")
    for finding in told:
        if finding.fact == "error" and isinstance(finding.actual, str):
            return (check.target, finding.actual)
        if finding.fact == "status" and isinstance(finding.actual, int) and finding.actual >= 500:
            return (check.target, finding.fact, finding.actual)
    if told and told[0].actual is None and told[0].expected is not None and " $" in told[0].fact:
        return (check.target, told[0].fact)
    return (check.id,)


def blocked_by_root(checks: Sequence[CheckResult]) -> dict[str, list[str]]:
    """The id of a root cause -> the ids of the checks that were skipped because of it."""
    blocked: dict[str, list[str]] = {}
    for check in checks:
        if check.status is Status.SKIP and check.blocked_by is not None:
            blocked.setdefault(check.blocked_by, []).append(check.id)
    return blocked
