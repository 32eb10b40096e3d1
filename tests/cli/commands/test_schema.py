"""`schema`: the JSON Schemas of files and reports."""

from __future__ import annotations

import json

import jsonschema

from tests.cli.conftest import Place


def test_schemas_are_schemas_and_fit(place: Place) -> None:
    """Each document has a JSON Schema; that of the report accepts a report."""
    for document in ("suite", "profile", "report", "events"):
        schema = json.loads(place.invoke("schema", document).stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
    report = json.loads(place.run("bad", "--format", "json").stdout)
    jsonschema.validate(report, json.loads(place.invoke("schema", "report").stdout))
