"""The types of parameters as a person writes them, read from their JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from pydantic import TypeAdapter

from xnai_validate.kit import Duration, Size

_PLAIN = {"string": "text", "boolean": "true or false", "number": "number", "integer": "integer", "null": "null"}
_SCALARS = frozenset({"text", "integer", "number", "true or false"})


def type_of(schema: object) -> str:
    """Return the type that a property's schema describes: `text`, `list of integer`, `duration`, `one of GET, POST`."""
    if not isinstance(schema, Mapping):
        return "any JSON"
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return "any JSON" if name == "JsonValue" else name
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema:
            return _join_types(schema[keyword])
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    if "const" in schema:
        return str(schema["const"])
    if schema.get("pattern") is not None and schema["pattern"] in _quantities():
        return _quantities()[schema["pattern"]]
    return _name_of_type(schema)


def _join_types(schemas: list[object]) -> str:
    """Join the names of alternative types; null is left out, and all scalar types are called `scalar`."""
    names = dict.fromkeys(map(type_of, schemas))
    names.pop("null", None)
    if names.keys() >= _SCALARS:
        names = dict.fromkeys(["scalar", *(name for name in names if name not in _SCALARS)])
    return " or ".join(names) or "null"


def _name_of_type(schema: Mapping[str, object]) -> str:
    """Return the name of the type that a schema without alternatives describes."""
    kind = schema.get("type")
    if kind == "array":
        items = schema.get("items")
        return "list" if items is None else f"list of {type_of(items)}"
    if kind == "object":
        values = schema.get("additionalProperties")
        return f"mapping of {type_of(values)}" if isinstance(values, Mapping) and values else "mapping"
    if isinstance(kind, list):
        return " or ".join(_PLAIN.get(str(name), str(name)) for name in kind)
    return _PLAIN.get(str(kind), "any JSON")


@cache
def _quantities() -> dict[str, str]:
    """Return the regular expressions by which the schema shows durations and sizes, with their names."""
    return {
        str(TypeAdapter(annotation).json_schema().get("pattern")): name
        for annotation, name in ((Duration, "duration"), (Size, "size"))
    }


def default_of(schema: object) -> str:
    """Return `default 10s`; empty if the default is null or empty."""
    if not isinstance(schema, Mapping) or schema.get("default") in (None, [], {}, ""):
        return ""
    default = schema["default"]
    if type_of(schema) == "duration" and isinstance(default, int | float):
        return f"default {default:g}s" if default >= 1 or not default else f"default {default * 1000:g}ms"
    return f"default {default if isinstance(default, str) else json.dumps(default)}"
