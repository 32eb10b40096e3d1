"""The run as JSON lines: one event a line, as they happen; the journal on disk has the same lines."""

from __future__ import annotations

from xnai_validate.model.results.events import Event, to_json


def line(event: Event) -> str:
    """One event as one line, with its line end."""
    return to_json(event).decode() + "\n"
