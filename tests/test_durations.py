"""Time limits follow from waits, times that do not fit are named, and the expected duration adds up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.config.home import Home
from tests.engine.plans import Stage, make, scripted
from xnai_validate.durations import Forecast, deadline_conflicts, time_conflicts
from xnai_validate.kit import Waits
from xnai_validate.model.results.vantage import SPARE_S
from xnai_validate.plan import ExpectedTime, Limits, Plan

EXPERIMENT = """
  - id: {id}
    title: It holds
    kind: experiment.run
    {more}
    with:
      disturb: [{{fault: process.pause, target: api}}]
      probe: {{kind: http.request, with: {{path: /, timeout: 2s}}}}
      hold: {hold}
      recover: 20s
"""
HEAD = "title: Times\ndefaults: {target: api}\nchecks:\n"
PROFILE = "title: P\nsuites: [a/*]\ntargets: {api: {url: 'http://127.0.0.1:9'}}\nallow: [disruptive]\n"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def plan_of(home: Home, checks: str, profile: str = PROFILE) -> Plan:
    home.write("checks/a/times.yaml", HEAD + checks)
    home.write("profiles/p.yaml", profile)
    return home.load("p")


def test_a_time_limit_follows_from_the_waits(home: Home) -> None:
    """Without `timeout` a check has the time that its own waits may take, and some more; with one, that."""
    plan = plan_of(
        home,
        EXPERIMENT.format(id="long", more="", hold="90s") + EXPERIMENT.format(id="own", more="timeout: 5m", hold="90s"),
    )
    long, own = plan.checks
    assert 90 + 20 < long.measurement.time_limit_s == long.timeout_s < 200
    assert own.timeout_s == 300
    assert not [*time_conflicts(long), *time_conflicts(own)]


def test_a_hold_longer_than_the_limit_of_the_fault_does_not_fit(home: Home) -> None:
    """A pause that ends by its own limit before the hold is over is named, with both times."""
    (check,) = plan_of(home, EXPERIMENT.format(id="long", more="", hold="20m")).checks
    assert [text.partition(" keeps ")[2] for text in time_conflicts(check)] == [
        "process.pause in force for up to 20 min 00 s, and it is reverted after 10 min 00 s at the latest"
    ]


def test_a_wait_longer_than_the_time_limit_does_not_fit(home: Home) -> None:
    """A check that cannot come to its end within its own `timeout` is named."""
    (check,) = plan_of(home, EXPERIMENT.format(id="short", more="timeout: 10s", hold="5s")).checks
    (text,) = time_conflicts(check)
    assert text.startswith("a/times:short waits for up to")
    assert "its time limit is 10.00 s" in text


def test_the_expected_duration_adds_up(home: Home) -> None:
    """What runs alone adds up; what an earlier run has taken replaces the estimate; a deadline comes after all."""
    plan = plan_of(
        home, EXPERIMENT.format(id="x", more="", hold="60s") + EXPERIMENT.format(id="y", more="", hold="30s")
    )
    expected = Forecast(plan.checks, plan.limits).expected()
    assert 90 < expected.usual_s < 95
    assert sum(expected.by_check.values()) == pytest.approx(expected.usual_s)
    assert Forecast(plan.checks, plan.limits, {"a/times:x": 70.0}).expected().usual_s == pytest.approx(
        expected.usual_s - expected.by_check["a/times:x"] + 70.0
    )
    assert plan.limits.deadline_s == expected.deadline_s > expected.usual_s
    assert not plan.limits.deadline_is_given


def test_a_deadline_that_cannot_be_kept_is_named(home: Home) -> None:
    """A deadline by hand that is shorter than the checks take, or than a time limit, does not fit."""
    plan = plan_of(home, EXPERIMENT.format(id="x", more="", hold="60s"), PROFILE + "limits: {deadline: 30s}\n")
    assert plan.limits.deadline_s == 30
    texts = list(deadline_conflicts(plan.checks, plan.limits))
    assert [text.partition(",")[0] for text in texts] == [
        "the checks take about 1 min 01 s",
        texts[1].partition(",")[0],
    ]
    assert texts[1].startswith("the time limit of a/times:x is")
    assert not list(deadline_conflicts(plan.checks, replace(plan.limits, deadline_s=600.0)))


def test_equal_checks_that_share_a_measurement_count_once(home: Home) -> None:
    """The second of two checks that judge one drive takes no time."""
    alert = """
  - id: {id}
    title: It arrives
    kind: alert.receipt
    with: {{breach: {{fault: process.pause, target: api}}, stream: {{target: api}}, hold: 60s}}
    expect: {{received: true}}
"""
    plan = plan_of(home, alert.format(id="x") + alert.format(id="y"))
    first, second = Forecast(plan.checks, plan.limits).expected().by_check.values()
    assert second < 0.1 < 60 < first


def test_the_looks_around_a_fault_count(home: Home) -> None:
    """A check with a fault takes the looks at the stack before and after it too, and at the most one wait for it."""
    checks = EXPERIMENT.format(id="a", more="", hold="2s") + EXPERIMENT.format(id="b", more="", hold="3s")
    plan = plan_of(home, checks, PROFILE + "steady: {within: 50s, observe: {api: {kind: http.request, target: api}}}\n")
    assert plan.steady is not None
    alone = Forecast(plan.checks, plan.limits).expected()
    watched = Forecast(plan.checks, plan.limits, steady=plan.steady).expected()
    looks_s = 2 * 2 * plan.steady.observations["api"].waits.usual_s
    assert watched.usual_s == pytest.approx(alone.usual_s + looks_s)
    assert watched.longest_s == pytest.approx(alone.longest_s + looks_s + 50)


def test_workers_measure_some_checks_at_a_time() -> None:
    """A worker makes 8 measurements at a time, and all together 64: more checks, or more places, take longer."""
    kind = replace(scripted(Stage()), waits=lambda params, inner: Waits(2.0))
    checks = [make(f"c{number}", kind, vantage=("workers",)) for number in range(32)]
    limits = Limits(concurrency=32, per_target=32)

    def expected(workers: int, known_s: float | None = None) -> ExpectedTime:
        places = {check.id: [f"tcp://host:{number}" for number in range(workers)] for check in checks}
        known = {} if known_s is None else {check.id: known_s for check in checks}
        return Forecast(checks, limits, known, places=places if workers else {}).expected()

    assert [expected(workers).usual_s for workers in (0, 1, 8, 64, 640)] == [2, 8, 8, 64, 640]
    assert expected(8, known_s=8.0).usual_s == 8, "the wait for workers is part of what a check took before"
    one_s = checks[0].longest_s
    assert expected(0).longest_s == one_s
    assert expected(1).longest_s == (one_s + SPARE_S) * 32 / 8, "a worker may take longer than the time limit"
