"""What a reply of Redis announces, looked at before the parser believes it.

hiredis makes a list as long as a header says before a single item has come: sixteen bytes from a server would take
gigabytes here. RESP2 and RESP3: https://redis.io/docs/latest/develop/reference/protocol-spec/.
"""

from __future__ import annotations

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError

ITEMS_CAP = 1_000_000
"""Items of all lists and mappings of one reply."""
LINE_KEPT = 64
"""Bytes of an unfinished line that are kept; a header is shorter, and of the rest only a last CR matters."""
_LISTS = b"*~>"
_MAPS = b"%|"
_TEXTS = b"$=!"


class Announced:
    """Follows the replies of one connection as they arrive, in pieces of any size; texts are passed over unread."""

    def __init__(self, text_cap: int) -> None:
        self._text_cap = text_cap
        self._items = 0
        self._skip = 0
        self._line = b""

    def begin(self) -> None:
        """Another reply is waited for."""
        self._items = 0

    def feed(self, data: bytes) -> None:
        """Look at what has arrived; raises WireError where it announces more than may come."""
        at = 0
        if self._line:
            data, self._line = self._line + data, b""
        while at < len(data):
            if self._skip:
                passed = min(self._skip, len(data) - at)
                self._skip -= passed
                at += passed
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                self._line = data[at:] if len(data) - at <= LINE_KEPT else data[at : at + LINE_KEPT] + data[-1:]
                return
            self._header(data[at], data[at + 1 : end])
            at = end + 2

    def _header(self, kind: int, size: bytes) -> None:
        if kind in _TEXTS and (length := _number(size)) is not None and length >= 0:
            if length > self._text_cap:
                raise WireError(ErrorKind.TOO_LARGE, f"a reply announces a text of {length} bytes")
            self._skip = length + 2
        elif kind in _LISTS or kind in _MAPS:
            self._items += max(0, _number(size) or 0) * (2 if kind in _MAPS else 1)
            if self._items > ITEMS_CAP:
                raise WireError(ErrorKind.TOO_LARGE, f"a reply announces {self._items} items")


def _number(text: bytes) -> int | None:
    """The number in a header; None for what is none, of which the parser is going to complain."""
    try:
        return int(text[:20])
    except ValueError:
        return None
