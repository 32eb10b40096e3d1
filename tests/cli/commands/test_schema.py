"""`schema`: the JSON Schemas of files and reports."""

from __future__ import annotations

import json

import jsonschema

from tests.cli.conftest import Place
from xnai_validate.config.files.json_schema import profile_schema, suite_schema
from xnai_validate.schema import events_schema, report_schema

SCHEMAS = {"suite": suite_schema, "profile": profile_schema, "report": report_schema, "events": events_schema}


def test_schemas_are_schemas_and_fit(place: Place) -> None:
    """Each document has its published JSON Schema (tests/test_schema.py); that of the report accepts a report."""
    for document, published in SCHEMAS.items():
        assert json.loads(place.invoke("schema", document).stdout) == published()
    report = json.loads(place.run("bad", "--format", "json").stdout)
    jsonschema.validate(report, json.loads(place.invoke("schema", "report").stdout))
