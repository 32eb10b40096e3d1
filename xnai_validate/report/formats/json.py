"""The report as one JSON document; its schema is published by `xnai-validate schema report`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache

from pydantic import TypeAdapter

from xnai_validate.model.json import indented, printable_json
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.format import Format
from xnai_validate.report.view import View

AT_ONCE = 50
"""Items that become text together: a whole report of ten thousand checks would take as much memory as the run."""
_LONG = ("checks", "causes")
"""The lists of a report with an item a check, in the order of the document."""


def render(report: RunReport, view: View) -> Iterator[str]:
    """Yield the document, indented; the same report gives the same bytes."""
    document = {field.name: () if field.name in _LONG else getattr(report, field.name) for field in fields(report)}
    # `pass` is a keyword of Python, so the attribute of the summary has another name.
    document["summary"] = {
        field.name.rstrip("_"): getattr(report.summary, field.name) for field in fields(report.summary)
    }
    rest = _format_json(document)
    for name in _LONG:
        # JSON escapes line ends in texts, so this line can only be the key of the document itself.
        before, key, rest = rest.partition(f'\n  "{name}": [')
        yield before + key
        yield from _items(getattr(report, name))
    yield f"{rest}\n"


def _items(values: tuple[object, ...]) -> Iterator[str]:
    """Yield the items of a list of the document, some at a time; of an empty list, nothing."""
    for start in range(0, len(values), AT_ONCE):
        items = _format_json(values[start : start + AT_ONCE], "\n  ").removeprefix("[").removesuffix("\n  ]")
        yield ("," if start else "") + items
    if values:
        yield "\n  "


def parse(text: str | bytes) -> RunReport:
    """Return the report of a JSON document; raises ValueError if it is not valid."""
    return _report_adapter().validate_json(text)


def _format_json(value: object, line: str = "\n") -> str:
    """Format a value as indented JSON."""
    # Half a surrogate pair becomes a question mark: many parsers refuse its escape.
    return printable_json(indented(value, line).encode(errors="replace")).decode()


@cache
def _report_adapter() -> TypeAdapter[RunReport]:
    """Return the pydantic adapter of the report."""
    return TypeAdapter(RunReport)


FORMAT = Format("json", "the whole run as one document", extensions=(".json",), render=render)
