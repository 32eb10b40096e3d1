"""The published schema of the integration report holds for what is written, and refuses other names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.report import runs
from tests.report.hostile_text import report_with
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.integration.compilation import compile_integration
from xnai_validate.report.integration.models import Scope
from xnai_validate.report.integration.rendering import render_integration
from xnai_validate.report.integration.schema import integration_schema
from xnai_validate.report.view import View

SCOPE = Scope(phases=("one", "two"), gaps={"KG-1": "First"}, missing=("two has not run",))


def written(*reports: RunReport) -> dict[str, Any]:
    """The integration report of these runs as JSON."""
    document = json.loads(render_integration(compile_integration(reports, SCOPE), "json", View()))
    assert isinstance(document, dict)
    return document


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """A validator of the schema, which holds the metaschema of 2020-12."""
    schema = integration_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize("name", sorted(runs.CASES))
def test_every_report_is_valid(name: str, validator: Draft202012Validator) -> None:
    """Whatever the run was: with causes, waivers, a comparison, faults, an early end."""
    validator.validate(written(build_report(runs.CASES[name][1]())))


def test_several_runs_and_none_are_valid(validator: Draft202012Validator) -> None:
    """Also with hostile text in every field."""
    validator.validate(written())
    validator.validate(
        written(build_report(runs.passed()), build_report(runs.waived()), report_with("\x1b]\ud800\x00"))
    )


def test_every_name_is_declared_and_described(validator: Draft202012Validator) -> None:
    """An unknown name and another readiness are errors; the names that explain themselves least have a description."""
    document = written(build_report(runs.failed()))
    assert not validator.is_valid({**document, "grade": "A"})
    assert not validator.is_valid({**document, "readiness": {**document["readiness"], "level": "fine"}})
    assert not validator.is_valid({key: value for key, value in document.items() if key != "causes"})
    schema: Any = integration_schema()
    causes = schema["$defs"]["RootCause"]["properties"]
    assert causes["run"]["description"] == "The id of the run that found it."
