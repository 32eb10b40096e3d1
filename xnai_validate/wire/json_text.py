"""JSON as servers send it: parsed strictly, and never deeper than what reads it can go."""

from __future__ import annotations

import json
from dataclasses import dataclass

from xnai_validate.model.json import JsonValue

NESTING_CAP = 96
"""Levels of nesting; RFC 8259 section 9 lets a parser set a limit. JSONPath and pydantic give up soon after it."""
DUPLICATES_CAP = 20
"""Names of duplicate keys that are kept."""


@dataclass(frozen=True, slots=True)
class JsonText:
    """A text that was parsed as JSON."""

    value: JsonValue = None
    is_json: bool = False
    duplicate_keys: tuple[str, ...] = ()
    """Keys that one object of the text has twice, with values that differ; the last value is in `value`.

    RFC 8259 section 4: "When the names within an object are not unique, the behavior of software that receives such
    an object is unpredictable."
    """


def parse_json(text: str) -> JsonText:
    """Parse a JSON document (RFC 8259).

    `is_json` is false for an empty text, for NaN and Infinity, and for a document deeper than 96 levels.
    """
    if not text:
        return JsonText()
    duplicates: dict[str, None] = {}
    try:
        value = _decoder(duplicates).decode(text)
    except (ValueError, RecursionError):
        return JsonText()
    if text.count("[") + text.count("{") > NESTING_CAP and _too_deep(value):
        return JsonText()
    return JsonText(value, True, tuple(duplicates))


def document_of(text: str) -> tuple[JsonValue, bool]:
    """Return the document of `parse_json` and whether the text is JSON."""
    parsed = parse_json(text)
    return parsed.value, parsed.is_json


def _decoder(duplicates: dict[str, None]) -> json.JSONDecoder:
    """A decoder that notes the keys whose values differ within one object."""

    def to_object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        value = dict(pairs)
        if len(value) != len(pairs):
            for key, item in pairs:
                if key not in duplicates and len(duplicates) < DUPLICATES_CAP and _differ(item, value[key]):
                    duplicates[key] = None
        return value

    return json.JSONDecoder(object_pairs_hook=to_object, parse_constant=_refuse_constant)


def _differ(first: JsonValue, second: JsonValue) -> bool:
    return first is not second and json.dumps(first) != json.dumps(second)  # as texts, for in Python 1 equals True


def _too_deep(document: JsonValue) -> bool:
    """Whether anything is below the last level that is allowed; level by level, because recursion has a limit too."""
    level: list[JsonValue] = [document]
    for _ in range(NESTING_CAP):
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")
