"""`schema`: the JSON Schemas of files and reports."""

from __future__ import annotations

import json

from jsonschema_rs import Draft202012Validator

from tests.cli.conftest import Place
from xnai_validate.config.files.json_schema import profile_schema, suite_schema
from xnai_validate.schema import events_schema, report_schema

SCHEMAS = {"suite": suite_schema, "profile": profile_schema, "report": report_schema, "events": events_schema}


def test_schemas_are_schemas_and_fit(place: Place) -> None:
    """Each document has its published JSON Schema (tests/test_schema.py); that of the report accepts a report."""
    printed = {document: json.loads(place.invoke("schema", document).stdout) for document in SCHEMAS}
    for document, published in SCHEMAS.items():
        assert printed[document] == published()
    report = json.loads(place.run("bad", "--format", "json").stdout)
    Draft202012Validator(printed["report"]).validate(report)
