"""The texts under the fields of a model, read only when somebody asks for them.

pydantic can take them itself (`use_attribute_docstrings`), but then parses the source of every module at import, which
took a fifth of the start of a run.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class DocumentedValue:
    """A dataclass whose fields are documented by the text under them, also in its JSON Schema."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        fields = getattr(cls, "model_fields", {})
        for name, text in field_docs(cls).items():
            for written in (name, fields[name].alias if name in fields else None):
                if written in properties:
                    properties[written].setdefault("description", text)
        return schema


def field_docs(model: type) -> dict[str, str]:
    """Field -> the text under it, those of base classes included; empty where the source is not at hand."""
    docs: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if one.__module__.partition(".")[0] not in ("builtins", "pydantic"):
            docs |= _classes(one.__module__).get(one.__qualname__, {})
    fields: Iterable[str] = getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", {})
    return {name: text for name, text in docs.items() if name in fields}


@cache
def _classes(module: str) -> dict[str, dict[str, str]]:
    """Class -> attribute -> text, for every class at the top of a module and within those."""
    import ast
    import inspect

    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError, SyntaxError, KeyError):
        return {}
    found: dict[str, dict[str, str]] = {}
    open_: list[tuple[str, ast.AST]] = [("", tree)]
    while open_:
        prefix, node = open_.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                found[prefix + child.name] = _attributes(child)
                open_.append((f"{prefix}{child.name}.", child))
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                open_.append((f"{prefix}{child.name}.<locals>.", child))
    return found


def _attributes(node: ast.ClassDef) -> dict[str, str]:
    import ast
    import inspect

    docs: dict[str, str] = {}
    for statement, after in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            docs[statement.target.id] = inspect.cleandoc(after.value.value)
    return docs
