r"""Read an event stream whose frames end in the characters `\n` as if these were line feeds."""

from __future__ import annotations

import json
import re

from xnai_validate.wire.sse.parser import Event, SseParser

LINE_CAP = 64 * 1024
"""A line that grows above this many bytes is passed on as it is."""
_RUN = re.compile(rb"(?:(?:\\r)?\\n)+")
_PAIR = re.compile(rb"(?:\\r)?\\n(?:\\r)?\\n")
_FIELD = re.compile(rb"(data|event|id|retry)?: ?")
_DECODER = json.JSONDecoder()


class LiteralLineEnds:
    r"""Replaces `\n` by a line feed where it ends a field: after JSON, not within; other bytes are unchanged.

    Feed it the bytes of a stream as they arrive, and the parser what it returns. It holds back the line that has not
    ended, of which a parser would make no event either; `rest` gives that out at the end of the stream.
    """

    def __init__(self) -> None:
        self._line = b""

    @property
    def held(self) -> int:
        """The bytes that are held back."""
        return len(self._line)

    def repair(self, chunk: bytes) -> bytes:
        """Return the lines that these bytes complete."""
        lines = (self._line + chunk).splitlines(keepends=True)
        self._line = lines.pop() if lines and lines[-1][-1:] not in b"\r\n" else b""
        complete = [b"".join(_split(line)) for line in lines]
        if self._line:
            repaired, self._line = _split(self._line)
            complete.append(repaired)
        if len(self._line) > LINE_CAP:
            complete.append(self.rest())
        return b"".join(complete)

    def rest(self) -> bytes:
        """Return what is held back, and forget it."""
        line, self._line = self._line, b""
        return line


class LenientSseParser(SseParser):
    r"""A parser that takes `\n` at the end of a field for a line feed, and does not report it as a fault."""

    def __init__(self) -> None:
        super().__init__()
        self._ends = LiteralLineEnds()

    @property
    def held(self) -> int:
        """How much is kept of what has not ended."""
        return super().held + self._ends.held

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete, in order."""
        return super().feed(self._ends.repair(chunk))

    def close(self) -> list[Event]:
        """End the stream, as the parser does."""
        return super().feed(self._ends.rest()) + super().close()


def _split(line: bytes) -> tuple[bytes, bytes]:
    """The repaired frames of a line, and what follows the last of them."""
    repaired: list[bytes] = []
    while b"\\n" in line:
        end = _end_of_field(line)
        run = None if end is None else _RUN.match(line, end)
        if run is None:
            break
        repaired.append(line[: run.start()] + b"\n" * run.group().count(b"\\n"))
        line = line[run.end() :]
    return b"".join(repaired), line


def _end_of_field(line: bytes) -> int | None:
    r"""Where the field that begins the line may end in `\n`; None where it does not."""
    if line.startswith(b"\\"):
        return 0  # the rest of a run that was split between two chunks
    field = _FIELD.match(line)
    if field is None:
        return None
    begin = field.end()
    if field[1] == b"data" and line[begin : begin + 1] in (b"{", b"["):
        text = line[begin:].decode("utf-8", "surrogateescape")
        try:
            _, end = _DECODER.raw_decode(text)
        except (ValueError, RecursionError):
            if text[0] == "{":
                return None
        else:
            return begin + len(text[:end].encode("utf-8", "surrogateescape"))
    ends = _RUN if field[1] in (b"event", b"id", b"retry") else _PAIR
    match = ends.search(line, begin)
    return match.start() if match else None
