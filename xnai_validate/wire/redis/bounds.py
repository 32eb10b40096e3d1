"""Refuse a reply of Redis that announces more than may come, before the parser allocates for it.

hiredis makes a list as long as a header announces before one item has arrived: sixteen bytes from a server would take
gigabytes here. RESP2 and RESP3: https://redis.io/docs/latest/develop/reference/protocol-spec/.
"""

from __future__ import annotations

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError

REPLY_CAP = 16 * 1024 * 1024
"""Bytes of one reply; a larger one ends the connection."""
ITEMS_CAP = 1_000_000
"""Items of all lists and mappings of one reply."""
HEADER_CAP = 64
"""Bytes of an unfinished line that are kept: a header is shorter, and of a longer line only a last CR matters."""
_LISTS = b"*~>"
_MAPS = b"%|"
_TEXTS = b"$=!"


class ReplyBounds:
    """Follows the replies of one connection as they arrive, in pieces of any size; skips over their texts."""

    def __init__(self, text_cap: int = REPLY_CAP) -> None:
        self._text_cap = text_cap
        self._items = 0
        self._skip = 0
        self._line = b""

    def begin(self) -> None:
        """Start to count for another reply."""
        self._items = 0

    def feed(self, data: bytes) -> None:
        """Look at bytes that have arrived. Raises WireError (`too_large`) where they announce more than may come."""
        at = 0
        if self._line:
            data, self._line = self._line + data, b""
        while at < len(data):
            if self._skip:
                skipped = min(self._skip, len(data) - at)
                self._skip -= skipped
                at += skipped
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                self._line = data[at:] if len(data) - at <= HEADER_CAP else data[at : at + HEADER_CAP] + data[-1:]
                return
            self._count_announced(data[at], data[at + 1 : end])
            at = end + 2

    def _count_announced(self, kind: int, size: bytes) -> None:
        """Count the bytes or items that the header of a reply announces. Raises WireError beyond a cap."""
        if kind in _TEXTS and (length := _number(size)) is not None and length >= 0:
            if length > self._text_cap:
                raise WireError(ErrorKind.TOO_LARGE, f"a reply announces a text of {length} bytes")
            self._skip = length + 2
        elif kind in _LISTS or kind in _MAPS:
            self._items += max(0, _number(size) or 0) * (2 if kind in _MAPS else 1)
            if self._items > ITEMS_CAP:
                raise WireError(ErrorKind.TOO_LARGE, f"a reply announces {self._items} items")


def _number(text: bytes) -> int | None:
    """The number in a header; None for anything else, which the parser is going to refuse."""
    try:
        return int(text[:20])
    except ValueError:
        return None
