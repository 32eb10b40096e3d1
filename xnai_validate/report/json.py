"""The report as JSON: one document, its names published by `xnai-validate schema report`."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING

from pydantic_core import to_json

from xnai_validate.model.report import RunReport
from xnai_validate.model.text import printable_json
from xnai_validate.report.view import View

if TYPE_CHECKING:
    from pydantic import TypeAdapter


def render(report: RunReport, view: View) -> str:
    """The report as an indented JSON document; the same report gives the same bytes."""
    document = {field.name: getattr(report, field.name) for field in fields(report)}
    # `pass` is a word of Python, so the summary's own name for it is another.
    document["summary"] = {
        field.name.rstrip("_"): getattr(report.summary, field.name) for field in fields(report.summary)
    }
    return printable_json(to_json(document, indent=2)).decode() + "\n"


def parse(text: str | bytes) -> RunReport:
    """The report of a JSON document; raises ValueError where it is none."""
    return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[RunReport]:
    from pydantic import TypeAdapter

    return TypeAdapter(RunReport)
