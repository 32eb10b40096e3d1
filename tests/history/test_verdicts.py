"""What two runs found differently."""

from __future__ import annotations

from tests.history.reports import report_of_run
from xnai_validate.history.verdicts import share_a_check, with_verdicts
from xnai_validate.model.results.comparison import Comparison
from xnai_validate.model.results.status import Status


def test_changes_are_listed_the_worse_first() -> None:
    """Equal verdicts are left out; a check that fails now comes before one that passes now, others between them."""
    before = {"a": Status.FAIL, "b": Status.PASS, "c": Status.PASS, "d": Status.PASS, "gone": Status.PASS}
    after = {"a": Status.PASS, "b": Status.FAIL, "c": Status.FLAKY, "d": Status.PASS, "new": Status.PASS}
    first, second = report_of_run(1, before), report_of_run(2, after)
    comparison = with_verdicts(Comparison(baseline="1", runs=1, figures=()), first, second)
    assert [(each.check, each.before, each.after) for each in comparison.verdicts] == [
        ("b", Status.PASS, Status.FAIL),
        ("c", Status.PASS, Status.FLAKY),
        ("a", Status.FAIL, Status.PASS),
    ]
    assert [each.is_worse for each in comparison.verdicts] == [True, False, False]
    assert comparison.checks == 4
    assert (comparison.new, comparison.gone) == (("new",), ("gone",))
    assert share_a_check(first, second)
    assert not share_a_check(first, report_of_run(3, {"other": Status.PASS}))
