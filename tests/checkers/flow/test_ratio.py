"""Two measured numbers, divided."""

from __future__ import annotations

import pytest

from tests.checkers import counting
from tests.checkers.flow.counters import API, CALLS, watch
from tests.context import observe

pytestmark = pytest.mark.usefixtures("counters")


def test_two_numbers_are_divided() -> None:
    """The one below the line is read first; a ratio that is too small does not hold."""
    counting.COUNTERS["calls"] = 6
    seen = observe("flow.ratio", API, of=CALLS, to=watch("text", text="x"), expect={"ratio": {"min": 2}})
    assert seen.facts["failed_readings"] == ["to: no number: x"]
    assert (seen.facts["of"], seen.facts["ratio"]) == (None, None)
    counting.COUNTERS["more"] = 4
    below = watch("by_name", "more")
    seen = observe("flow.ratio", API, of=CALLS, to=below, expect={"ratio": {"min": 2}})
    assert (seen.facts["of"], seen.facts["to"], seen.facts["ratio"]) == (6, 4, 1.5)
    assert [finding.fact for finding in seen.findings if not finding.held] == ["ratio"]


def test_nothing_is_divided_by_zero_or_by_what_is_not_there() -> None:
    """A ratio to 0 or to an absent number is not known, and a rule on it does not hold."""
    counting.COUNTERS.update(calls=6, none=0)
    for below, failures in ((watch("by_name", "none"), 0), (watch("by_name", "absent"), 1)):
        seen = observe("flow.ratio", API, of=CALLS, to=below, expect={"ratio": {"min": 0.1}})
        assert (seen.facts["ratio"], len(seen.facts["failed_readings"]), seen.held) == (None, failures, False)
