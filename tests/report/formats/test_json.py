"""The JSON report: valid by its published schema, and read back as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema

from tests.report.runs import CASES
from xnai_validate.model.json import printable_json
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.formats.json import AT_ONCE, parse
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View
from xnai_validate.schema import report_schema


def made(report: RunReport, view: View | None = None) -> str:
    """Return the report in this format."""
    return FORMATS.get("json").text(report, view or View())


def test_json_is_valid_by_its_own_schema() -> None:
    """Every report is valid by the schema made from its model, by the published names, and reads back as it was."""
    schema = report_schema()
    for _, make in CASES.values():
        report = build_report(make())
        text = made(report)
        document = json.loads(text)
        jsonschema.validate(document, schema)
        assert {"format", "tool", "run", "exit_code", "verdict", "summary", "criteria", "checks"} <= set(document)
        assert set(document["summary"]) == {"pass", "flaky", "warn", "fail", "waived", "error", "skip"}
        assert parse(text) == report
        assert made(report, View(width=200, color=True)) == text


def test_a_long_report_is_the_same_document() -> None:
    """However many checks there are, the document is what it would be if it were made at once."""
    report = max((build_report(make()) for _, make in CASES.values()), key=lambda built: len(built.checks))
    for count in (0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE):
        checks = tuple(report.checks[number % len(report.checks)] for number in range(count))
        text = made(replace(report, checks=checks))
        indented = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        assert text == printable_json(indented.encode()).decode() + "\n"
        assert parse(text).checks == checks
