"""What changed from one run to the next."""

from __future__ import annotations

import pytest

from tests.report.runs import Script
from xnai_validate.cli.repeating.changes import Standing, changes_since
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status

P, F, E, S, W, K = Status.PASS, Status.FAIL, Status.ERROR, Status.SKIP, Status.WARN, Status.FLAKY


def report_of(*statuses: Status) -> RunReport:
    """Return the report of a run with a check for each status: `a/b:0`, `a/b:1` and so on."""
    script = Script("Run", "x")
    for number, status in enumerate(statuses):
        script.check(f"a/b:{number}", f"Check {number}", status)
    return build_report(script.events())


@pytest.mark.parametrize(
    ("before", "now", "broken", "recovered", "others", "news"),
    [
        (None, (P, P), "", "", "", False),
        (None, (P, F, S), "1", "", "", True),
        ((P, P), (P, P), "", "", "", False),
        ((P, P), (F, P), "0", "", "", True),
        ((F, P), (P, P), "", "0", "", True),
        ((F, P), (F, F), "1", "", "", True),
        ((F, F), (F, W), "", "1", "", True),
        ((F, P), (P, F), "1", "0", "", True),
        ((F, P), (E, P), "", "", "0", True),  # the verdict is undecided now
        ((F, F), (F, E), "", "", "1", False),
        ((P, P), (K, W), "", "", "01", False),
        ((F, F), (F, S), "", "", "1", False),
    ],
)
def test_what_changed(
    before: tuple[Status, ...] | None,
    now: tuple[Status, ...],
    broken: str,
    recovered: str,
    others: str,
    news: bool,
) -> None:
    """A check breaks or recovers once; people are notified of another verdict and of those, and of no other change."""
    standing = None if before is None else Standing.of(report_of(*before))
    changes = changes_since(standing, report_of(*now))
    assert "".join(change.check.id[-1] for change in changes.broken) == broken
    assert "".join(change.check.id[-1] for change in changes.recovered) == recovered
    rest = [each for each in changes.checks if not each.broke and not each.recovered]
    assert "".join(change.check.id[-1] for change in rest) == others
    assert changes.news is news
    assert changes.none is (before == now)
