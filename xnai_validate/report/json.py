"""The report as JSON: one document, its names published by `xnai-validate schema report`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING

from xnai_validate.model.json import indented
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.text import printable_json
from xnai_validate.report.view import View

if TYPE_CHECKING:
    from pydantic import TypeAdapter


AT_ONCE = 50
"""Checks that become text together: a whole report of ten thousand would take as much memory as the run."""


def render(report: RunReport, view: View) -> str:
    """The report as an indented JSON document; the same report gives the same bytes."""
    return "".join(pieces(report, view))


def pieces(report: RunReport, view: View) -> Iterator[str]:
    """The document of `render`, piece by piece."""
    document = {field.name: getattr(report, field.name) for field in fields(report)}
    document["checks"] = ()
    # `pass` is a word of Python, so the summary's own name for it is another.
    document["summary"] = {
        field.name.rstrip("_"): getattr(report.summary, field.name) for field in fields(report.summary)
    }
    whole = _text(document)
    if not report.checks:
        yield f"{whole}\n"
        return
    # No text in JSON holds a line end, so only the key of the document itself stands there.
    before, _, after = whole.partition('\n  "checks": []')
    yield f'{before}\n  "checks": ['
    for start in range(0, len(report.checks), AT_ONCE):
        items = _text(report.checks[start : start + AT_ONCE], "\n  ").removeprefix("[").removesuffix("\n  ]")
        yield ("," if start else "") + items
    yield f"\n  ]{after}\n"


def _text(value: object, line: str = "\n") -> str:
    return printable_json(indented(value, line).encode()).decode()


def parse(text: str | bytes) -> RunReport:
    """The report of a JSON document; raises ValueError where it is none."""
    return _adapter().validate_json(text)


@cache
def _adapter() -> TypeAdapter[RunReport]:
    from pydantic import TypeAdapter

    return TypeAdapter(RunReport)
