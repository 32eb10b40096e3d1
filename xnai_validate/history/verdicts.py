"""What two runs found differently: checks with another status, new checks, checks that are gone."""

from __future__ import annotations

from dataclasses import replace

from xnai_validate.model.results.comparison import ChangedVerdict, Comparison
from xnai_validate.model.results.report import RunReport


def with_verdicts(comparison: Comparison, before: RunReport, after: RunReport) -> Comparison:
    """Return a comparison of two runs with the verdicts that changed, those that are worse first."""
    earlier = {check.id: check for check in before.checks}
    changed = [
        ChangedVerdict(check=check.id, before=earlier[check.id].status, after=check.status, reason=check.reason)
        for check in after.checks
        if check.id in earlier and earlier[check.id].status is not check.status
    ]
    changed.sort(key=lambda verdict: (not verdict.is_worse, verdict.is_better))
    later = {check.id for check in after.checks}
    return replace(
        comparison,
        checks=len(earlier.keys() & later),
        verdicts=tuple(changed),
        new=tuple(check.id for check in after.checks if check.id not in earlier),
        gone=tuple(check_id for check_id in earlier if check_id not in later),
    )


def share_a_check(before: RunReport, after: RunReport) -> bool:
    """Whether any check is in both runs."""
    return not {check.id for check in before.checks}.isdisjoint(check.id for check in after.checks)
