"""Checks made of others: what work moves elsewhere in the stack, and whether several places say the same."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated

from annotated_types import Ge, Le
from pydantic import field_validator

from xnai_validate.checkers._steps import failure, observe_all, perform
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    Facts,
    Field,
    JsonValue,
    Milliseconds,
    Observation,
    Params,
    Unmeasurable,
    bounded,
    checker,
)
from xnai_validate.model.nearest import did_you_mean
from xnai_validate.model.rules import json_path, values_at


class Missing:
    """What a path that leads nowhere finds."""


MISSING = Missing()


class Watch(Observation):
    """A value somewhere in the stack: an observation, and the fact of it that is meant."""

    fact: str
    """The name of a fact of the kind."""
    path: str | None = None
    """A key, where the fact is a mapping; a JSONPath (RFC 9535), where it is a JSON document."""

    @field_validator("path")
    @classmethod
    def _compiles(cls, path: str | None) -> str | None:
        if path is not None and path.startswith("$"):
            try:
                json_path(path)
            except ValueError as error:
                raise ValueError(f"{path!r} is not a JSONPath: {error}") from None
        return path


class DeltaParams(Params):
    """The work, and the values that are read before and after it."""

    watch: dict[str, Watch] = Field(min_length=1)
    """Name -> the number to read; a JSONPath that finds several numbers means their sum."""
    during: list[Observation] = Field(min_length=1)
    """The work: observations, performed in order."""
    times: Annotated[int, Ge(1), Le(10_000)] = 1
    """How often the work is done."""
    together: bool = False
    """Whether all of it is done at once instead of in order."""
    settle: Duration = 0.0
    """How long to wait after the work before the values are read again."""
    absent_is_zero: bool = True
    """Whether a value that is not there counts as 0, as a counter that has not counted yet."""


class Moved(Facts):
    """The values before and after the work."""

    failed_steps: list[str]
    """The first observations, readings among them, whose rules did not hold, in words."""
    failed_step_count: Count
    """How many did not hold."""
    step_count: Count
    """How many observations the work was."""
    before: dict[str, float | None]
    """Name -> the value before the work; null where it was absent, left out where it could not be read."""
    after: dict[str, float | None]
    """The same after the work."""
    moved: dict[str, float]
    """Name -> after less before, where both are known."""
    elapsed_ms: Milliseconds
    """How long the work took."""


@checker("flow.delta", expect={"failed_steps": []}, target=False, exclusive=True)
async def delta(params: DeltaParams, ctx: Context) -> Moved:
    """Read numbers, do some work, read them again: what did the work move?

    For counters that must count: after N queries the metrics, the stream in Redis or a breaker's total have moved by N.

        kind: flow.delta
        with:
          watch:
            queries: {kind: metrics.samples, target: metrics, fact: samples, path: xnai_queries_processed_total}
          during: [{kind: http.request, target: api, with: {method: POST, path: /query, json: {query: Hello}}}]
          times: 5
        expect: {moved: {queries: 5}}
    """
    before, unread_before = await _numbers(params.watch, ctx)
    work = await perform(ctx, params.during, times=params.times, together=params.together)
    if params.settle:
        await ctx.clock.sleep(params.settle)
    after, unread_after = await _numbers(params.watch, ctx)
    unread = [f"{name} before: {why}" for name, why in unread_before.items()]
    unread += [f"{name} after: {why}" for name, why in unread_after.items()]
    moved: dict[str, float] = {}
    for name in before.keys() & after.keys():
        first, last = before[name], after[name]
        if params.absent_is_zero or (first is not None and last is not None):
            moved[name] = (last or 0.0) - (first or 0.0)
    return Moved(
        failed_steps=[*unread, *work.failed],
        failed_step_count=len(unread) + work.failed_count,
        step_count=work.count,
        before=before,
        after=after,
        moved={name: moved[name] for name in params.watch if name in moved},
        elapsed_ms=work.elapsed_ms,
    )


class AgreeParams(Params):
    """The places to read from."""

    readings: dict[str, Watch] = Field(min_length=2)
    """Name -> the value to read."""


class Agreement(Facts):
    """What several places say of the same thing."""

    failed_readings: list[str]
    """The readings whose rules did not hold or that found nothing, in words."""
    agree: bool
    """Whether all readings were made and are equal; a number and its text are equal, keys have no order."""
    distinct: Count
    """How many different values there are."""
    values: dict[str, JsonValue]
    """Name -> the value, where it was found."""


@checker("flow.agree", expect={"failed_readings": [], "agree": True}, target=False)
async def agree(params: AgreeParams, ctx: Context) -> Agreement:
    """Read the same thing from several places and tell whether they agree.

    For what must not depend on where one asks: the API directly and through its gateway, a breaker's state in the API's
    health and in Redis.

        kind: flow.agree
        with:
          readings:
            direct: {kind: http.request, target: api, with: {path: /health}, fact: json, path: $.version}
            gateway: {kind: http.request, target: gateway, with: {path: /health}, fact: json, path: $.version}
    """
    found, unread = await _read(params.readings, ctx)
    unread |= {name: "there is no such value" for name, value in found.items() if isinstance(value, Missing)}
    values = {name: value for name, value in found.items() if not isinstance(value, Missing)}
    distinct = {_normal(value) for value in values.values()}
    return Agreement(
        failed_readings=[f"{name}: {why}" for name, why in unread.items()],
        agree=not unread and len(distinct) == 1,
        distinct=len(distinct),
        values={name: bounded(value) for name, value in values.items()},
    )


async def _numbers(watch: Mapping[str, Watch], ctx: Context) -> tuple[dict[str, float | None], dict[str, str]]:
    """Name -> number, or None where there is no such value; and, for what could not be read, name -> why."""
    found, unread = await _read(watch, ctx)
    numbers: dict[str, float | None] = {}
    for name, value in found.items():
        try:
            numbers[name] = None if isinstance(value, Missing) else _number(value)
        except ValueError as error:
            unread[name] = str(error)
    return numbers, unread


async def _read(watch: Mapping[str, Watch], ctx: Context) -> tuple[dict[str, object], dict[str, str]]:
    """Name -> value or MISSING; and, for the observations whose rules do not hold, name -> which."""
    seen = await observe_all(ctx, list(watch.values()))
    found: dict[str, object] = {}
    unread: dict[str, str] = {}
    for (name, one), observed in zip(watch.items(), seen, strict=True):
        why = failure(one, observed)
        if why is not None:
            unread[name] = why
        elif one.fact not in observed.facts:
            message = f'{name}: {one.kind} has no fact "{one.fact}"'
            raise Unmeasurable(message, hint=did_you_mean(one.fact, observed.facts))
        else:
            found[name] = _value(observed.facts[one.fact], one.path)
    return found, unread


def _value(fact: object, path: str | None) -> object:
    """What `path` leads to within a fact; MISSING where it leads nowhere, a list where a JSONPath may find several."""
    if fact is None:
        return MISSING
    if path is None:
        return fact
    if path.startswith("$"):
        values = values_at(path, fact)
        if not json_path(path).singular_query():
            return values or MISSING
        return values[0] if values else MISSING
    if not isinstance(fact, Mapping):
        return MISSING
    return fact.get(path, fact.get(path.lower(), MISSING))  # the names of headers are kept in lower case


def _number(value: object) -> float | None:
    """The number that a value is or, as text, says; the sum of a list of them. Raises ValueError for anything else."""
    if value is None:
        return None
    if isinstance(value, list):
        return math.fsum(_number(item) or 0.0 for item in value)
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):  # JSON has integers of any size
            number = math.nan
        if math.isfinite(number):
            return number
    raise ValueError(f"{json.dumps(bounded(value))[:100]} is not a number")


def _normal(value: object) -> str:
    """A text that equal values share: numbers by their value, also when written as text; mappings without order."""
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return json.dumps(value.strip())
        return json.dumps(number) if math.isfinite(number) else json.dumps(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return json.dumps(float(value))
        except OverflowError:  # an integer above all floats; in hexadecimal, for Python limits decimal digits
            return hex(int(value))
    if isinstance(value, Mapping):
        parts = sorted(f"{json.dumps(str(key))}: {_normal(item)}" for key, item in value.items())
        return "{" + ", ".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_normal(item) for item in value) + "]"
    return json.dumps(value, default=str)
