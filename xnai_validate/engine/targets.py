"""Targets before a run: which candidate of each is used, and waiting until they accept connections."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xnai_validate.engine.attempts.attempt import attempt, measure, values_of
from xnai_validate.engine.attempts.context import CheckContext, Scope
from xnai_validate.engine.attempts.shared import Shared
from xnai_validate.errors import XnaiError
from xnai_validate.kit import Clock
from xnai_validate.model.target import Choice, Target
from xnai_validate.plan import CompiledMeasurement, Plan, PlannedTarget

PROBE_S = 5.0
"""Seconds that one candidate may take to answer."""
AGAIN_S = 0.5
"""Pause in seconds between two rounds of probes."""

_ENDED = ("exited", "dead")
"""The states of a container that does not start again by itself."""


async def settle_targets(plan: Plan, clock: Clock, wait_s: float | None = None) -> dict[str, Choice]:
    """Target name -> the candidate that is used, for every target with several candidates and a probe.

    All candidates are probed at once, and the first in order that answers is used. With `wait_s` this is repeated until
    one answers or the time is over. If none does, the first candidate is used, with `answered` false.
    """
    undecided = [p for p in plan.targets.values() if len(p.candidates) > 1 and p.probe is not None and p.choice is None]
    if not undecided:
        return {}
    shared = Shared(lambda _: None)
    targets = {name: planned.target for name, planned in plan.targets.items()}
    scope = Scope(targets, plan.vars, clock, shared, lambda _id, _text: None)
    deadline = clock.monotonic() + (wait_s or 0.0)
    try:
        async with asyncio.TaskGroup() as group:
            chosen = {
                planned.name: group.create_task(_choose_candidate(planned, scope, deadline)) for planned in undecided
            }
        return {name: task.result() for name, task in chosen.items()}
    finally:
        await shared.close()


async def _choose_candidate(planned: PlannedTarget, scope: Scope, deadline: float) -> Choice:
    """Probe until a candidate answers; at least once, and one last time after the deadline."""
    while True:
        left = deadline - scope.clock.monotonic()
        index = await _first_that_answers(planned, scope)
        if index is not None:
            return Choice(index, tried=index + 1, answered=True)
        if left <= 0:
            return Choice(0, tried=len(planned.candidates), answered=False)
        await scope.clock.sleep(min(AGAIN_S, max(deadline - scope.clock.monotonic(), 0.0)))


async def _first_that_answers(planned: PlannedTarget, scope: Scope) -> int | None:
    """Return the index of the first candidate that answers its probe; None if none does."""
    if planned.probe is None:
        return None
    async with asyncio.TaskGroup() as group:
        probes = [
            group.create_task(_probe_answers(planned.name, planned.probe, candidate.target, scope))
            for candidate in planned.candidates
        ]
        for index, probe in enumerate(probes):
            if await probe:
                for later in probes[index + 1 :]:
                    later.cancel()
                return index
    return None


@dataclass(frozen=True, slots=True)
class Waited:
    """What came of waiting for targets."""

    sentences: tuple[str, ...] = ()
    """For each target how long it took, or why it never accepted a connection; empty if none was waited for."""
    hopeless: bool = False
    """Whether the wait ended early because the container of a target has ended."""


async def wait_for_targets(
    plan: Plan, clock: Clock, wait_s: float, on_wait: Callable[[Sequence[str]], None] = lambda names: None
) -> Waited:
    """Wait until every target that the checks use accepts connections, at most `wait_s` seconds.

    The wait ends early once the container of a target that is waited for has exited: it will not come up by itself.
    `on_wait` is called once with the names of those that do not accept connections at first.
    """
    used = dict.fromkeys(check.measurement.target for check in plan.checks if check.skip is None)
    planned = [plan.targets[name] for name in used if name is not None and name in plan.targets]
    reached = [each for each in planned if each.target.host and each.target.port]
    refusals = await asyncio.gather(*(_refusal(each.target) for each in reached))
    waiting = [each.name for each, refusal in zip(reached, refusals, strict=True) if refusal is not None]
    if not waiting:
        return Waited()
    on_wait(waiting)
    shared = Shared(lambda _: None)
    scope = Scope({each.name: each.target for each in planned}, plan.vars, clock, shared, lambda _id, _text: None)
    wait = _Wait(scope, wait_s, clock.monotonic())
    try:
        found = await asyncio.gather(*(wait.wait_for_target(each, is_up=each.name not in waiting) for each in reached))
    finally:
        await shared.close()
    return Waited(tuple(found), wait.hopeless)


@dataclass(slots=True)
class _Wait:
    """One wait for several targets."""

    scope: Scope
    wait_s: float
    begun: float
    hopeless: bool = False
    """Whether the container of one of them has ended."""

    async def wait_for_target(self, planned: PlannedTarget, *, is_up: bool) -> str:
        """Wait until a target accepts connections, its container has ended, or the time is over; describe which.

        `is_up`: whether it accepted a connection at the first look.
        """
        target, clock = planned.target, self.scope.clock
        where = f"{target.name} ({target.host}:{target.port})"
        ends: list[str] = []
        while not is_up:
            waited_s = clock.monotonic() - self.begun
            refusal = await _refusal(target)
            if refusal is None:
                return f"{where} accepted connections after {clock.monotonic() - self.begun:.1f} s"
            ended = await self._end_of_container(planned)
            # Seen twice: while a container is made anew, the old one has ended and the new one has not begun.
            ends = [*ends, ended] if ended else []
            if len(ends) > 1:
                self.hopeless = True
                return f"{where} will accept no connection: {ended}; the wait ended after {waited_s:.1f} s"
            if self.hopeless and not ends:
                return f"{where} was not waited for any longer after {waited_s:.1f} s: {refusal}"
            if waited_s >= self.wait_s:
                return f"{where} accepted no connection within {self.wait_s:g} s: {refusal}"
            await clock.sleep(min(AGAIN_S, max(self.wait_s - waited_s, 0.0)))
        return f"{where} accepted connections at once"

    async def _end_of_container(self, planned: PlannedTarget) -> str | None:
        """How the container of a target has ended; None while it may still come up, or is not known."""
        if planned.container_state is None:
            return None
        ctx = CheckContext(self.scope, planned.container_state, f"target {planned.name}", PROBE_S)
        try:
            async with asyncio.timeout(PROBE_S):
                state = values_of(await measure(planned.container_state, ctx))
        except (XnaiError, OSError, TimeoutError):
            return None  # no engine that could be asked
        if state.get("status") not in _ENDED:
            return None
        why = " (killed for its use of memory)" if state.get("oom_killed") else ""
        return f"its container {planned.target.container} has exited with code {state.get('exit_code')}{why}"


async def _refusal(target: Target) -> str | None:
    """Why the target accepts no connection; None if it does."""
    try:
        async with asyncio.timeout(PROBE_S):
            _, writer = await asyncio.open_connection(target.host, target.port)
    except TimeoutError:
        return f"no answer within {PROBE_S:g} s"
    except OSError as error:
        return (os.strerror(error.errno) if error.errno else error.strerror or str(error)).lower()
    writer.close()
    return None


async def _probe_answers(name: str, probe: CompiledMeasurement, target: Target, scope: Scope) -> bool:
    """Whether a probe holds for one candidate of a target."""
    targets: Mapping[str, Target] = {**scope.targets, name: target}
    there = Scope(targets, scope.vars, scope.clock, scope.shared, scope.progress)
    outcome = await attempt(probe, CheckContext(there, probe, f"target {name}", PROBE_S), PROBE_S)
    return outcome.status.passed
