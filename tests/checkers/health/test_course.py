"""What a long drive keeps: thousands of looks, and little memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from typing import Any, cast

from tests.engine.clock import VirtualClock, run_virtual
from xnai_validate.checkers.health._course import LOOKS_CAP, Seen, Watch, cells, watch
from xnai_validate.checkers.health._sample import Paths
from xnai_validate.kit import Context, JsonValue, Observation, Observed
from xnai_validate.model.judging.findings import Finding

KEPT_CAP = 2_000_000
"""Bytes that the looks of one situation may keep."""


class Unchanging:
    """A context in which the report claims the same at every look, and never agrees with the truth."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.report = json.dumps(
            {"status": "degraded", "components": {f"component_{number}": False for number in range(20)}}
        )

    async def observe(self, _observation: Observation, _values: Mapping[str, JsonValue] | None = None) -> Observed:
        await self.clock.sleep(0.001)
        facts: dict[str, Any] = {"json": json.loads(self.report), "error": None, "total_ms": 1.0}
        return Observed(facts, ())


def test_a_drive_that_never_ends_well_keeps_little() -> None:
    """Five thousand looks at a report that does not follow take less than 2 MB, and are the last ones made."""
    ctx = Unchanging()
    observation = Observation(kind="http.request")
    what = Watch(observation, {"component_0": observation}, Paths("$.components", "$.status"), 0.2)

    async def looked() -> tuple[Seen, int]:
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            seen = await watch(cast(Context, ctx), what, "without the model", 10_000.0, changed=True)
            return seen, tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()

    seen, kept = run_virtual(looked())
    assert len(seen.samples) == LOOKS_CAP
    assert kept < KEPT_CAP
    assert seen.turned_ms("component_0", False) is not None


class Answering:
    """A context in which a component is down, and the report notices that after some seconds; each look takes 4 s."""

    def __init__(self, noticed_s: float, answers_until_s: float = 1e9) -> None:
        self.clock = VirtualClock()
        self._noticed_s, self._answers_until_s = noticed_s, answers_until_s

    async def observe(self, observation: Observation, _values: Mapping[str, JsonValue] | None = None) -> Observed:
        begun_s = self.clock.monotonic()
        await self.clock.sleep(4.0)
        if observation.kind == "redis.ping":
            return Observed({}, (Finding("lost", "equals", 0, 1, held=False, level="expect"),))
        if begun_s >= self._answers_until_s:
            return Observed({"json": None, "error": "timeout", "total_ms": 4000.0}, ())
        report = {"status": "healthy", "components": {"cache": begun_s < self._noticed_s}}
        return Observed({"json": report, "error": None, "total_ms": 4000.0}, ())


def watched(ctx: Answering) -> Seen:
    what = Watch(
        Observation(kind="http.request"),
        {"cache": Observation(kind="redis.ping")},
        Paths("$.components", "$.status"),
        0.2,
    )
    return run_virtual(watch(cast(Context, ctx), what, "without the cache", 3.0, changed=True))


def test_a_look_that_began_before_the_time_was_over_is_not_judged() -> None:
    """On a slow host one look lasts for longer than the time to notice: what it saw is the time before."""
    seen = watched(Answering(noticed_s=2.0))
    assert seen.last is not None
    assert seen.last.claims == {"cache": False}


def test_a_report_that_hangs_is_not_judged_by_the_one_before() -> None:
    """The report from before the time was over claims that all is well: when it is over, none comes."""
    seen = watched(Answering(noticed_s=1e9, answers_until_s=1.0))
    assert seen.samples[0].claims == {"cache": True}
    assert seen.last is not None
    assert seen.last.claims is None
    assert [row["claimed"] for row in cells(seen, seen, ("cache",))] == [None]
