"""The steps of a flow on one line: how far it came, and how long each step took."""

from __future__ import annotations

from collections.abc import Mapping

from xnai_validate.model.json import JsonValue
from xnai_validate.model.text import printable
from xnai_validate.model.units import format_ms

SHOWN = 30
"""Steps that are shown; the JSON report has all."""


def time_line(facts: Mapping[str, JsonValue]) -> str | None:
    """Return `create 12 ms > read 8 ms FAILED > list not run > remove 4 ms`; None for facts without steps."""
    steps = facts.get("steps")
    if not isinstance(steps, list):
        return None
    texts = [text for step in steps if isinstance(step, dict) and (text := _format_step(step))]
    more = [f"{len(texts) - SHOWN} more"] if len(texts) > SHOWN else []
    return " > ".join([*texts[:SHOWN], *more]) or None


def _format_step(step: Mapping[str, JsonValue]) -> str | None:
    """Format a step of a flow with its duration; None if it is not a step."""
    name, elapsed_ms, held = step.get("name"), step.get("elapsed_ms"), step.get("held")
    if not isinstance(name, str) or not isinstance(elapsed_ms, int | float):
        return None
    if held is None:
        return f"{printable(name)} not run"
    return f"{printable(name)} {format_ms(elapsed_ms)}{'' if held else ' FAILED'}"
