"""The event loop of a run: asyncio's own, or uvloop where the run generates load and the extra `fast` is there.

uvloop takes 40 ms to import, which a run without load would not win back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from xnai_validate.plan import CompiledMeasurement, Plan

T = TypeVar("T")
FAMILY = "load"


def run_plan(plan: Plan, main: Coroutine[Any, Any, T]) -> T:
    """Run `main`, which carries out the plan, in the loop that suits it."""
    with asyncio.Runner(loop_factory=loop_factory(plan)) as runner:
        return runner.run(main)


def loop_factory(plan: Plan) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop; None for asyncio's own."""
    if not any(check.skip is None and _loads(check.measurement) for check in plan.checks):
        return None
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _loads(measurement: CompiledMeasurement) -> bool:
    return measurement.checker.family == FAMILY or any(map(_loads, measurement.observations.values()))
