"""The steps of a flow on one line: how far it came, and how long each step took."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.model.json import JsonValue
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms

SHOWN = 30
"""Steps that are shown; the JSON report has all."""


def time_line(facts: Mapping[str, JsonValue]) -> str | None:
    """`create 12 ms > read 8 ms FAILED > list not made > remove 4 ms`; None for facts that have no steps."""
    steps = facts.get("steps")
    if not isinstance(steps, list):
        return None
    told = [text for step in steps if isinstance(step, dict) and (text := _told(step))]
    more = [f"{len(told) - SHOWN} more"] if len(told) > SHOWN else []
    return " > ".join([*told[:SHOWN], *more]) or None


def _told(step: Mapping[str, JsonValue]) -> str | None:
    name, elapsed_ms, held = step.get("name"), step.get("elapsed_ms"), step.get("held")
    if not isinstance(name, str) or not isinstance(elapsed_ms, int | float):
        return None
    if held is None:
        return f"{printable(name)} not made"
    return f"{printable(name)} {format_ms(elapsed_ms)}{'' if held else ' FAILED'}"
