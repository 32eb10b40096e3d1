"""What changed from one run to the next: the verdict, new failures, recovered checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xnai_validate.model.results.report import CheckResult, RunReport, Verdict
from xnai_validate.model.results.status import Status

_FAILING = frozenset({Status.FAIL, Status.ERROR})


@dataclass(frozen=True, slots=True)
class Standing:
    """The verdict and the statuses of a run: all that is kept of it for the comparison with the next one."""

    verdict: Verdict
    statuses: Mapping[str, Status]
    """Full id of a check -> its status."""

    @classmethod
    def of(cls, report: RunReport) -> Standing:
        """Return the standing of a run."""
        return cls(report.verdict, {check.id: check.status for check in report.checks})


@dataclass(frozen=True, slots=True)
class CheckChange:
    """A check whose status is another one than before."""

    check: CheckResult
    before: Status | None
    """Null in the first run, and for a check that is new."""

    @property
    def broke(self) -> bool:
        """Whether it fails or cannot be measured now, and did not before."""
        return self.check.status in _FAILING and self.before not in _FAILING

    @property
    def recovered(self) -> bool:
        """Whether it passes now, and failed or could not be measured before."""
        return self.check.status.passed and self.before in _FAILING


@dataclass(frozen=True, slots=True)
class Changes:
    """The difference between a run and the one before it."""

    report: RunReport
    before: Verdict | None
    """The verdict of the run before; null without one."""
    checks: tuple[CheckChange, ...]
    """Checks with another status, in the order of the report."""

    @property
    def broken(self) -> tuple[CheckChange, ...]:
        """Checks that broke."""
        return tuple(change for change in self.checks if change.broke)

    @property
    def recovered(self) -> tuple[CheckChange, ...]:
        """Checks that recovered."""
        return tuple(change for change in self.checks if change.recovered)

    @property
    def none(self) -> bool:
        """Whether the verdict and every status are as before."""
        return self.before == self.report.verdict and not self.checks

    @property
    def news(self) -> bool:
        """Whether people should be notified: another verdict, a check that broke, a check that recovered.

        A first run that passed is not news; neither is a status that changed for another reason, such as pass to flaky.
        """
        if self.before is None and self.report.verdict == "passed":
            return False
        return self.before != self.report.verdict or bool(self.broken or self.recovered)


def changes_since(before: Standing | None, report: RunReport) -> Changes:
    """Compare a run with the one before it; in a first run, only checks that fail or have an error are changes."""
    known = {} if before is None else before.statuses
    changed = [CheckChange(check, known.get(check.id)) for check in report.checks]
    return Changes(
        report,
        None if before is None else before.verdict,
        tuple(
            change
            for change in changed
            if change.check.status != change.before and (change.before is not None or change.broke)
        ),
    )
