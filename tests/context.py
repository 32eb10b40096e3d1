"""A context for checkers under test: real time, real sockets, the rules of the kind, no engine."""

from __future__ import annotations

import asyncio
import copy
import sys
import time
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast

from xnai_validate import registry
from xnai_validate.engine.undo.revert import FaultPlace, revert
from xnai_validate.errors import NotApplicable
from xnai_validate.kit import Clock, FaultEntry, JsonObject, JsonValue, Observation, Observed, Target, Template
from xnai_validate.model.judging.fact_types import fact_values
from xnai_validate.model.judging.rule_parsing import parse_rules
from xnai_validate.model.judging.rules import judge

T = TypeVar("T")


class RealClock:
    """The machine's own clock."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class LooseContext:
    """What a checker may ask of the engine, answered without one."""

    def __init__(self, targets: Mapping[str, Target], target: str | None, vars_: Mapping[str, JsonValue]) -> None:
        self._targets = targets
        self._name = target
        self.vars: Mapping[str, JsonValue] = vars_
        self.clock: Clock = RealClock()
        self.timeout_s = 30.0
        self.spare_bytes = sys.maxsize
        self.stack = AsyncExitStack()
        self._shared: dict[Hashable, object] = {}
        self._lock = asyncio.Lock()
        self.said: list[str] = []
        self.active_faults: list[str] = []

    def beside(self) -> LooseContext:
        """The context of another check of the same run."""
        other = copy.copy(self)
        other.active_faults = []
        return other

    @property
    def target(self) -> Target:
        if self._name is None:
            raise NotApplicable("the check has no target")
        return self.target_named(self._name)

    def target_named(self, name: str) -> Target:
        if name not in self._targets:
            raise NotApplicable(f"target {name} is not configured")
        return self._targets[name]

    async def shared(self, key: Hashable, open_: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        async with self._lock:
            if key not in self._shared:
                self._shared[key] = await self.stack.enter_async_context(open_())
            return cast(T, self._shared[key])

    @asynccontextmanager
    async def injected(self, disturbance: FaultEntry) -> AsyncIterator[None]:
        """The fault in force, without a record: tests of the engine are about those."""
        found = registry.FAULTS.get(disturbance.fault)
        name = disturbance.target or self._name
        target = self.target_named(name) if name else None
        place = FaultPlace("a-test.1", self.clock, found.limit_s, target)
        params = found.params.model_validate(disturbance.with_)
        undo = await found.methods.prepare(params, place)
        before = await found.methods.fingerprint(undo, place)
        force = None
        try:
            force = await found.methods.inject(params, undo, place)
            moved = force.url if force else None
            self._targets = (
                {**self._targets, target.name: replace(target, url=moved)} if target and moved else self._targets
            )
            self.active_faults.append(disturbance.key)
            yield
        finally:
            if disturbance.key in self.active_faults:
                self.active_faults.remove(disturbance.key)
            proof = await revert(found, undo, before, place, asyncio.Event())
            if force is not None and force.close is not None:
                force.close()
            if target is not None:
                self._targets = {**self._targets, target.name: target}
            assert proof.proven, proof.why

    def progress(self, text: str) -> None:
        self.said.append(text)

    async def observe(self, observation: Observation, values: Mapping[str, JsonValue] | None = None) -> Observed:
        if isinstance(observation, Template) and observation.is_template:
            observation = observation.fill(values or {})
            registry.CHECKERS.get(observation.kind).verify(observation.with_)
        return await self._observe(
            observation.kind, observation.with_, observation.target or self._name, observation.expect
        )

    async def _observe(self, kind: str, with_: JsonObject, target: str | None, expect: JsonObject | None) -> Observed:
        found = registry.CHECKERS.get(kind)
        wanted = {**found.expect, **(expect or {})}
        rules, mistakes = parse_rules(wanted, found.types, kind=kind)
        assert not mistakes, mistakes
        inner = copy.copy(self)  # several may be made at once, each with a target of its own
        inner._name = target
        facts = fact_values(await found.measure(found.params.model_validate(with_), inner))
        return Observed(facts, judge(rules, facts))


def observe(
    kind: str,
    target: Target | None = None,
    *,
    others: tuple[Target, ...] = (),
    vars_: Mapping[str, JsonValue] | None = None,
    expect: JsonObject | None = None,
    **with_: Any,
) -> Observed:
    """Measure once, as a check of `kind` with these params would, and judge by the kind's rules and `expect`."""

    async def run() -> Observed:
        targets = {one.name: one for one in ((target,) if target else ()) + others}
        ctx = LooseContext(targets, target.name if target else None, vars_ or {})
        async with ctx.stack:
            return await ctx._observe(kind, with_, target.name if target else None, expect)

    return asyncio.run(run())
