"""JSON lines: the events of a run, which give the same report when they are read back."""

from __future__ import annotations

from tests.report.runs import CASES
from xnai_validate.model.results.events import from_json
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.formats.jsonl import line


def test_json_lines_fold_to_the_same_report() -> None:
    """The lines are the events: read back, they give the same report."""
    for _, make in CASES.values():
        lines = [line(event) for event in make()]
        assert all(text.endswith("\n") and text.count("\n") == 1 for text in lines)
        assert build_report(map(from_json, lines)) == build_report(make())
