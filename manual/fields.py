"""Tables of the fields of models, out of their JSON Schemas."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from manual.markdown import code, escape, table
from xnai_validate.cli.terminal.type_names import default_of, type_of

Schema = Mapping[str, object]


def fields(schema: Schema, linked: Collection[str] = ()) -> str:
    """Return the table of the properties of an object: name, type, default, description.

    `linked`: names of types that have a heading of their own on the page.
    """
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return "None.\n"
    needed = required if isinstance(required, list) else []
    rows = []
    for name, part in properties.items():
        default = "required" if name in needed else default_of(part).removeprefix("default ")
        text = escape(" ".join(str(part.get("description", "")).split()))
        type_name = re.sub(r"[A-Z]\w+", lambda match: _link(match.group(), linked), _type(part))
        rows.append((code(name), type_name, default if default == "required" else _short(default), text))
    return table(("name", "type", "default", "meaning"), rows)


def objects(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the definitions of a schema that are objects of their own: not those of a kind or a fault."""
    definitions = schema.get("$defs")
    for name, part in definitions.items() if isinstance(definitions, dict) else ():
        own = not set(name) & set(":. ")
        if own and isinstance(part, dict) and "properties" in part:
            yield name, part


def description(schema: Schema) -> str:
    """Return the description of a schema, as prose."""
    return escape(" ".join(str(schema.get("description", "")).split()))


def _link(name: str, linked: Collection[str]) -> str:
    """Return a link to the heading of a type, or its name where it has none."""
    return f"[{name}](#{name.lower()})" if name in linked else name


def _type(part: Schema) -> str:
    names = [name for name in type_of(part).split(" or ") if name != "reference"]
    return escape(" or ".join(names))


def _short(default: str) -> str:
    """Return a default as code; that of an object stands in the object's own table."""
    return "" if default.startswith("{") else code(default)
