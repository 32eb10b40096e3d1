"""The health of the latest run, by its verdict and its age."""

from __future__ import annotations

import pytest

from tests.cli.repeating.test_changes import report_of
from xnai_validate.cli.serving.latest_run import TREND, LatestRun
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.status import Status
from xnai_validate.report.view import PastRun


class Clock:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("status", "age_s", "state", "code"),
    [
        (Status.PASS, 0.0, "passed", 200),
        (Status.PASS, 89.0, "passed", 200),
        (Status.PASS, 91.0, "stale", 503),
        (Status.FAIL, 1.0, "failed", 503),
        (Status.ERROR, 1.0, "failed", 503),
    ],
)
def test_health_is_the_verdict_while_it_is_recent(status: Status, age_s: float, state: str, code: int) -> None:
    """200 for a run that passed no longer ago than three intervals; else 503, with the reason in `status`."""
    clock = Clock()
    latest = LatestRun(30.0, clock)
    latest.take(report_of(status))
    clock.now += age_s
    health = latest.health()
    assert (health.state, health.status, health.body["age_s"]) == (state, code, age_s)


def test_before_the_first_run_it_is_starting() -> None:
    """Nothing is known: 503."""
    health = LatestRun(30.0, Clock()).health()
    assert (health.state, health.status) == ("starting", 503)


def test_a_run_that_cannot_begin_is_503_until_the_next() -> None:
    """The reason is in the body; the next run clears it."""
    latest = LatestRun(30.0, Clock())
    latest.take(report_of(Status.PASS))
    latest.refuse(XnaiError("the profile has an error"))
    assert latest.health().status == 503
    assert latest.health().body["error"] == "the profile has an error"
    latest.take(report_of(Status.PASS))
    assert latest.health().status == 200


def test_the_age_is_a_gauge() -> None:
    """An alert on old runs needs no arithmetic."""
    clock = Clock()
    latest = LatestRun(30.0, clock)
    latest.take(report_of(Status.PASS))
    clock.now += 12
    assert {g.name: g.samples[0][1] for g in latest.gauges()}["xnai_validate_run_age_seconds"] == 12


def test_the_trend_goes_back_before_the_start_of_the_server() -> None:
    """Runs of the history come first, and leave as newer ones push them out."""
    latest = LatestRun(30.0, Clock())
    latest.recall(PastRun(f"2026-11-22T10:{minute:02d}:00Z", 1000.0, "failed", 1) for minute in range(TREND))
    latest.take(report_of(Status.PASS))
    assert latest.snapshot is not None
    page = latest.snapshot.page.decode()
    assert f"1 of the last {TREND} runs passed" in page
    assert "2026-11-22 10:00:00 UTC" not in page
    assert "2026-11-22 10:01:00 UTC: failed" in page
