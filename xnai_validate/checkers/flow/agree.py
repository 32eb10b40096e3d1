"""`flow.agree`: whether several places have the same value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from xnai_validate.checkers._watch import Missing, Watch, read
from xnai_validate.kit import Context, Count, Facts, Field, JsonValue, Params, bounded, checker


class AgreeParams(Params):
    """The places to read from."""

    readings: dict[str, Watch] = Field(min_length=2)
    """Name -> the value to read."""
    together: bool = True
    """Whether they are read at once; else in order, for readings that would disturb each other."""


class Agreement(Facts):
    """The values of several places for the same thing."""

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
    """Read the same thing from several places and report whether they agree.

    For what must not depend on where one asks: the API directly and through its gateway, a breaker's state in the API's
    health and in Redis.

        kind: flow.agree
        with:
          readings:
            direct: {kind: http.request, target: api, with: {path: /health}, fact: json, path: $.version}
            gateway: {kind: http.request, target: gateway, with: {path: /health}, fact: json, path: $.version}
    """
    found, unread = await read(params.readings, ctx, together=params.together)
    unread |= {name: "there is no such value" for name, value in found.items() if isinstance(value, Missing)}
    values = {name: value for name, value in found.items() if not isinstance(value, Missing)}
    distinct = {_normal(value) for value in values.values()}
    return Agreement(
        failed_readings=[f"{name}: {why}" for name, why in unread.items()],
        agree=not unread and len(distinct) == 1,
        distinct=len(distinct),
        values={name: bounded(value) for name, value in values.items()},
    )


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
