"""Workflow commands of GitHub Actions."""

from __future__ import annotations

from hypothesis import given, settings

from tests.report.hostile_text import ANY_TEXT, report_with
from tests.report.runs import CASES, Script
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.report.formats import github
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

FAILED = build_report(CASES["failed"][1]())


def made(report: RunReport) -> str:
    """Return the report in this format."""
    return FORMATS.get("github").text(report, View())


def test_annotations_stand_where_the_check_is_written() -> None:
    """Failed checks are errors at their lines, warned and flaky ones are warnings, the verdict is a notice."""
    lines = made(FAILED).splitlines()
    assert any(line.startswith("::error file=checks/streaming/stream.yaml,line=15,title=fail%3A ") for line in lines)
    warnings = FAILED.summary.warn + FAILED.summary.flaky + len(FAILED.notices)
    assert sum(line.startswith("::warning ") for line in lines) == warnings
    assert lines[-1].startswith("::notice title=")
    assert "FAILED (exit 1)" in lines[-1]


def test_no_more_annotations_than_are_shown() -> None:
    """Of many failures the first are annotated and the last annotation counts the others."""
    script = Script("Many", "many")
    for number in range(25):
        script.check(f"a/b:c{number}", "T", Status.FAIL, reason="no")
    errors = [line for line in made(build_report(script.events())).splitlines() if line.startswith("::error")]
    assert len(errors) == github.SHOWN
    assert errors[-1].endswith("and 16 more problems, which the report has")


@settings(deadline=None, max_examples=150)
@given(ANY_TEXT)
def test_no_text_becomes_a_command(text: str) -> None:
    """Whatever a server sent, there are the annotations of the report and no other line."""
    lines = made(report_with(text)).split("\n")
    assert lines.pop() == ""
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::error", "::error", "::warning", "::notice"]
    for line in lines:
        properties = line.split(" ", 1)[1].partition("::")[0]
        assert all("=" in part for part in properties.split(","))
        assert printable(line) == line
