"""The JSON Schema (draft 2020-12) of the integration report, as `xnai-validate schema integration` prints it."""

from __future__ import annotations

from pydantic import TypeAdapter

from xnai_validate.model.field_descriptions import DescribedSchema
from xnai_validate.model.json import JsonObject
from xnai_validate.report.integration.models import IntegrationReport


def integration_schema() -> JsonObject:
    """The schema of the integration report in JSON."""
    adapter = TypeAdapter(IntegrationReport)
    made = adapter.json_schema(by_alias=True, schema_generator=DescribedSchema, mode="serialization")
    return {"$schema": DescribedSchema.schema_dialect, **made, "title": "Integration report of xnai-validate"}
