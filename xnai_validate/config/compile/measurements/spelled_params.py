"""Values of the environment that were read as numbers, in params that take text."""

from __future__ import annotations

from pydantic import ValidationError

from xnai_validate.config.yaml_files.scalars import SpelledFloat, SpelledInt
from xnai_validate.model.json import JsonValue


def respelled(raw: JsonValue, error: ValidationError) -> JsonValue:
    """`raw` with numbers from the environment as text if a field takes text; None if that changes no field."""
    changed = False
    for problem in error.errors(include_url=False):
        if problem["type"] == "string_type" and isinstance(problem["input"], SpelledInt | SpelledFloat):
            replaced = _with_text_at(raw, tuple(problem["loc"]), str(problem["input"]))
            changed, raw = changed or replaced != raw, replaced
    return raw if changed else None


def _with_text_at(raw: JsonValue, steps: tuple[str | int, ...], text: str) -> JsonValue:
    """Return `raw` in which a number from the environment, at the path `steps`, is replaced by `text`."""
    if not steps:
        return text if isinstance(raw, SpelledInt | SpelledFloat) else raw
    step, rest = steps[0], steps[1:]
    if isinstance(raw, dict) and step in raw:
        return {**raw, str(step): _with_text_at(raw[str(step)], rest, text)}
    if isinstance(raw, list) and isinstance(step, int) and step < len(raw):
        return [*raw[:step], _with_text_at(raw[step], rest, text), *raw[step + 1 :]]
    return _with_text_at(raw, rest, text) if rest or not isinstance(raw, dict | list) else raw
