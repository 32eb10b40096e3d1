"""Request bodies that are sent piece by piece, so that a large one is never in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

PIECE = 64 * 1024
"""Bytes of a body that are handed to a connection at once."""


@dataclass(frozen=True, slots=True)
class Padded:
    """A body of which all is the same byte, but for its ends."""

    head: bytes
    filler: bytes
    """One byte."""
    count: int
    """How often it is there."""
    tail: bytes = b""

    def __len__(self) -> int:
        return len(self.head) + self.count + len(self.tail)

    def pieces(self) -> Iterator[bytes]:
        """The body in pieces of at most 64 KiB, its ends aside."""
        yield from filter(None, (self.head,))
        piece = self.filler * min(PIECE, self.count)
        for _ in range(self.count // PIECE):
            yield piece
        yield from filter(None, (piece[: self.count % PIECE], self.tail))


Body = bytes | Padded


def pieces_of(body: Body) -> Iterator[bytes]:
    """A body of either form, in pieces."""
    if isinstance(body, Padded):
        yield from body.pieces()
    else:
        for at in range(0, len(body), PIECE):
            yield body[at : at + PIECE]
