"""The report as text for a person."""

from __future__ import annotations

from collections.abc import Iterator

from xnai_validate.model.results.report import RunReport
from xnai_validate.report.format import Format
from xnai_validate.report.terminal.report import report_text
from xnai_validate.report.view import View


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the report as one text."""
    yield report_text(report, view)


FORMAT = Format("terminal", "text for a person", extensions=(".txt",), render=render)
