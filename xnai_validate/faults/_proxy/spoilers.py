"""What may be done to an answer on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

Headers = list[tuple[bytes, bytes]]
EVERY = 64
"""One byte of so many is turned over, from the first on: an answer of any length is hit."""


class Spoiler(Protocol):
    """What is done to one answer."""

    raw: bool
    """Whether the body is sent without regard to what the head says of it; the connection ends with it."""

    def head(self, headers: Headers) -> Headers:
        """The headers that are sent instead."""

    def body(self, data: bytes) -> bytes:
        """What is sent instead of a piece."""

    def spent(self) -> bool:
        """Whether the connection ends now."""


class Untouched:
    """Nothing."""

    raw = False

    def head(self, headers: Headers) -> Headers:
        """As they are."""
        return headers

    def body(self, data: bytes) -> bytes:
        """As it is."""
        return data

    def spent(self) -> bool:
        """It goes on."""
        return False


class Corrupt(Untouched):
    """Bytes of the body are turned over, wherever pieces begin and end."""

    def __init__(self) -> None:
        self._at = 0

    def body(self, data: bytes) -> bytes:
        """As long as it was."""
        spoiled = bytearray(data)
        for place in range(-self._at % EVERY, len(spoiled), EVERY):
            spoiled[place] ^= 0xFF
        self._at += len(data)
        return bytes(spoiled)


class Truncate(Untouched):
    """The body ends early, and the connection with it."""

    def __init__(self, after: int) -> None:
        self._left, self._cut = after, False

    def body(self, data: bytes) -> bytes:
        """Up to what is left."""
        kept = data[: self._left]
        self._left -= len(kept)
        self._cut = len(kept) < len(data)
        return kept

    def spent(self) -> bool:
        """When something was held back."""
        return self._cut


class Length(Untouched):
    """Content-Length says one byte less than there is; one byte where the answer had none."""

    raw = True

    def head(self, headers: Headers) -> Headers:
        """With a length that is wrong, and no other framing."""
        told = next((value for name, value in headers if name.lower() == b"content-length"), b"2")
        others = [(n, v) for n, v in headers if n.lower() not in (b"content-length", b"transfer-encoding")]
        return [*others, (b"Content-Length", b"%d" % max(int(told) - 1, 0))]


class Without(Untouched):
    """Some headers are not sent."""

    def __init__(self, names: list[str]) -> None:
        self._names = {name.lower().encode() for name in names}

    def head(self, headers: Headers) -> Headers:
        """Those that are left."""
        return [(name, value) for name, value in headers if name.lower() not in self._names]


@dataclass(frozen=True, slots=True)
class Spoiling:
    """Makes the spoiler of each answer."""

    do: str
    after: int = 0
    remove: tuple[str, ...] = ()

    def make(self) -> Spoiler:
        """A new one: it counts what passes."""
        match self.do:
            case "corrupt":
                return Corrupt()
            case "truncate":
                return Truncate(self.after)
            case "length":
                return Length()
            case "headers":
                return Without(list(self.remove))
        raise ValueError(self.do)
