"""JSON, JSON lines, log lines, and how a file's name chooses the format."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from tests.report.runs import CASES
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.events import from_json
from xnai_validate.model.results.report_builder import fold
from xnai_validate.model.text import printable_json
from xnai_validate.report import formats
from xnai_validate.report.json import AT_ONCE, parse, render
from xnai_validate.report.jsonl import line
from xnai_validate.report.lines import Lines
from xnai_validate.report.view import View
from xnai_validate.schema import report_schema


def test_json_is_valid_by_its_own_schema() -> None:
    """Every report is valid by the schema made from its model, by the published names, and reads back as it was."""
    schema = report_schema()
    for _, make in CASES.values():
        report = fold(make())
        text = render(report, View())
        document = json.loads(text)
        jsonschema.validate(document, schema)
        assert {"format", "tool", "run", "exit_code", "verdict", "summary", "criteria", "checks"} <= set(document)
        assert set(document["summary"]) == {"pass", "flaky", "warn", "fail", "error", "skip"}
        assert parse(text) == report
        assert render(report, View(width=200, color=True)) == text


def test_a_long_report_is_the_same_document() -> None:
    """However many checks there are, the document is what it would be if it were made at once."""
    report = max((fold(make()) for _, make in CASES.values()), key=lambda one: len(one.checks))
    for count in (0, 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE):
        checks = tuple(report.checks[number % len(report.checks)] for number in range(count))
        made = render(replace(report, checks=checks), View())
        assert (
            made == printable_json(json.dumps(json.loads(made), indent=2, ensure_ascii=False).encode()).decode() + "\n"
        )
        assert parse(made).checks == checks


def test_json_lines_fold_to_the_same_report() -> None:
    """The lines are the events: read back, they give the same report, byte for byte."""
    for _, make in CASES.values():
        lines = [line(event) for event in make()]
        assert all(one.endswith("\n") and one.count("\n") == 1 for one in lines)
        assert render(fold(map(from_json, lines)), View()) == render(fold(make()), View())


def test_log_lines_name_every_check() -> None:
    """A log has one line a finished check, with its status, and nothing in it can move a cursor."""
    for _, make in CASES.values():
        events = make()
        lines = Lines()
        said = [text for event in events if (text := lines.of(event)) is not None]
        finished = [text for text in said if text.startswith("[")]
        assert len(finished) == sum(event.event == "check-finished" for event in events)
        assert all(text.isprintable() for text in said)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("out/r.json", "json"), ("r.JSONL", "jsonl"), ("a.junit.xml", "junit"), ("a.xml", "junit"), ("r.txt", "terminal")],
)
def test_extension_chooses_the_format(name: str, wanted: str) -> None:
    """A file's extension says in which format the report is written."""
    assert formats.for_file(name).name == wanted


def test_unknown_formats_are_refused_with_a_hint() -> None:
    """An extension or a name without a format is a mistake that says what there is."""
    with pytest.raises(ConfigError, match="cannot be told") as file:
        formats.for_file("report.pdf")
    assert ".json" in (file.value.hint or "")
    with pytest.raises(ConfigError, match="unknown format") as name:
        formats.named("junitt")
    assert name.value.hint == 'did you mean "junit"?'


def test_every_format_renders() -> None:
    """Each format that is made from a report can be imported and gives text."""
    report = fold(CASES["failed"][1]())
    for one in formats.FORMATS.values():
        if not one.streaming:
            assert one.render(report, View()).strip()
