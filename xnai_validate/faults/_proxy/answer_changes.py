"""What a proxy may do to an answer on its way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Headers = list[tuple[bytes, bytes]]
EVERY = 64
"""One byte of this many is inverted, beginning with the first: an answer of any length is changed."""


class AnswerChange(Protocol):
    """Changes one answer."""

    raw: bool
    """Whether the body is sent without the framing that the headers announce; the connection ends with it."""

    def head(self, headers: Headers) -> Headers:
        """Return the headers to send."""

    def body(self, data: bytes) -> bytes:
        """Return the bytes to send for a piece of the body."""

    def is_over(self) -> bool:
        """Whether the connection is to end now."""


class Unchanged:
    """Changes nothing."""

    raw = False

    def head(self, headers: Headers) -> Headers:
        """Return the headers as they are."""
        return headers

    def body(self, data: bytes) -> bytes:
        """Return the piece as it is."""
        return data

    def is_over(self) -> bool:
        """Return false."""
        return False


class Corrupt(Unchanged):
    """Inverts bytes of the body, wherever pieces begin and end."""

    def __init__(self) -> None:
        self._at = 0

    def body(self, data: bytes) -> bytes:
        """Return as many bytes, some of them inverted."""
        changed = bytearray(data)
        for at in range(-self._at % EVERY, len(changed), EVERY):
            changed[at] ^= 0xFF
        self._at += len(data)
        return bytes(changed)


class Truncate(Unchanged):
    """Ends the body early, and the connection with it."""

    def __init__(self, after: int) -> None:
        self._left, self._cut = after, False

    def body(self, data: bytes) -> bytes:
        """Return the bytes up to the limit."""
        kept = data[: self._left]
        self._left -= len(kept)
        self._cut = len(kept) < len(data)
        return kept

    def is_over(self) -> bool:
        """Whether some bytes were dropped."""
        return self._cut


class WrongLength(Unchanged):
    """Announces one byte less than the body has; one byte if the answer had no Content-Length."""

    raw = True

    def head(self, headers: Headers) -> Headers:
        """Return the headers with a wrong length, and no other framing."""
        length = next((value for name, value in headers if name.lower() == b"content-length"), b"2")
        others = [(n, v) for n, v in headers if n.lower() not in (b"content-length", b"transfer-encoding")]
        return [*others, (b"Content-Length", b"%d" % max(int(length) - 1, 0))]


class WithoutHeaders(Unchanged):
    """Removes headers."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = {name.lower().encode() for name in names}

    def head(self, headers: Headers) -> Headers:
        """Return the headers that remain."""
        return [(name, value) for name, value in headers if name.lower() not in self._names]


def new_change(do: str, after: int, remove: Sequence[str]) -> AnswerChange:
    """Return a change for one answer; it counts the bytes that pass. Raises ValueError for an unknown name."""
    match do:
        case "corrupt":
            return Corrupt()
        case "truncate":
            return Truncate(after)
        case "length":
            return WrongLength()
        case "headers":
            return WithoutHeaders(remove)
    raise ValueError(do)
