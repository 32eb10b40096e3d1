"""The run as JSON lines: one event a line, written as it happens; the journal on disk has the same lines."""

from __future__ import annotations

from xnai_validate.model.json import to_json
from xnai_validate.model.results.events import Event
from xnai_validate.report.format import Format


def line(event: Event) -> str:
    """Return one event as one line, with its line end."""
    return to_json(event).decode() + "\n"


FORMAT = Format("jsonl", "events, a line each, as they happen", extensions=(".jsonl", ".ndjson"), line=line)
