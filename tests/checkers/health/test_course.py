"""What a long drive keeps: thousands of looks, and little memory."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from typing import Any, cast

from tests.engine.clock import VirtualClock, run_virtual
from xnai_validate.checkers.health._course import LOOKS_CAP, Seen, Watch, watch
from xnai_validate.checkers.health._sample import Paths
from xnai_validate.kit import Context, JsonValue, Observation, Observed

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
