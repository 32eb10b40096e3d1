"""Descriptions of the fields of models: the text under each field, for JSON Schemas and `xnai-validate explain`.

pydantic reads these texts with `use_attribute_docstrings`, but then it parses the sources of all models whenever they
are imported. Only schemas and explanations need them, so they are read here, on demand.
"""

from __future__ import annotations

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


def field_descriptions(model: type) -> dict[str, str]:
    """Return name of a field -> the text under it, for a pydantic model or dataclass and its base classes.

    Fields without a text are left out, and so are those of a class whose source is not available.
    """
    descriptions: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if cls.__module__.partition(".")[0] not in ("builtins", "pydantic"):
            descriptions |= _own_descriptions(cls)
    return descriptions


class DescribedSchema(GenerateJsonSchema):
    """Generates the JSON Schema of models in which each property is described by the text under its field."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model, with descriptions."""
        return self._add_descriptions(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """Return the schema of a dataclass, with descriptions."""
        return self._add_descriptions(super().dataclass_schema(schema), schema["cls"])

    def _add_descriptions(self, json_schema: JsonSchemaValue, model: type) -> JsonSchemaValue:
        """Add the text under each field of a model to its JSON Schema."""
        properties = json_schema.get("properties", {})
        fields = getattr(model, "model_fields", {}) or getattr(model, "__pydantic_fields__", {})
        for name, text in field_descriptions(model).items():
            key = fields[name].alias or name if self.by_alias and name in fields else name
            if key in properties:
                properties[key].setdefault("description", text)
        return json_schema


@cache
def _own_descriptions(cls: type) -> dict[str, str]:
    """Return the texts under the fields that a class itself declares."""
    try:
        (definition,) = ast.parse(dedent(inspect.getsource(cls))).body
    except (OSError, TypeError, SyntaxError):
        return {}
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    descriptions = {}
    for statement, text in pairwise(body):
        match statement, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(description))):
                descriptions[name] = inspect.cleandoc(description)
    return descriptions
