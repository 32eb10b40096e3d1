"""Heavy modules are loaded before the first check, so that loading them delays no measurement."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress

from xnai_validate.kit import Preload
from xnai_validate.plan import CompiledMeasurement, Plan, PlannedCheck


def preload(plan: Plan) -> None:
    """Import what the checkers of a plan name as `preload`; what is missing is for the checker to tell."""
    targets = {name: planned.target for name, planned in plan.targets.items()}
    wanted = {
        name
        for check in plan.checks
        if check.skip is None
        for named, target in _named(check)
        for name in (named if isinstance(named, tuple) else named(targets.get(target or "")))
    }
    for name in sorted(wanted):
        with suppress(ImportError):
            importlib.import_module(name)


def _named(check: PlannedCheck) -> Iterator[tuple[Preload, str | None]]:
    yield from _by_checkers(check.measurement)
    for planned in check.faults:
        yield planned.fault.preload, planned.target


def _by_checkers(measurement: CompiledMeasurement) -> Iterator[tuple[Preload, str | None]]:
    yield measurement.checker.preload, measurement.target
    for observed in measurement.observations.values():
        yield from _by_checkers(observed)
