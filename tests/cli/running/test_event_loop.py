"""Which event loop a run has."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import pytest
import uvloop

from tests.engine.plans import make, plan_of
from xnai_validate import registry
from xnai_validate.cli.running.event_loop import loop_factory, run_in_loop
from xnai_validate.plan import CompiledMeasurement, Plan, PlannedCheck

LOAD = {"callers": 1, "for": "1s"}


def check(
    kind: str, script: dict[str, object], *, inner: Sequence[CompiledMeasurement] = (), skip: str | None = None
) -> PlannedCheck:
    return make(
        kind,
        registry.CHECKERS.get(kind),
        script=script,
        observations={str(n): observation for n, observation in enumerate(inner)},
        skip=skip,
    )


def load(skip: str | None = None) -> PlannedCheck:
    return check("load.http", dict(LOAD), skip=skip)


PLAIN = check("http.request", {})


def kind(plan: Plan) -> str:
    async def running() -> str:
        return type(asyncio.get_running_loop()).__module__

    return run_in_loop(plan, running())


def test_a_run_with_load_has_the_quicker_loop() -> None:
    """Also where the load is part of another check."""
    assert kind(plan_of(PLAIN, load())).startswith("uvloop")
    within = check("http.request", {}, inner=[load().measurement])
    assert kind(plan_of(within)).startswith("uvloop")
    assert loop_factory(plan_of(load())) is uvloop.new_event_loop


def test_a_run_without_load_does_not_import_it() -> None:
    """Its import takes 40 ms of every start; a load that is skipped does not count."""
    assert kind(plan_of(PLAIN)).startswith("asyncio")
    assert kind(plan_of(PLAIN, load(skip="not here"))).startswith("asyncio")


def test_without_the_extra_the_loop_is_that_of_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load runs all the same."""
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert kind(plan_of(load())).startswith("asyncio")
