"""The page of the files: the keys of suites, profiles, recipes, vars, stacks and waivers."""

from __future__ import annotations

from collections.abc import Callable

from manual.fields import Schema, description, fields, objects
from xnai_validate.config.files import json_schema

DOCUMENTS: dict[str, tuple[str, Callable[[], Schema]]] = {
    "profile": ("`profiles/NAME.yaml`", json_schema.profile_schema),
    "suite": ("`checks/CATEGORY/NAME.yaml`", json_schema.suite_schema),
    "recipe": ("`checks/recipes/NAME.yaml`", json_schema.recipe_schema),
    "vars": ("`checks/CATEGORY/NAME.yaml`, named by `vars_files` of a profile", json_schema.vars_schema),
    "stack": ("any file, for `run --stack FILE`", json_schema.stack_schema),
    "waivers": ("`profiles/waivers.yaml`, or `run --waivers FILE`", json_schema.waivers_schema),
}
"""Name of a document -> where it lies, and its schema."""


def page() -> str:
    """Return the text of the page. An object that several documents share stands below the first."""
    parts = [
        "# Files\n",
        "Every key of the files that are read. `xnai-validate schema NAME` prints the JSON Schema for an editor.\n",
    ]
    shown: set[str] = set()
    for name, (place, schema_of) in DOCUMENTS.items():
        schema = schema_of()
        inner_objects = dict(objects(schema))
        new = [inner for inner in inner_objects if inner not in shown]
        shown.update(new)
        parts += [f"## {name}\n", f"{description(schema)} It lies in {place}.\n", fields(schema, shown)]
        for inner in new:
            part = inner_objects[inner]
            parts += [f"### {inner}\n", f"{description(part)}\n", fields(part, shown)]
    return "\n".join(parts)
