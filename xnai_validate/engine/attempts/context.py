"""The context that a checker is called with."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from xnai_validate.engine.attempts.attempt import judge_facts, measure
from xnai_validate.engine.attempts.outcome import Outcome
from xnai_validate.engine.attempts.shared import Shared
from xnai_validate.engine.attempts.shown_logs import ShownLogs
from xnai_validate.engine.undo.faults import FaultInjector, target_of
from xnai_validate.errors import NotApplicable, ToolLate, Unmeasurable
from xnai_validate.kit import Clock, FaultEntry, JsonValue, Observation, Observed, Template
from xnai_validate.model.judging.rules import SchemaName, parse_rules
from xnai_validate.model.results.exchange import RECORDER
from xnai_validate.model.target import Session, Target
from xnai_validate.plan import CompiledMeasurement, PlannedFault

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scope:
    """The parts that all checks of a run share."""

    targets: Mapping[str, Target]
    vars: Mapping[str, JsonValue]
    clock: Clock
    shared: Shared
    progress: Callable[[str, str], None]
    """Called with the id of a check and a text about what it is doing."""
    injector: FaultInjector | None = None
    """Injects faults; None if nothing may be disturbed."""
    spare_bytes: Callable[[], int] = lambda: sys.maxsize
    """The memory of the host that may be taken before the guard ends the run."""
    mask: Callable[[str], None] = lambda secret: None
    """Masks a secret in all later events."""
    sessions: Mapping[str, Session] = field(default_factory=dict)
    """Target name -> its login."""
    logs: ShownLogs = field(default_factory=ShownLogs)


@dataclass(frozen=True, slots=True)
class CheckContext:
    """The context of one measurement of a check."""

    scope: Scope
    measurement: CompiledMeasurement
    id: str
    timeout_s: float
    moved: dict[str, Target] = field(default_factory=dict)
    """Targets whose url differs while a fault is in force, for all measurements of the check."""
    active_faults: list[str] = field(default_factory=list)
    """The faults that are in force for this check now, in sentences."""
    stages: list[str] = field(default_factory=list)
    """The last text of `progress`, also of measurements within this one."""

    @property
    def target(self) -> Target:
        """The target of the check; raises NotApplicable if it has none."""
        if self.measurement.target is None:
            raise NotApplicable("the check has no target")
        return self.target_named(self.measurement.target)

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        return self.scope.clock

    @property
    def vars(self) -> Mapping[str, JsonValue]:
        """The profile's vars."""
        return self.scope.vars

    @property
    def spare_bytes(self) -> int:
        """The memory of the host that may be taken now before the guard ends the run."""
        return self.scope.spare_bytes()

    def target_named(self, name: str) -> Target:
        """A target of the stack; raises NotApplicable if it is not configured."""
        target = self.moved.get(name) or self.scope.targets.get(name)
        if target is None or (target.url is None and target.container is None and target.pid is None):
            raise NotApplicable(f"target {name} is not configured")
        session = self.scope.sessions.get(name)
        return target if session is None else replace(target, session=session)

    async def log_in(self) -> None:
        """Log in to the target of the check, if it has a login. Raises Unmeasurable if that fails."""
        session = self.scope.sessions.get(self.measurement.target or "")
        if session is not None:
            await session.credentials()

    async def observe(self, observation: Observation, values: Mapping[str, JsonValue] | None = None) -> Observed:
        """Measure and judge an observation of the params; raises the exceptions of its checker."""
        inner = self.measurement.observations.get(observation.key)
        if inner is None:
            raise LookupError(f"the params of the check do not contain the observation {observation.kind}")
        if isinstance(observation, Template) and observation.is_template:
            inner = _fill_template(inner, observation.fill(values or {}))
        facts = await measure(inner, replace(self, measurement=inner))
        judgement = judge_facts(inner.rules, facts, self.clock.time())
        if not all(finding.held for finding in judgement.findings):
            RECORDER.get().mark()
        if judgement.not_reached is not None and all(finding.held for finding in judgement.findings):
            error = ToolLate if judgement.tool_late else Unmeasurable
            raise error(f"{inner.checker.kind}: {judgement.not_reached}")
        return Observed(judgement.values, judgement.findings)

    @asynccontextmanager
    async def injected(self, entry: FaultEntry) -> AsyncIterator[None]:
        """A context in which a fault of the params is active."""
        planned = self.measurement.fault_entries.get(entry.key)
        if planned is None:
            raise LookupError(f"the params of the check do not contain the fault {entry.fault}")
        async with self.under(planned):
            yield

    @asynccontextmanager
    async def under(self, planned: PlannedFault) -> AsyncIterator[None]:
        """A context in which a fault is in force. Raises NotApplicable or Unmeasurable if it cannot be injected."""
        if self.scope.injector is None:
            raise NotApplicable("no fault can be injected before the checks begin")
        target = target_of(planned, self.target_named)
        async with self.scope.injector.in_force(planned, target, self.id) as moved:
            before = dict(self.moved)
            self.moved.update(moved)
            self.active_faults.append(planned.description)
            try:
                yield
            finally:
                self.active_faults.remove(planned.description)
                self.moved.clear()
                self.moved.update(before)

    @asynccontextmanager
    async def under_all(self, faults: Sequence[PlannedFault]) -> AsyncIterator[None]:
        """A context in which several faults are in force; the last one injected is reverted first."""
        async with AsyncExitStack() as stack:
            for planned in faults:
                await stack.enter_async_context(self.under(planned))
            yield

    async def with_log(self, outcome: Outcome) -> Outcome:
        """The outcome of the check, with the log of the target that failed, once in a run."""
        own = self.scope.targets.get(self.measurement.target or "")
        return await self.scope.logs.beside(outcome, own, self.scope.targets)

    async def shared(self, key: Hashable, open_: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """A value that lives as long as the run."""
        return await self.scope.shared.get(key, open_)

    def noted(self, key: Hashable) -> object:
        """What was noted under a key when the run began; None if nothing was."""
        return self.scope.shared.notes.get(key)

    def mask(self, secret: str) -> None:
        """Mask a secret that was found while measuring in all that the run reports."""
        self.scope.mask(secret)

    def progress(self, text: str) -> None:
        """Show on the live display what a long measurement is doing."""
        self.stages[:] = [text]
        self.scope.progress(self.id, text)

    @property
    def stage(self) -> str:
        """The last text of `progress`; empty before the first."""
        return self.stages[0] if self.stages else ""


def _fill_template(known: CompiledMeasurement, observation: Observation) -> CompiledMeasurement:
    """Return a template with its values filled in. Raises Unmeasurable if params or rules are invalid."""
    checker = known.checker
    operands = (rule.operand for rule in known.rules)
    schemas = {str(name): name.errors for name in operands if isinstance(name, SchemaName)}
    expect = {**checker.expect, **(observation.expect or {})}
    rules, errors = parse_rules(expect, checker.types, kind=checker.kind, schemas=schemas.__getitem__)
    if errors:
        raise Unmeasurable(f"{checker.kind}: {errors[0].message}", hint=errors[0].hint)
    return replace(known, params=checker.verify(observation.with_), rules=rules)
