"""The report as JSON: one document, its names published by `xnai-validate schema report`."""

from __future__ import annotations

from xnai_validate.model.report import RunReport
from xnai_validate.report.view import View


def render(report: RunReport, view: View) -> str:
    """The report as an indented JSON document; the same report gives the same bytes."""
    return report.model_dump_json(by_alias=True, indent=2) + "\n"
