"""What is wrong in the framing of an event stream, by name and number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from enum import StrEnum

NAMES_CAP = 20
NAME_CAP = 100


class FramingFault(StrEnum):
    """What is wrong in the framing of a stream; none of these ends it."""

    LITERAL_NEWLINE = "literal_newline"
    """Frames end in the two characters backslash and n instead of a line feed."""
    UNTERMINATED_FRAME = "unterminated_frame"
    """Frames follow one another without an empty line between, so that they pile up in one event."""
    INCOMPLETE_LAST_BLOCK = "incomplete_last_block"
    """The stream ended in the middle of a block; the standard drops it."""
    UNKNOWN_FIELD = "unknown_field"
    """A line is neither a comment nor one of the fields data, event, id and retry."""
    INVALID_UTF8 = "invalid_utf8"
    """Bytes are not UTF-8; each such sequence became U+FFFD."""
    BOM_INSIDE = "bom_inside"
    """A byte order mark at the beginning of a line that is not the first."""
    NUL_IN_ID = "nul_in_id"
    """An id with a NUL is ignored."""
    BAD_RETRY = "bad_retry"
    """A retry that is not a few ASCII digits is ignored."""
    EVENT_WITHOUT_DATA = "event_without_data"
    """A block names an event type and has no data: nothing is dispatched."""
    LINE_TOO_LONG = "line_too_long"
    """A line above the cap was left out."""
    DATA_TOO_LONG = "data_too_long"
    """The data of one event grew above the cap; the lines above it were left out."""


class FramingFaults:
    """The faults of one stream, as its parser comes across them."""

    def __init__(self) -> None:
        self.counts: dict[FramingFault, int] = {}
        """Fault -> how often, in the order of their appearance."""
        self.unknown_fields: list[str] = []
        """Names of unknown fields, each once, at most 20."""

    def note(self, fault: FramingFault, times: int = 1) -> None:
        """Count a fault."""
        self.counts[fault] = self.counts.get(fault, 0) + times

    def unknown_field(self, name: str) -> None:
        """A field that the standard does not know; a byte order mark before a known one is a fault of its own."""
        if name.startswith("\ufeff"):
            self.note(FramingFault.BOM_INSIDE)
            return
        self.note(FramingFault.UNKNOWN_FIELD)
        name = name[:NAME_CAP]
        if len(self.unknown_fields) < NAMES_CAP and name not in self.unknown_fields:
            self.unknown_fields.append(name)

    def examine_lines(self, lines: Iterable[str]) -> None:
        """Look for literal line ends.

        JSON may well hold backslash-n; one that stands after a value or before a field was probably to be a line end.
        """
        for line in lines:
            name, _, value = line.partition(":")
            if "\\n" not in value or name not in ("data", "event"):
                continue
            if name == "event":
                self.note(FramingFault.LITERAL_NEWLINE)
                continue
            value = value.strip(" ")
            doubled = value.endswith(("\\n\\n", "\\r\\n\\r\\n"))
            glued = "\\ndata:" in value or "\\nevent:" in value
            after_json = value.endswith("\\n") and _is_json(value.removesuffix("\\n").removesuffix("\\r"))
            if doubled or after_json or (glued and not _is_json(value)):
                self.note(FramingFault.LITERAL_NEWLINE)

    def examine_data(self, data: Sequence[str]) -> None:
        """Lines of data that each hold a whole JSON document were probably to be events of their own."""
        if len(data) > 1 and _is_json(data[0]) and _is_json(data[1]):
            self.note(FramingFault.UNTERMINATED_FRAME)


def _is_json(text: str) -> bool:
    """Whether the text is a JSON object or array."""
    if text[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
