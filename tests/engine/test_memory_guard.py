"""The memory guard: no load when memory is short, and an end before it is gone."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.engine.clock import run_virtual
from tests.engine.plans import Stage, collect, engine_of, finished, make, plan_of, results, scripted, statuses
from xnai_validate.engine import Memory
from xnai_validate.engine.memory_guard import memory_now
from xnai_validate.model.results.events import CheckStarted, Notice
from xnai_validate.model.results.status import Status
from xnai_validate.plan import HostMemory, Limits

LIMITS = Limits(host_memory_percent=HostMemory(warn=94.0, stop=98.0), own_memory_mib=512.0)


def readings(*percents: float) -> Readings:
    return Readings(percents)


class Readings:
    """Memory as a test wants it: one reading a look, the last for ever."""

    def __init__(self, percents: tuple[float, ...], own_mib: float = 40.0) -> None:
        self.left = list(percents)
        self.own_mib = own_mib

    def __call__(self) -> Memory:
        return Memory(self.left.pop(0) if len(self.left) > 1 else self.left[0], self.own_mib)


def test_load_waits_until_memory_is_free_again(tmp_path: Path) -> None:
    """At `warn` exclusive checks wait while others go on; when memory is free they run; one notice reports it."""
    by = scripted(Stage())
    checks = [make("load", by, exclusive=True), make("plain", by), make("more", by, script={"takes_s": 1.0})]
    engine = engine_of(plan_of(*checks, limits=LIMITS), tmp_path, sample=readings(95.0, 93.0, 95.0, 95.0, 95.0, 20.0))
    events = run_virtual(collect(engine))
    begun = [event.id for event in events if isinstance(event, CheckStarted)]
    assert begun == ["plain", "more", "load"]
    assert set(statuses(events).values()) == {Status.PASS}
    (notice,) = [event for event in events if isinstance(event, Notice)]
    assert notice.text == "host memory is at 95 %; no load and no disturbance begins from 94 %"


def test_load_is_given_up_where_memory_stays_short(tmp_path: Path) -> None:
    """When nothing else is left and memory is still short, load is an error with the reason: it was not judged.

    The run is undecided in every selection: with the load alone, and where a criterion counts it.
    """
    stage = Stage()
    by = scripted(stage)
    checks = [make("load", by, disruptive=True), make("plain", by), make("after", by, needs=("load",))]
    events = run_virtual(collect(engine_of(plan_of(*checks, limits=LIMITS), tmp_path, sample=readings(96.0))))
    ends = finished(events)
    assert stage.begun == ["plain"]
    assert ends["load"].status is Status.ERROR
    assert ends["load"].reason == "not judged: host memory is at 96 %; no load and no disturbance begins from 94 %"
    assert results(events)[0].exit_code == 3
    assert ends["after"].blocked_by == "load"


def test_the_run_ends_before_memory_is_gone(tmp_path: Path) -> None:
    """At `stop` what runs is cancelled and the run ends, exit 5, with the numbers in a notice."""
    stage = Stage()
    check = make("slow", scripted(stage), script={"takes_s": 100.0}, timeout_s=200.0)
    engine = engine_of(plan_of(check, limits=LIMITS), tmp_path, sample=readings(50.0, 60.0, 99.0))
    events = run_virtual(collect(engine))
    report, _ = results(events)
    assert (report.exit_code, report.run.stopped) == (5, "memory")
    assert stage.cancelled == ["slow"]
    assert [notice.text for notice in report.notices] == ["host memory is at 99 %; the run ends at 98 %"]


def test_nothing_begins_where_memory_is_gone_already(tmp_path: Path) -> None:
    """The first look is before the first check."""
    stage = Stage()
    events = run_virtual(collect(engine_of(plan_of(make("a", scripted(stage))), tmp_path, sample=readings(99.0))))
    assert stage.begun == []
    assert results(events)[0].exit_code == 5


def test_the_tool_watches_itself(tmp_path: Path) -> None:
    """A run whose own process grows beyond its limit ends as well."""
    check = make("a", scripted(Stage()), script={"takes_s": 100.0}, timeout_s=200.0)
    engine = engine_of(plan_of(check, limits=LIMITS), tmp_path, sample=Readings((50.0,), own_mib=600.0))
    report, _ = results(run_virtual(collect(engine)))
    assert (report.exit_code, report.run.stopped) == (5, "memory")
    assert report.notices[0].text == "this process has 600 MiB; the run ends at 512 MiB"


def test_the_real_reading_is_plausible() -> None:
    """The host has some memory in use, and so has this process: as much as psutil sees."""
    memory = memory_now()
    assert memory.host_percent == pytest.approx(psutil.virtual_memory().percent, abs=5.0)
    assert memory.own_mib == pytest.approx(psutil.Process().memory_info().rss / (1 << 20), rel=0.1)
