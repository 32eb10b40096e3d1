"""The expected duration of a run is that of the last run with the same times, and is shown before it begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.clock import run_virtual
from tests.engine.plans import Stage, collect, engine_of, make, plan_of, scripted
from xnai_validate.cli.running.earlier_runs.times import describe_expected, with_expected_time
from xnai_validate.durations import Forecast
from xnai_validate.errors import ConfigError
from xnai_validate.kit import Waits
from xnai_validate.plan import Plan


def a_plan(usual_s: float, takes_s: float) -> Plan:
    """A plan of one check that is estimated and that takes as given."""
    kind = replace(scripted(Stage()), waits=lambda params, inner: Waits(usual_s))
    plan = plan_of(make("slow", kind, script={"takes_s": takes_s}))
    return replace(plan, expected=Forecast(plan.checks, plan.limits).expected())


def test_the_last_run_with_the_same_times_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a check took last time replaces its estimate; with other times the estimate stays."""
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path))
    assert with_expected_time(a_plan(100.0, 20.0)).expected.usual_s == 100
    run_virtual(collect(engine_of(a_plan(100.0, 20.0), tmp_path)))
    assert with_expected_time(a_plan(100.0, 20.0)).expected.usual_s == pytest.approx(20, abs=1)
    assert with_expected_time(a_plan(50.0, 20.0)).expected.usual_s == 50


def test_a_state_folder_that_others_can_write_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No durations are read from it: the error, which ends the command with exit 2, names the folder and what to do."""
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path))
    runs = tmp_path / "runs"
    runs.mkdir()
    runs.chmod(0o777)
    with pytest.raises(ConfigError, match=f"another user can write the state folder {runs}") as caught:
        with_expected_time(a_plan(100.0, 20.0))
    assert caught.value.hint == f"chmod go-w {runs}, or set XNAI_VALIDATE_STATE to a folder of your own"


@pytest.mark.parametrize(
    ("usual_s", "text"),
    [
        (1.0, None),
        (40.0, "about 40 s; stopped after 5 min 00 s at the latest"),
        (154.0, "about 2 min 30 s; stopped after 5 min 00 s at the latest"),
        (1500.0, "about 25 min; stopped after 5 min 00 s at the latest"),
    ],
)
def test_it_is_described_without_false_precision(usual_s: float, text: str | None) -> None:
    """Seconds below a minute and a half, then tens of seconds, then minutes; a run of seconds needs no forecast."""
    assert describe_expected(a_plan(usual_s, 0.0)) == text


def test_workers_that_measure_make_a_run_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With 640 places a check is measured in ten rounds; a deadline that no profile sets leaves time for them."""
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path))
    plan = a_plan(100.0, 0.0)
    plan = replace(plan, limits=replace(plan.limits, deadline_s=120.0, deadline_is_given=False))
    places = {check.id: [f"tcp://host:{number}" for number in range(640)] for check in plan.checks}
    longer = with_expected_time(plan, places)
    assert (with_expected_time(plan).expected.usual_s, longer.expected.usual_s) == (100, 1000)
    assert longer.limits.deadline_s == longer.expected.deadline_s > 120
