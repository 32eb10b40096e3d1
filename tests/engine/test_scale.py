"""Many checks, slow readers, and unusual plans."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.clock import run_virtual
from tests.engine.plans import (
    Stage,
    collect,
    engine_of,
    finished,
    make,
    plan_of,
    scripted,
    statuses,
)
from xnai_validate.engine import SystemClock
from xnai_validate.engine.events.emit import BACKLOG
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Limits


def test_a_slow_reader_holds_the_run_back(tmp_path: Path) -> None:
    """With a full backlog no check begins, so memory stays bounded; afterwards the run goes on to its end."""
    stage = Stage()
    by = scripted(stage)
    checks = [make(f"c{n}", by) for n in range(BACKLOG)]
    engine = engine_of(plan_of(*checks, limits=Limits(concurrency=4)), tmp_path)

    async def slow() -> int:
        async with engine.run() as events:
            await asyncio.sleep(60.0)
            waiting = len(stage.begun)
            seen = [event async for event in events]
        assert len(finished(seen)) == BACKLOG
        return waiting

    assert run_virtual(slow()) <= BACKLOG // 3 + 8


def test_ten_thousand_checks(tmp_path: Path) -> None:
    """A plan of 10 000 checks runs in seconds; five times as many checks take about five times as long, not 25."""
    took = []
    for size in (2_000, 10_000):
        by = scripted(Stage())
        checks = [
            make(f"c{n}", by, needs=(f"c{n - 3}",) if n % 5 == 3 else (), target=f"t{n % 3}") for n in range(size)
        ]
        begun = time.process_time()
        engine = engine_of(plan_of(*checks), tmp_path / str(size), SystemClock())
        events = asyncio.run(collect(engine))
        took.append(time.process_time() - begun)
        assert len(finished(events)) == size
        assert set(statuses(events).values()) == {Status.PASS}
    assert took[1] < 12 * took[0]
    assert took[1] < 20.0


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_run_finishes_every_check_once(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Random needs, outcomes, durations and limits: all checks finish once, causes really failed, limits hold."""
    size = data.draw(st.integers(1, 20))
    stage = Stage()
    by = scripted(stage)
    answers = st.sampled_from([200, 200, 200, 500, "unmeasurable", "na", "broken", "cancelled"])
    checks = []
    for n in range(size):
        needs = data.draw(st.lists(st.integers(0, n - 1), max_size=2, unique=True)) if n else []
        script = {"answers": [data.draw(answers)], "takes_s": data.draw(st.sampled_from([0.0, 0.5, 1.0, 40.0]))}
        checks.append(make(f"c{n}", by, needs=tuple(f"c{i}" for i in needs), script=script, exclusive=n % 7 == 6))
    plan = plan_of(*checks, limits=Limits(concurrency=data.draw(st.integers(1, 4)), deadline_s=10_000.0))
    events = run_virtual(collect(engine_of(plan, tmp_path_factory.mktemp("run"))))
    ends = finished(events)
    assert set(ends) == {check.id for check in checks}
    assert stage.most <= plan.limits.concurrency
    assert all(after.seq == before.seq + 1 for before, after in pairwise(events))
    for check in checks:
        end = ends[check.id]
        failed = [need for need in check.needs if not ends[need].status.passed]
        assert (end.blocked_by is not None) == bool(failed)
        if end.blocked_by is not None:
            root = ends[end.blocked_by]
            assert end.status is Status.SKIP
            assert root.blocked_by is None
            assert not root.status.passed
