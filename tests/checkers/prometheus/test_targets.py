"""Targets that are down fail, with the error of their last scrape."""

from __future__ import annotations

from tests.checkers.prometheus.recorded import REFUSED, prometheus, target_answer
from tests.context import observe


def test_targets_are_counted_by_their_health() -> None:
    """A target that is down, or not scraped yet, fails the check; the error names why."""
    listed = [
        target_answer("self", 19191, "up"),
        target_answer("dead", 19999, "down", REFUSED),
        target_answer("new", 19192, "unknown"),
    ]
    with prometheus(listed) as target:
        observed = observe("prometheus.targets", target)
        facts = observed.facts
        assert (facts["targets"], facts["up"], facts["down"], facts["unknown"]) == (3, 1, 1, 1)
        assert facts["up_by_job"] == {"self": 1, "dead": 0, "new": 0}
        assert facts["last_errors"] == {"dead 127.0.0.1:19999": REFUSED}
        assert not observed.held
        assert not observe("prometheus.targets", target, expect={"down": 1}).held
        assert observe("prometheus.targets", target, job="self").held
        assert not observe("prometheus.targets", target, job="dead").held
        assert not observe("prometheus.targets", target, job="none").held


def test_no_targets_never_pass() -> None:
    """An empty list, and an answer without one, are failures."""
    with prometheus([]) as target:
        assert not observe("prometheus.targets", target).held
    for body in (b'{"status":"success","data":{}}', b"no json"):
        with prometheus(body=body) as target:
            assert observe("prometheus.targets", target).facts["error"] == "protocol"
