"""`flow.steps`: several requests, one after the other, as one check."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from typing import Annotated, Self
from uuid import uuid4

from xnai_validate.checkers.flow._course import Course
from xnai_validate.checkers.flow._step import Step, StepResult, Variable
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    Facts,
    Field,
    Gt,
    Inner,
    JsonValue,
    Masker,
    Milliseconds,
    Params,
    Waits,
    bounded,
    checker,
    did_you_mean,
    looks_secret,
    model_validator,
    references,
    uninterrupted,
)

OWN_SHARE = 0.9
"""The share of the check's time limit that the steps may take: so a flow that hangs can still report where."""


_UUID = "uuid"
"""The reference that is a new UUID each time the flow is taken."""


class StepsParams(Params):
    """The steps, and what is done afterwards in any case."""

    steps: list[Step] = Field(min_length=1, max_length=100)
    """What is done, in order; each step has its own rules."""
    think: Duration = 0.0
    """How long to wait before each step but the first, as users do who read an answer before they ask again."""
    think_to: Duration | None = None
    """With it, the wait is by chance between `think` and this."""
    values: dict[Variable, JsonValue] = Field(default_factory=dict, max_length=50)
    """Name -> value that steps may refer to as `{{name}}` from the beginning."""
    cleanup: list[Step] = Field(default_factory=list, max_length=20)
    """What is done at the end in any case: after a step that did not hold, a time-out, an interruption. A step that
    refers to a value that was not captured is left out: what it would clean up was never made."""
    cleanup_timeout: Annotated[Duration, Gt(0)] = 10.0
    """How long all of the clean-up may take."""

    @model_validator(mode="after")
    def _references_lead_back(self) -> Self:
        """Refuse two steps of one name, and a reference to a value that no earlier step captures."""
        if self.think_to is not None and self.think_to < self.think:
            raise ValueError("think_to must not be less than think")
        names: set[str] = set()
        known: set[str] = {_UUID, *self.values}
        pending: set[str] = set()
        for step in (*self.steps, *self.cleanup):
            if step.name in names:
                raise ValueError(f"two steps are named {step.name}")
            names.add(step.name)
            for name in step.references:
                if name not in known:
                    raise ValueError(_describe_unknown(step, name, known, pending))
            pending |= set(step.capture)
            if not step.together:
                known |= pending
                pending = set()
        return self


def steps_waits(params: StepsParams, inner: Inner) -> Waits:
    """How long the steps take, one after the other, each as long as it may be made again."""
    usual_s = longest_s = 0.0
    for step in params.steps:
        waits = inner(step)
        usual_s += waits.usual_s + step.within / 10
        longest_s += (waits.longest_s or 0.0) + step.within
    pauses = len(list(_groups(params.steps))) - 1
    usual_s += pauses * (params.think + (params.think_to or params.think)) / 2
    longest_s += pauses * (params.think_to or params.think)
    # Steps have nine tenths of the time limit.
    return Waits(usual_s, longest_s / OWN_SHARE)


def _generated(params: StepsParams) -> dict[str, JsonValue]:
    """The generated values that steps refer to."""
    used = any(_UUID in step.references for step in (*params.steps, *params.cleanup))
    return {_UUID: str(uuid4())} if used else {}


def _describe_unknown(step: Step, name: str, known: set[str], pending: set[str]) -> str:
    """Describe a reference that no earlier step captures, with the nearest name."""
    if name in pending or name in step.capture:
        return f"step {step.name} refers to {{{{{name}}}}}, which is captured at the same time, not before it"
    guess = did_you_mean(name, known - {_UUID})
    text = f"step {step.name} refers to {{{{{name}}}}}, which no earlier step captures"
    return f"{text}; {guess}" if guess else f"{text}; write \\{{{{{name}}}}} for the text itself"


class Flowed(Facts):
    """How the steps went."""

    failed_steps: list[str] | None
    """The steps that did not hold, by name and in words; null where the time of the check was over before one did."""
    failed_step_count: Count | None
    """How many did not hold; null likewise."""
    reached: str | None
    """The last step that held before the first that did not: how far one comes on this stack."""
    first_broken: str | None
    """The first step that did not hold."""
    step_count: Count
    """How many steps were made; those that were passed over are not counted."""
    steps: JsonValue
    """The time line, clean-up included: a list of `{name, kind, started_ms, elapsed_ms, held, reason}`; `held` is null
    for a step that was not made."""
    step_ms: dict[str, Milliseconds]
    """Name of a step -> how long it took."""
    first_token_ms: dict[str, Milliseconds]
    """Name of a step that is a stream -> the time to its first token, from the beginning of its request."""
    longest_gap_ms: dict[str, Milliseconds]
    """Name of such a step -> the longest time between two of its tokens."""
    captured: JsonValue
    """Name -> what was captured; a secret is masked."""
    cleanup_failed: list[str]
    """What of the clean-up did not hold, by name and in words."""
    elapsed_ms: Milliseconds
    """How long the steps took, without the clean-up."""


