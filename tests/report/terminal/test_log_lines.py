"""Log lines: one for each finished check."""

from __future__ import annotations

from tests.report.runs import CASES
from xnai_validate.report.terminal.log_lines import LogLines


def test_log_lines_name_every_check() -> None:
    """A log has one line a finished check, with its status, and nothing in it can move a cursor."""
    for _, make in CASES.values():
        events = make()
        lines = LogLines()
        texts = [text for event in events if (text := lines.line_of(event)) is not None]
        finished = [text for text in texts if text.startswith("[")]
        assert len(finished) == sum(event.event == "check-finished" for event in events)
        assert all(text.isprintable() for text in texts)
