"""An incremental parser of `text/event-stream`, by the WHATWG HTML standard, section 9.2.6.

What a browser would dispatch comes out as events. What a browser passes over in silence, and the author of a server
must know, is kept beside them: named faults of framing and their counts.
"""

from __future__ import annotations

from typing import NamedTuple

from xnai_validate.wire.sse.event_ids import EventIds
from xnai_validate.wire.sse.framing_faults import FramingFault, FramingFaults

__all__ = ["DATA_CAP", "LINE_CAP", "Event", "FramingFault", "SseParser"]

LINE_CAP = 1024 * 1024
DATA_CAP = 4 * 1024 * 1024
RETRY_DIGITS = 15
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One dispatched event. (A named tuple: a frozen dataclass takes three times as long to make.)"""

    type: str
    """The event field, else `message`."""
    data: str
    id: str
    """The last event id at that time; empty where there was none."""


class SseParser:
    """Feed it the bytes of a stream as they arrive; it gives events. Bounded: `line_cap` bytes, `data_cap` characters.

    Works on whole lines: line ends are ASCII, and no ASCII byte is ever part of another character in UTF-8, so bytes
    may be cut at them first and decoded afterwards, also where they are invalid.
    """

    def __init__(self, *, line_cap: int = LINE_CAP, data_cap: int = DATA_CAP) -> None:
        self.events = 0
        """Events dispatched."""
        self.comments = 0
        """Lines that begin with a colon: heartbeats, most often."""
        self.last_event_id = ""
        """The id of the last block that was ended."""
        self.retry_ms: int | None = None
        """The reconnection time that the server asked for."""
        self.ids = EventIds()
        self._faults = FramingFaults()
        self._line_cap, self._data_cap = line_cap, data_cap
        self._beginning: bytes | None = b""
        """What has arrived while a byte order mark may still begin the stream; None from then on."""
        self._after_cr = False
        self._held: list[bytes] = []
        self._held_size = 0
        """Bytes of the line that has not ended; beyond the cap its bytes are counted and not kept."""
        self._data: list[str] = []
        self._size = 0
        self._type = ""
        self._id = ""
        self._open = False
        """Whether the present block has a field."""

    @property
    def faults(self) -> dict[FramingFault, int]:
        """Fault -> how often, in the order of their appearance."""
        return self._faults.counts

    @property
    def unknown_fields(self) -> list[str]:
        """Names of unknown fields, each once, at most 20."""
        return self._faults.unknown_fields

    @property
    def held(self) -> int:
        """How much is kept of what has not ended: the bytes of a line and the characters of an event's data."""
        return self._size + (self._held_size if self._held_size <= self._line_cap else 0)

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete, in order."""
        if self._beginning is not None:
            chunk = self._without_bom(chunk)
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk[0] == 10:  # the line feed of a CRLF that was split
                chunk = chunk[1:]
        if b"\r" in chunk:
            self._after_cr = chunk[-1] == 13
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = chunk.rfind(b"\n") + 1
        if not end:
            if chunk:
                self._hold_part(chunk)
            return []
        if end == len(chunk):
            whole, rest = chunk, b""
        else:
            whole, rest = chunk[:end], chunk[end:]
        if self._held_size:
            whole = self._prepend_held(whole)
        if len(whole) > self._line_cap:
            whole = self._drop_long_lines(whole)
        if rest:
            self._hold_part(rest)
        return self._parse(whole) if whole else []

    def close(self) -> list[Event]:
        """End the stream: an incomplete block is dropped and recorded as a framing fault, so no event comes of it."""
        if self._beginning:
            self._hold_part(self._beginning)
        self._beginning = None
        if 0 < self._held_size <= self._line_cap:
            line = self._decode(b"".join(self._held))
            if line[0] != ":":
                self._open = True
            if "\\n" in line:
                self._faults.examine_lines((line,))
            if line.startswith("data:"):
                self._data.append(line[5:].removeprefix(" "))
        elif self._held_size:
            self._faults.note(FramingFault.LINE_TOO_LONG)
            self._open = True
        if self._open:
            self._faults.note(FramingFault.INCOMPLETE_LAST_BLOCK)
            self._faults.examine_data(self._data)
        self._held, self._held_size, self._data, self._open = [], 0, [], False
        return []

    def _without_bom(self, chunk: bytes) -> bytes:
        """Remove a byte order mark from the start of the stream; return no bytes until that is clear."""
        begun = (self._beginning or b"") + chunk
        if len(begun) < len(_BOM) and _BOM.startswith(begun):
            self._beginning = begun
            return b""
        self._beginning = None
        return begun.removeprefix(_BOM)

    def _hold_part(self, part: bytes) -> None:
        """Hold the begin of a line until its end comes; a line beyond the cap is dropped."""
        self._held_size += len(part)
        if self._held_size <= self._line_cap:
            self._held.append(part)
        else:
            self._held.clear()

    def _prepend_held(self, whole: bytes) -> bytes:
        """Put the held begin of a line before the chunk that ends it; note a line that is too long."""
        if self._held_size <= self._line_cap:
            whole = b"".join((*self._held, whole))
        else:  # the rest of a line that is too long already
            self._faults.note(FramingFault.LINE_TOO_LONG)
            whole = whole[whole.index(b"\n") + 1 :]
        self._held.clear()
        self._held_size = 0
        return whole

    def _drop_long_lines(self, whole: bytes) -> bytes:
        """Drop the lines that are longer than the cap, and note them."""
        lines = whole.split(b"\n")
        kept = [line for line in lines if len(line) <= self._line_cap]
        if len(kept) < len(lines):
            self._faults.note(FramingFault.LINE_TOO_LONG, len(lines) - len(kept))
        return b"\n".join(kept)

    def _decode(self, whole: bytes) -> str:
        """Decode as UTF-8 with replacement characters, and note the invalid sequences."""
        try:
            return whole.decode()
        except UnicodeDecodeError:
            text = whole.decode("utf-8", "replace")
            self._faults.note(FramingFault.INVALID_UTF8, text.count("\ufffd") - whole.count(b"\xef\xbf\xbd"))
            return text

    def _parse(self, whole: bytes) -> list[Event]:
        """Whole lines, each ended by a line feed."""
        lines = self._decode(whole).split("\n")
        lines.pop()
        if b"\\n" in whole:
            self._faults.examine_lines(lines)
        events: list[Event] = []
        data = self._data
        for line in lines:
            if line.startswith("data:"):
                value = line[6:] if line.startswith(" ", 5) else line[5:]
                if self._size:
                    self._append_data(value)
                else:
                    # One is for the line feed that the standard appends, so that empty data counts too.
                    self._size = len(value) + 1
                    self._open = True
                    if self._size > self._data_cap:
                        value = self._cut_data(value)
                    data.append(value)
            elif line:
                self._field(line)
            elif self._open:
                self.last_event_id = self._id
                if self._size:
                    if len(data) == 1:
                        value = data[0]
                    else:
                        self._faults.examine_data(data)
                        value = "\n".join(data)
                    events.append(Event(self._type or "message", value, self._id))
                    data.clear()
                    self._size = 0
                elif self._type:
                    self._faults.note(FramingFault.EVENT_WITHOUT_DATA)
                self._type = ""
                self._open = False
        self.events += len(events)
        return events

    def _append_data(self, value: str) -> None:
        """Append a line of data to the event; note an event beyond the cap."""
        if self._size + len(value) >= self._data_cap:
            self._size = self._data_cap  # nothing fits from here on
            self._faults.note(FramingFault.DATA_TOO_LONG)
            return
        self._size += len(value) + 1
        self._data.append(value)

    def _cut_data(self, value: str) -> str:
        """Cut a line of data to the cap and note it."""
        self._size = self._data_cap
        self._faults.note(FramingFault.DATA_TOO_LONG)
        return value[: self._data_cap]

    def _field(self, line: str) -> None:
        """Any line but `data:` and an empty one."""
        name, colon, value = line.partition(":")
        if not name and colon:
            self.comments += 1
            return
        value = value.removeprefix(" ")
        if name == "event":
            if self._type and self._size:
                self._faults.note(FramingFault.UNTERMINATED_FRAME)
            self._type = value
        elif name == "id":
            if "\0" in value:
                self._faults.note(FramingFault.NUL_IN_ID)
            else:
                self._id = value
                self.ids.take(value)
        elif name == "retry":
            self._set_retry(value)
        elif name == "data":  # without a colon: an empty line of data
            if self._size:
                self._append_data("")
            else:
                self._size = 1
                self._data.append("")
        else:
            self._faults.unknown_field(name)
            return
        self._open = True

    def _set_retry(self, value: str) -> None:
        """Set the reconnection time; a value that is not only digits is ignored and noted."""
        if value.isascii() and value.isdecimal() and len(value) <= RETRY_DIGITS:
            self.retry_ms = int(value)
        else:
            self._faults.note(FramingFault.BAD_RETRY)
