"""`flow.ratio`: the ratio of two numbers of the stack."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.checkers._watch import Missing, Watch, read
from xnai_validate.kit import Context, Facts, Params, Timed, checker, cut


class RatioParams(Params):
    """The two numbers."""

    of: Watch
    """The numerator; measured last."""
    to: Watch
    """The denominator; measured first."""


class Compared(Facts):
    """Two numbers, measured one after the other."""

    failed_readings: list[str]
    """The readings whose rules did not hold or that found no number, in words."""
    of: float | None
    """The numerator; null where it could not be read."""
    to: float | None
    """The denominator; null where it could not be read."""
    ratio: Annotated[float, Timed()] | None
    """`of` divided by `to`; null where one of them is not known, or `to` is 0."""


@checker("flow.ratio", expect={"failed_readings": []}, target=False, exclusive=True)
async def ratio(params: RatioParams, ctx: Context) -> Compared:
    """Measure two numbers one after the other and divide them.

    For promises that hold on a fast machine as on a slow one: the throughput of many virtual users, divided by that of
    one. The numerator is not measured if the denominator could not be read.

        kind: flow.ratio
        with:
          of: {kind: load.http, target: api, fact: throughput_rps, with: {path: /health, callers: 8, for: 3s}}
          to: {kind: load.http, target: api, fact: throughput_rps, with: {path: /health, callers: 1, for: 3s}}
        expect: {ratio: {min: 2}}
    """
    numbers: dict[str, float] = {}
    failed: list[str] = []
    for name, watch in (("to", params.to), ("of", params.of)):
        found, unread = await read({name: watch}, ctx)
        value = found.get(name)
        if unread:
            failed.append(f"{name}: {unread[name]}")
            break
        if isinstance(value, Missing | bool) or not isinstance(value, int | float):
            reason = "there is no such value" if isinstance(value, Missing) else f"no number: {cut(str(value), 100)}"
            failed.append(f"{name}: {reason}")
            break
        numbers[name] = float(value)
    of, to = numbers.get("of"), numbers.get("to")
    return Compared(
        failed_readings=failed, of=of, to=to, ratio=of / to if of is not None and to is not None and to else None
    )
