"""The course of a flow: steps made one after the other or together, and what they captured."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers.flow._capture import CaptureError
from xnai_validate.checkers.flow._step import Step, StepResult
from xnai_validate.kit import Context, JsonValue, NotApplicable, Observed, ToolLate, XnaiError

TIMES = ("first_token_ms", "max_token_gap_ms")
NOT_MADE = "not made, for a step before it did not hold"


class Course:
    """Makes steps and remembers how each went."""

    def __init__(
        self,
        ctx: Context,
        values: dict[str, JsonValue] | None = None,
        begun: float | None = None,
        secret: frozenset[str] = frozenset(),
    ) -> None:
        """`secret`: the names of captures whose values every report masks."""
        self._secret = secret
        self.values: dict[str, JsonValue] = {} if values is None else values
        """What was captured so far."""
        self.results: list[StepResult] = []
        self.times: dict[str, dict[str, float]] = {time: {} for time in TIMES}
        """Fact of a stream -> name of a step that has it -> the time in ms."""
        self.stopped = False
        self.overdue: StepResult | None = None
        """The step that was under way when the time of the flow was over."""
        self._ctx = ctx
        self._begun = time.perf_counter() if begun is None else begun
        self._under_way: dict[str, float] = {}

    @property
    def elapsed_ms(self) -> float:
        """How long it has taken so far."""
        return (time.perf_counter() - self._begun) * 1000

    def for_cleanup(self) -> Course:
        """A course that knows what this one has captured, on the same time line."""
        return Course(self._ctx, self.values, self._begun, self._secret)

    async def make(self, group: Sequence[Step]) -> None:
        """Make steps at the same time, and keep how they went in their order.

        Raises the XnaiError of the first that could not be measured, named, once all are done.
        """
        if len(group) == 1:
            results = [await self._perform(group[0])]
        else:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self._perform(step)) for step in group]
            results = [task.result() for task in running]
        for result in results:
            if isinstance(result, XnaiError):
                raise result
            self.results.append(result)
            self.stopped |= result.held is False and not result.step.go_on

    async def attempt(self, step: Step) -> None:
        """Make a clean-up step. If it cannot be made, keep it as failed; if its captures are missing, as not made."""
        result = await self._perform(step)
        if isinstance(result, NotApplicable | XnaiError):
            result = StepResult(step, self.elapsed_ms, 0.0, False, result.message)
        self.results.append(result)

    def not_made(self, group: Sequence[Step], reason: str = NOT_MADE) -> None:
        """Keep that these steps were not made."""
        self.results += [StepResult(step, self.elapsed_ms, 0.0, None, reason) for step in group]

    def cut_short(self, steps: Sequence[Step], reason: str) -> None:
        """Keep the steps that the time limit ended: those under way as failed, those that had not begun as not made."""
        made = {result.step.name for result in self.results}
        for step in steps:
            begun_ms = self._under_way.get(step.name)
            if step.name in made:
                continue
            if begun_ms is None:
                self.not_made([step])
            else:
                self.overdue = StepResult(step, begun_ms, self.elapsed_ms - begun_ms, False, reason)
                self.results.append(self.overdue)

    async def _perform(self, step: Step) -> StepResult | XnaiError:
        """Make one step and return what came of it; an error that ends the flow is returned, not raised."""
        begun_ms = self._under_way[step.name] = self.elapsed_ms
        unknown = [name for name in step.references if name not in self.values]
        if unknown:
            return StepResult(step, begun_ms, 0.0, None, f"not made: {unknown[0]} was not captured")
        self._ctx.progress(step.name)
        try:
            reason = await self._until_held(step)
        except NotApplicable as error:
            if step.optional:
                return StepResult(step, begun_ms, self.elapsed_ms - begun_ms, None, f"passed over: {error.message}")
            return error
        except XnaiError as error:
            return type(error)(f"step {step.name}: {error.message}", hint=error.hint)
        return StepResult(step, begun_ms, self.elapsed_ms - begun_ms, reason is None, reason)

    async def _until_held(self, step: Step) -> str | None:
        """Why the step does not hold at an attempt that began when its time was over; None where one before held."""
        deadline = self._ctx.clock.monotonic() + step.within
        while True:
            is_last = self._ctx.clock.monotonic() >= deadline
            try:
                seen = await self._ctx.observe(step, self.values)
            except ToolLate:
                if is_last:
                    raise
            else:
                self._keep_times(step, seen.facts)
                reason = failure(step, seen) or self._capture(step, seen)
                if reason is None or is_last:
                    return reason
            left = deadline - self._ctx.clock.monotonic()
            await self._ctx.clock.sleep(max(0.0, min(step.every, left)))

    def _keep_times(self, step: Step, facts: Mapping[str, Any]) -> None:
        """Keep the times that only a stream has; a step that is made again has those of its last attempt.

        A step that is a flow has times by the names of its own steps: those are not kept.
        """
        for name, by_step in self.times.items():
            if isinstance(ms := facts.get(name), int | float):
                by_step[step.name] = ms

    def _capture(self, step: Step, seen: Observed) -> str | None:
        """Take what the step captures; return what was missing."""
        taken: dict[str, JsonValue] = {}
        missing = []
        for name, capture in step.capture.items():
            try:
                taken[name] = capture.take(seen.facts)
            except CaptureError as error:
                missing.append(f"{name} was not captured: {error}")
        for name in self._secret & taken.keys():
            self._ctx.mask(str(taken[name]))
        self.values.update(taken)
        return "; ".join(missing) or None
