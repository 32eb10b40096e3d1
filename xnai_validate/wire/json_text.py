"""JSON as it comes from servers: parsed strictly, and never deeper than anything that reads it can go."""

from __future__ import annotations

import json

from xnai_validate.model.json import JsonValue

NESTING_CAP = 96
"""Levels of nesting; RFC 8259 section 9 lets a parser set a limit. JSONPath and pydantic give up at some more."""


def document_of(text: str) -> tuple[JsonValue, bool]:
    """The JSON document (RFC 8259) that a text is, and whether it is one.

    NaN and Infinity are not JSON; a document that is nested deeper than 96 levels is not read.
    """
    if not text:
        return None, False
    try:
        document: JsonValue = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None, False
    if text.count("[") + text.count("{") > NESTING_CAP and _too_deep(document):
        return None, False
    return document, True


def _too_deep(document: JsonValue) -> bool:
    """Whether there is anything below the last level that is allowed; level by level, for recursion has a limit too."""
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


def _no_constant(name: str) -> JsonValue:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
