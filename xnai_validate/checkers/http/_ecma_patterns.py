"""Patterns of JSON Schema, which are regular expressions of ECMA-262 (JSON Schema 2020-12, core section 6.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import regress
from jsonschema import ValidationError

from xnai_validate.kit import JsonObject, JsonValue

READABLE = "^"
"""Stands for a pattern that a validator of Python cannot read."""
_SCHEMAS = frozenset(
    {"items", "additionalProperties", "not", "allOf", "anyOf", "oneOf", "prefixItems", "contains", "if", "then", "else"}
)
"""Keywords of a schema whose value is a schema or a list of schemas."""
_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords of a schema whose values are schemas by their names."""
_DATA = frozenset({"example", "examples", "default", "enum", "const"})


@lru_cache(maxsize=1024)
def ecma_pattern(pattern: str) -> regress.Regex | None:
    """Compile a pattern; None where it is not a regular expression of ECMA-262.

    With Unicode, as the specification recommends, else without: `a{,3}` is read by the older grammar alone.
    """
    for flags in ("u", ""):
        try:
            return regress.Regex(pattern, flags)
        except regress.RegressError:
            continue
    return None


def unreadable_patterns(node: JsonValue, path: str = "$", is_schema: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of every pattern of a document's schemas that ECMA-262 does not allow.

    `is_schema`: the node is a schema, whose `pattern` is a regular expression and not a name.
    """
    if isinstance(node, list):
        for at, item in enumerate(node):
            yield from unreadable_patterns(item, f"{path}[{at}]", is_schema)
    if not isinstance(node, dict):
        return
    pattern = node.get("pattern")
    # In OpenAPI 2.0 a parameter is a schema itself.
    if isinstance(pattern, str) and (is_schema or "in" in node) and ecma_pattern(pattern) is None:
        yield f"{path}.pattern", pattern
    for key, value in node.items():
        if key in _DATA or key.startswith("x-"):
            continue
        if isinstance(value, dict) and key in (_NAMED_SCHEMAS if is_schema else ("schemas", "definitions")):
            for name, schema in value.items():
                yield from unreadable_patterns(schema, f"{path}.{key}.{name}", True)
        elif not is_schema or key in _SCHEMAS:
            yield from unreadable_patterns(value, f"{path}.{key}", is_schema or key == "schema")


def with_readable_patterns(document: JsonObject) -> JsonObject:
    """Return a document in which another pattern stands for each that Python cannot read.

    For validators that would call it an error of the document, or break at it.
    """
    return {
        key: _map_patterns(value, lambda pattern: pattern if _python_can_read(pattern) else READABLE)
        for key, value in document.items()
    }


def without_unreadable_patterns(document: JsonObject) -> JsonObject:
    """Return a document in which a pattern that matches any text stands for each that ECMA-262 does not know."""
    return {
        key: _map_patterns(value, lambda pattern: pattern if ecma_pattern(pattern) else READABLE)
        for key, value in document.items()
    }


def _map_patterns(node: JsonValue, change: Callable[[str], str]) -> JsonValue:
    """Return a schema with its patterns changed."""
    if isinstance(node, list):
        return [_map_patterns(item, change) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: change(value) if key == "pattern" and isinstance(value, str) else _map_patterns(value, change)
        for key, value in node.items()
    }


def _python_can_read(pattern: str) -> bool:
    """Whether Python compiles a pattern."""
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError, MemoryError):
        return False
    return True


def _validate_pattern(validator: Any, pattern: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Validate the keyword `pattern`."""
    if not validator.is_type(instance, "string") or not isinstance(pattern, str):
        return
    compiled = ecma_pattern(pattern)
    if compiled is None:
        yield ValidationError(f"not judged by the pattern {pattern!r}, which is not a regular expression of ECMA-262")
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
