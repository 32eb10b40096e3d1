"""A value somewhere in the stack, and reading it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from xnai_validate.checkers._steps import failure, observe_all
from xnai_validate.kit import (
    Context,
    Observation,
    Observed,
    Unmeasurable,
    bounded,
    did_you_mean,
    field_validator,
    is_singular,
    json_path,
    values_at,
)


class Missing:
    """The value at a path where there is no value."""


MISSING = Missing()


class Watch(Observation):
    """A value somewhere in the stack: an observation, and one of its facts."""

    fact: str
    """The name of a fact of the kind."""
    path: str | None = None
    """A key, where the fact is a mapping; a JSONPath (RFC 9535), where it is a JSON document."""

    @field_validator("path")
    @classmethod
    def _verify_path(cls, path: str | None) -> str | None:
        """Return the path. Raises ValueError if it begins with $ and is not a JSONPath."""
        if path is not None and path.startswith("$"):
            try:
                json_path(path)
            except ValueError as error:
                raise ValueError(f"{path!r} is not a JSONPath: {error}") from None
        return path

    @property
    def measurement_key(self) -> str:
        """Equal for watches that read values of the same measurement."""
        return json.dumps([self.kind, self.target, self.with_, self.expect], sort_keys=True)

    @property
    def facts_read(self) -> Mapping[tuple[str, ...], str]:
        """The fact whose value is watched."""
        return {("fact",): self.fact}


async def read(
    watch: Mapping[str, Watch], ctx: Context, *, together: bool = True
) -> tuple[dict[str, object], dict[str, str]]:
    """Return name -> value or MISSING, and name -> reason for the observations whose rules do not hold."""
    return _values_in(await observe_watched(watch, ctx, together=together), watch)


async def observe_watched(watch: Mapping[str, Watch], ctx: Context, *, together: bool = True) -> dict[str, Observed]:
    """Make the observations of the watches, at once or in order, and return measurement key -> observation.

    Watches that differ only in fact and path are values of one measurement: their common observation is made once.
    """
    first: dict[str, Watch] = {}
    for entry in watch.values():
        first.setdefault(entry.measurement_key, entry)
    if not together:
        return {key: await ctx.observe(entry) for key, entry in first.items()}
    return dict(zip(first, await observe_all(ctx, list(first.values())), strict=True))


def _values_in(
    measured: Mapping[str, Observed], watch: Mapping[str, Watch]
) -> tuple[dict[str, object], dict[str, str]]:
    """Return name -> value or MISSING, and name -> reason for the observations whose rules do not hold."""
    values: dict[str, object] = {}
    unread: dict[str, str] = {}
    for name, entry in watch.items():
        observed = measured[entry.measurement_key]
        reason = failure(entry, observed)
        if reason is not None:
            unread[name] = reason
        elif entry.fact not in observed.facts:
            message = f'{name}: {entry.kind} has no fact "{entry.fact}"'
            raise Unmeasurable(message, hint=did_you_mean(entry.fact, observed.facts))
        else:
            values[name] = value_at(observed.facts[entry.fact], entry.path)
    return values, unread


def value_at(fact: object, path: str | None) -> object:
    """Return the value at `path` in a fact: MISSING if absent, a list if a JSONPath may match several values."""
    if fact is None:
        return MISSING
    if path is None:
        return fact
    if path.startswith("$"):
        values = values_at(path, fact)
        if not is_singular(path):
            return values or MISSING
        return values[0] if values else MISSING
    if not isinstance(fact, Mapping):
        return MISSING
    return fact.get(path, fact.get(path.lower(), MISSING))  # the names of headers are kept in lower case


async def numbers(watch: Mapping[str, Watch], ctx: Context) -> tuple[dict[str, float | None], dict[str, str]]:
    """Read the watches; return what `numbers_in` does."""
    return numbers_in(await observe_watched(watch, ctx), watch)


def numbers_in(
    measured: Mapping[str, Observed], watch: Mapping[str, Watch]
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Name -> number, or None where there is no such value; and, for what could not be read, name -> why."""
    values, unread = _values_in(measured, watch)
    known: dict[str, float | None] = {}
    for name, value in values.items():
        try:
            known[name] = None if isinstance(value, Missing) else _number(value)
        except ValueError as error:
            unread[name] = str(error)
    return known, unread


def _number(value: object) -> float | None:
    """A value as a finite number: of a number, of a text that spells one, or the sum of a list; None for null.

    Raises ValueError for anything else.
    """
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
