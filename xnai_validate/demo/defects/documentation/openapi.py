"""Documentation that is missing or wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xnai_validate.demo.api.app import documentation
from xnai_validate.demo.api.http.openapi import corrected
from xnai_validate.demo.defects.defect import Defect

DOCS_DISABLED = Defect(
    "docs-disabled",
    "The API's documentation pages answer 404.",
    checks=("api/openapi:docs-page", "api/openapi:redoc-page"),
).changes(documentation, lambda paths: replace(paths, docs=None, redoc=None))

MISSING = Defect(
    "openapi-missing",
    "The OpenAPI document answers 404.",
    checks=("api/openapi:served",),
).changes(documentation, lambda paths: replace(paths, openapi=None))


def _without_title(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the document without its `info`, which holds title and version."""
    return {name: value for name, value in schema.items() if name != "info"}


INVALID = Defect(
    "openapi-invalid", "The OpenAPI document lacks its title and version.", checks=("api/openapi:valid",)
).changes(corrected, _without_title)


def _without_stream(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the document without the paths of streams."""
    paths = schema["paths"]
    return schema | {"paths": {path: paths[path] for path in paths if not path.endswith("/stream")}}


OPERATION_MISSING = Defect(
    "openapi-operation-missing",
    "The OpenAPI document lacks the stream.",
    checks=("api/openapi:operations",),
).changes(corrected, _without_stream)


def _with_lies(schema: dict[str, Any]) -> dict[str, Any]:
    """Declare a required field that answers do not have, and `duration_ms` as text."""
    response = schema["components"]["schemas"]["QueryResponse"]
    response["properties"]["confidence"] = {"type": "number"}
    response["properties"]["duration_ms"] = {"type": "string"}
    response["required"].append("confidence")
    return schema


LIES = Defect(
    "openapi-lies",
    "The OpenAPI document promises a field that is never sent, and another type.",
    checks=("api/openapi:conforms",),
).changes(corrected, _with_lies)
