"""The event loop of a run: asyncio's own, or uvloop if the run generates load and the extra `fast` is installed.

uvloop takes 40 ms to import, which a run without load would not win back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from xnai_validate.plan import CompiledMeasurement, Plan
from xnai_validate.workers.quick_loop import quick_loop

T = TypeVar("T")
LOAD_FAMILY = "load"


def run_in_loop(plan: Plan, main: Coroutine[Any, Any, T]) -> T:
    """Run `main`, which executes the plan, in the event loop for it."""
    with asyncio.Runner(loop_factory=loop_factory(plan)) as runner:
        return runner.run(main)


def loop_factory(plan: Plan) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the function that makes the loop; None for asyncio's own."""
    if not any(check.skip is None and _generates_load(check.measurement) for check in plan.checks):
        return None
    return quick_loop()


def _generates_load(measurement: CompiledMeasurement) -> bool:
    """Whether a check, or a measurement within it, is of the family `load`."""
    return measurement.checker.family == LOAD_FAMILY or any(map(_generates_load, measurement.observations.values()))
