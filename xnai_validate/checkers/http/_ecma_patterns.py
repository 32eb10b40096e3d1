"""Patterns of JSON Schema, which are regular expressions of ECMA-262 (JSON Schema 2020-12, core section 6.4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import regress
from jsonschema import ValidationError

from xnai_validate.kit import JsonObject, JsonValue

READABLE = "^"
"""Stands for a pattern that only ECMA-262 knows while a validator reads it as Python's."""


@lru_cache(maxsize=1024)
def ecma_pattern(pattern: str) -> regress.Regex | None:
    """Compile a pattern; None where it is no regular expression of ECMA-262.

    With Unicode, as the specification recommends, else without: `a{,3}` is read by the older grammar alone.
    """
    for flags in ("u", ""):
        try:
            return regress.Regex(pattern, flags)
        except regress.RegressError:
            continue
    return None


def with_readable_patterns(document: JsonObject) -> JsonObject:
    """Return a document whose patterns Python can read: in place of those that only ECMA-262 knows stands another one.

    For validators that would call such a pattern an error of the document. A pattern that neither reads stays.
    """
    return {key: _replace_unreadable(value) for key, value in document.items()}


def _replace_unreadable(node: JsonValue) -> JsonValue:
    """Return the schema with patterns that Python cannot read replaced by one that it can."""
    if isinstance(node, list):
        return [_replace_unreadable(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: READABLE
        if key == "pattern" and isinstance(value, str) and not _python_can_read(value) and ecma_pattern(value)
        else _replace_unreadable(value)
        for key, value in node.items()
    }


def _python_can_read(pattern: str) -> bool:
    """Whether Python compiles a pattern."""
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _validate_pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Validate the keyword `pattern`."""
    if not validator.is_type(instance, "string") or not isinstance(pattern, str):
        return
    compiled = ecma_pattern(pattern)
    if compiled is None:
        yield ValidationError(f"not judged by the pattern {pattern!r}, which is no regular expression of ECMA-262")
    elif compiled.find(instance) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _validate_pattern_properties(
    validator: Any, patterns: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """Validate the keyword `patternProperties`."""
    if not validator.is_type(instance, "object") or not isinstance(patterns, Mapping):
        return
    for pattern, subschema in patterns.items():
        compiled = ecma_pattern(pattern)
        for key, value in instance.items():
            if compiled is not None and compiled.find(key) is not None:
                yield from validator.descend(value, subschema, path=key, schema_path=pattern)


def _validate_additional_properties(
    validator: Any, subschema: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    """Validate the keyword `additionalProperties`."""
    if not validator.is_type(instance, "object"):
        return
    compiled = [ecma_pattern(pattern) for pattern in schema.get("patternProperties", ())]
    known = schema.get("properties", {})
    read = [each for each in compiled if each is not None]
    extra = [key for key in instance if key not in known and not any(each.find(key) for each in read)]
    if validator.is_type(subschema, "object"):
        for key in extra:
            yield from validator.descend(instance[key], subschema, path=key)
    elif not subschema and extra:
        yield ValidationError(f"additional properties are not allowed: {', '.join(map(repr, extra[:5]))}")


KEYWORDS = {
    "pattern": _validate_pattern,
    "patternProperties": _validate_pattern_properties,
    "additionalProperties": _validate_additional_properties,
}
"""The keywords of JSON Schema whose patterns the validators of Python read as Python's."""