@checker("flow.steps", expect={"failed_steps": [], "cleanup_failed": []}, target=False, waits=steps_waits)
async def steps(params: StepsParams, ctx: Context) -> Flowed:
    """Take several steps, one after the other, and report how far they come.

    A step is a measurement of any kind with rules of its own; what it captures is at hand for later steps as
    `{{name}}` in their `with` and `expect` (in quotes, for YAML). A text that is nothing but a reference becomes the
    value with its type; `\\{{name}}` is the text `{{name}}`. `{{uuid}}` is another one each time the flow is taken,
    for test data that must be new. References are verified when the file is loaded, and so is
    all that does not depend on them. After the first step that does not hold, the others are not made. The clean-up
    always is: also after a time-out and when the run is interrupted. A flow may take nine tenths of the check's time
    limit; a step that is under way then makes the check an error, for the limit is not the stack's.

        kind: flow.steps
        target: api
        with:
          steps:
            - name: create
              kind: http.request
              with: {method: POST, path: /tasks, json: {title: probe}}
              expect: {status: 201}
              capture: {id: {json: $.id}}
            - name: read
              kind: http.request
              with: {path: "/tasks/{{id}}"}
              expect: {json: {$.id: "{{id}}", $.title: probe}}
          cleanup:
            - {name: remove, kind: http.request, with: {method: DELETE, path: "/tasks/{{id}}"}, expect: {status: 204}}
    """
    course = Course(ctx, {**_generated(params), **params.values}, secret=_secret_names(params))
    cleaned: list[StepResult] = []
    try:
        await _make(params, course, ctx)
        elapsed_ms = course.elapsed_ms
    finally:
        if params.cleanup:
            cleaned = await uninterrupted(_clean_up(params, course))
    return _facts_of(params, course, cleaned, elapsed_ms)


async def _make(params: StepsParams, course: Course, ctx: Context) -> None:
    """Make the steps group by group within their share of the time; then note which steps were cut short."""
    limit_s = ctx.timeout_s * OWN_SHARE
    limit = asyncio.timeout(limit_s)
    think = random.SystemRandom()
    try:
        async with limit:
            for number, group in enumerate(_groups(params.steps)):
                if number and not course.stopped:
                    await ctx.clock.sleep(think.uniform(params.think, params.think_to or params.think))
                if course.stopped:
                    course.not_made(group)
                else:
                    await course.make(group)
    except TimeoutError:
        if not limit.expired():
            raise
        course.cut_short(params.steps, f"not at its end when the flow had taken {limit_s:.3g} s")


def _groups(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """The steps that are under way at the same time."""
    group: list[Step] = []
    for step in steps:
        group.append(step)
        if not step.together:
            yield group
            group = []
    if group:
        yield group


async def _clean_up(params: StepsParams, course: Course) -> list[StepResult]:
    """Make the clean-up steps within their time limit."""
    cleanup = course.for_cleanup()
    try:
        async with asyncio.timeout(params.cleanup_timeout):
            for step in params.cleanup:
                await cleanup.attempt(step)
    except TimeoutError:
        cleanup.cut_short(params.cleanup, f"not done within {params.cleanup_timeout:g} s")
    return cleanup.results


def _facts_of(params: StepsParams, course: Course, cleaned: Sequence[StepResult], elapsed_ms: float) -> Flowed:
    """Return the facts of a flow, secrets masked."""
    masker = Masker(str(value) for name, value in course.values.items() if name in _secret_names(params))
    broken = [result for result in course.results if result.held is False]
    overdue = course.overdue if broken == [course.overdue] else None
    before = course.results[: course.results.index(broken[0])] if broken else course.results
    held = [result.step.name for result in before if result.held]
    return (
        Flowed(
            failed_steps=None if overdue else [_describe_failure(result, masker) for result in broken],
            failed_step_count=None if overdue else len(broken),
            reached=held[-1] if held else None,
            first_broken=broken[0].step.name if broken else None,
            step_count=sum(result.held is not None for result in course.results),
            steps=[masker.json(result.line()) for result in (*course.results, *cleaned)],
            step_ms={result.step.name: result.elapsed_ms for result in course.results if result.held is not None},
            first_token_ms=course.times["first_token_ms"],
            longest_gap_ms=course.times["max_token_gap_ms"],
            captured=masker.json({name: bounded(value) for name, value in course.values.items()}),
            cleanup_failed=[_describe_failure(result, masker) for result in cleaned if result.held is False],
            elapsed_ms=elapsed_ms,
        )
        .keeping(course.values)
        .not_reached(f"{_describe_failure(overdue, masker)}, of the check's time limit" if overdue else None)
    )


def _describe_failure(result: StepResult, masker: Masker) -> str:
    """Describe a step that failed, secrets masked."""
    return masker.text(f"{result.step.name}: {result.reason}")


def _secret_names(params: StepsParams) -> frozenset[str]:
    """The names of captures that must be masked: by name, by their own flag, and where a step sends them as secrets."""
    steps = (*params.steps, *params.cleanup)
    captures = {name: capture for step in steps for name, capture in step.capture.items()}
    sent = {name for step in steps for name in _sent_as_secrets(step.with_)}
    return frozenset(name for name, capture in captures.items() if capture.secret or name in sent or looks_secret(name))


def _sent_as_secrets(value: JsonValue, key: str = "") -> Iterator[str]:
    """The captures to which values under secret names refer, such as a header Authorization."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _sent_as_secrets(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from _sent_as_secrets(item, key)
    elif isinstance(value, str) and looks_secret(key):
        yield from references(value)
