"""An incremental parser of newline-delimited JSON: one JSON document a line, as Ollama's own API streams it.

The format has no RFC; its conventions (UTF-8, line feeds, empty lines passed over) are those of ndjson-spec 1.0 and
of JSON Lines.
"""

from __future__ import annotations

import json
from enum import StrEnum

from xnai_validate.wire.sse.parser import LINE_CAP, Event

MEDIA_TYPES = (
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/json-lines",
    "application/jsonlines",
    "application/x-json-stream",
)
"""Media types under which servers send NDJSON; none of them is registered."""


class LineFault(StrEnum):
    """What is wrong in the lines of a stream; none of these ends it."""

    INCOMPLETE_LAST_LINE = "incomplete_last_line"
    """The stream ended within a JSON document."""
    INVALID_UTF8 = "invalid_utf8"
    """A line is not UTF-8; each such sequence became U+FFFD."""
    LINE_TOO_LONG = "line_too_long"
    """A line above the cap was left out."""


class NdjsonParser:
    """Feed it the bytes of a stream as they arrive; it gives an event of the type `message` for each line.

    Whether a line is JSON is for the reader of the events to see.
    """

    comments = 0
    """NDJSON has none."""

    def __init__(self, *, line_cap: int = LINE_CAP) -> None:
        self.events = 0
        """Lines that were returned as events."""
        self.faults: dict[LineFault, int] = {}
        """Fault -> how often, in the order of their appearance."""
        self.unknown_fields: list[str] = []
        self._line_cap = line_cap
        self._held: list[bytes] = []
        self._held_size = 0

    @property
    def held(self) -> int:
        """Bytes that are kept of a line that has not ended."""
        return min(self._held_size, self._line_cap)

    def feed(self, chunk: bytes) -> list[Event]:
        """Return the events that these bytes complete, in order."""
        *lines, rest = chunk.split(b"\n")
        events: list[Event] = []
        for line in lines:
            self._hold_part(line)
            events += self._end_of_line()
        self._hold_part(rest)
        return events

    def close(self) -> list[Event]:
        """End the stream. The last line needs no line feed; where it is not a whole document, that is a fault."""
        text = b"".join(self._held).strip()
        if text and self._held_size <= self._line_cap and not _is_json(text.decode("utf-8", "replace")):
            self._count_fault(LineFault.INCOMPLETE_LAST_LINE)
            self._held, self._held_size = [], 0
            return []
        return self._end_of_line()

    def _hold_part(self, part: bytes) -> None:
        """Hold the begin of a line until its end comes; a line beyond the cap is dropped."""
        self._held_size += len(part)
        if self._held_size <= self._line_cap:
            self._held.append(part)
        else:
            self._held.clear()

    def _end_of_line(self) -> list[Event]:
        """Return the line that has ended as an event; nothing for an empty line or one that is too long."""
        line, size = b"".join(self._held), self._held_size
        self._held, self._held_size = [], 0
        if size > self._line_cap:
            self._count_fault(LineFault.LINE_TOO_LONG)
            return []
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("utf-8", "replace")
            self._count_fault(LineFault.INVALID_UTF8)
        text = text.strip("\r\t ")
        if not text:
            return []
        self.events += 1
        return [Event("message", text, "")]

    def _count_fault(self, fault: LineFault) -> None:
        """Count a fault of a line."""
        self.faults[fault] = self.faults.get(fault, 0) + 1


def _is_json(text: str) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
