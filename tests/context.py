"""The engine's own context of a check, for tests of checkers: real time, real sockets, real undo, no schedule."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from xnai_validate.config.compile.measurements.measurements import Measurements
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.engine.attempts.attempt import judge_facts, values_of
from xnai_validate.engine.attempts.context import CheckContext, Scope
from xnai_validate.engine.attempts.shared import Shared
from xnai_validate.engine.clock import SystemClock
from xnai_validate.engine.undo.faults import FaultInjector
from xnai_validate.engine.undo.guardian import Guardian, undo_command
from xnai_validate.kit import Facts, FaultEntry, JsonObject, JsonValue, Observed, Target, Unmeasurable
from xnai_validate.model.judging.findings import judge
from xnai_validate.plan import CompiledMeasurement, PlannedFault

RUN = "a-test"


@asynccontextmanager
async def check_context(
    kind: str,
    target: Target | None = None,
    *,
    others: tuple[Target, ...] = (),
    vars_: Mapping[str, JsonValue] | None = None,
    expect: JsonObject | None = None,
    timeout_s: float = 30.0,
    spare_bytes: int = sys.maxsize,
    progress: Callable[[str], None] = lambda text: None,
    **with_: Any,
) -> AsyncIterator[CheckContext]:
    """The context of one check of a run, compiled as from a suite; what it shares is closed afterwards.

    Raises InvalidConfig if the params or rules are wrong. `progress` is called with the texts for the live display.
    """
    targets = {each.name: each for each in (*((target,) if target else ()), *others)}
    measurement = compiled(kind, target.name if target else None, targets, expect, with_)
    with tempfile.TemporaryDirectory() as state:
        shared = Shared(_fail)
        guardian = Guardian(Path(state), undo_command(RUN))
        injector = FaultInjector(
            run=RUN,
            state=Path(state),
            clock=SystemClock(),
            emit=lambda event, **values: None,
            guardian=guardian,
            mask=lambda text: text,
            on_step=lambda step, record: None,
        )
        scope = Scope(
            targets,
            vars_ or {},
            SystemClock(),
            shared,
            lambda check, text: progress(text),
            injector,
            lambda: spare_bytes,
        )
        try:
            yield CheckContext(scope, measurement, "case/one:it", timeout_s)
        finally:
            await shared.close()
            guardian.dismiss()
            assert injector.not_undone == []


def compiled(
    kind: str, target: str | None, targets: Mapping[str, Target], expect: JsonObject | None, with_: JsonObject
) -> CompiledMeasurement:
    """The measurement of a check as it is compiled from a suite; raises InvalidConfig."""
    problems = Problems()
    measurements = Measurements(problems, frozenset(targets), set())
    measurement = measurements.compile(kind, with_, expect, None, target, Where(None), inner=True)
    problems.raise_if_any()
    assert measurement is not None
    return measurement


def planned_fault(entry: FaultEntry, target: Target) -> PlannedFault:
    """A fault as it is compiled from a suite; raises InvalidConfig."""
    problems = Problems()
    planned = Measurements(problems, frozenset({target.name}), set()).fault(entry, target.name, Where(None))
    problems.raise_if_any()
    assert planned is not None
    return planned


def beside(ctx: CheckContext, kind: str, with_: JsonObject) -> CheckContext:
    """The context of another check of the same run and target."""
    measurement = compiled(kind, ctx.measurement.target, ctx.scope.targets, None, with_)
    return replace(ctx, measurement=measurement, moved={}, active_faults=[])


async def call_checker(ctx: CheckContext) -> Facts:
    """Call the checker with its context."""
    return await ctx.measurement.checker.measure(ctx.measurement.params, ctx)


def observe(kind: str, target: Target | None = None, **how: Any) -> Observed:
    """Measure once as a check of `kind` does, and judge by the rules of the kind and `expect`.

    Takes the arguments of `check_context`; all others are the params of the check. Raises Unmeasurable where a rule
    could not be judged and no other failed.
    """

    async def run() -> Observed:
        async with check_context(kind, target, **how) as ctx:
            return await _observed(ctx)

    return asyncio.run(run())


def observe_each(kind: str, targets: Sequence[Target], **how: Any) -> list[Observed]:
    """As `observe`, of several targets one after the other in one run: what its checks share is made once."""

    async def run() -> list[Observed]:
        first, *others = targets
        async with check_context(kind, first, others=tuple(others), **how) as ctx:
            measurements = [replace(ctx.measurement, target=target.name) for target in targets]
            each = [replace(ctx, measurement=one, moved={}, active_faults=[]) for one in measurements]
            return [await _observed(own) for own in each]

    return asyncio.run(run())


async def _observed(ctx: CheckContext) -> Observed:
    facts = await call_checker(ctx)
    if facts.why_not_reached is None:
        return Observed(values_of(facts), judge(ctx.measurement.rules, values_of(facts)))
    judgement = judge_facts(ctx.measurement.rules, facts, ctx.clock.time())
    if judgement.not_reached is not None and all(finding.held for finding in judgement.findings):
        raise Unmeasurable(judgement.not_reached)
    return Observed(judgement.values, judgement.findings)


def _fail(text: str) -> None:
    raise AssertionError(text)
