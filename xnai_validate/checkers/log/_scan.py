"""Lines of a log, as its bytes come: how many there are, how many match, and the last of those that match."""

from __future__ import annotations

from collections import deque

from xnai_validate.kit import search

LINE_CAP = 4_000
"""Bytes of a line that are read; the rest of it is dropped."""


class Scan:
    """Counts lines. Bytes may come in any pieces, of several streams (such as stdout and stderr)."""

    def __init__(self, match: str | None, ignore: str | None, keep: int) -> None:
        self._match = match
        self._ignore = ignore
        self._begun: dict[int, bytearray] = {}
        """Stream -> the beginning of a line whose end has not come."""
        self.lines = 0
        self.matches = 0
        self.first: str | None = None
        self.last: deque[str] = deque(maxlen=keep)
        """The last lines that match."""

    def feed(self, data: bytes, stream: int = 0) -> None:
        """Take the next bytes of a stream."""
        *whole, rest = data.split(b"\n")
        begun = self._begun.setdefault(stream, bytearray())
        for piece in whole:
            begun += piece[: LINE_CAP - len(begun)]
            self._count_line(bytes(begun))
            begun.clear()
        begun += rest[: LINE_CAP - len(begun)]

    def finish(self) -> None:
        """Count the lines that have no end yet."""
        for begun in self._begun.values():
            if begun:
                self._count_line(bytes(begun))
                begun.clear()

    def _count_line(self, data: bytes) -> None:
        """Count a line, and keep it if it matches."""
        self.lines += 1
        text = data.decode("utf-8", "replace").rstrip("\r")
        if self._match is not None and search(self._match, text) is None:
            return
        if self._ignore is not None and search(self._ignore, text) is not None:
            return
        self.matches += 1
        self.first = text if self.first is None else self.first
        self.last.append(text)
