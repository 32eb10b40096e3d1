"""HTTP/1.1 messages on a byte stream (RFC 9112): as much of it as a reverse proxy needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

HEAD_BYTES = 65536
"""Longest head of a message; also the longest line of a chunked body."""
_PIECE_BYTES = 65536
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "content-length")
)
"""Header fields that concern one connection only, and the framing, which every hop states anew (RFC 9110, 7.6.1)."""


class BadMessage(ValueError):
    """What came is no HTTP/1.x message."""


class LeavingReader(asyncio.StreamReader):
    """A stream reader that tells at once when its peer has left, even while nobody reads."""

    def __init__(self) -> None:
        super().__init__(limit=HEAD_BYTES)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        """Called by the transport at the end of the stream."""
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        """Called by the transport when the connection is lost."""
        super().set_exception(exc)
        self.gone.set()


@dataclass(frozen=True, slots=True)
class Head:
    """The start line, in its three words, and the header fields of a request or a response."""

    start: tuple[str, str, str]
    fields: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The value of a field, all its lines joined by commas; empty where there is none."""
        return ", ".join(value for key, value in self.fields if key.lower() == name)

    @property
    def status(self) -> int:
        """The status code, of a response."""
        return int(self.start[1])

    @property
    def chunked(self) -> bool:
        """Whether the body is in chunks."""
        return self.get("transfer-encoding").lower().endswith("chunked")

    @property
    def length(self) -> int | None:
        """The stated length of the body in bytes."""
        text = self.get("content-length")
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or self.chunked:
            raise BadMessage(f"content-length {text}")
        return int(text)

    def end_to_end(self) -> list[tuple[str, str]]:
        """The fields that are passed on to the next hop."""
        named = {name.strip().lower() for name in self.get("connection").split(",")}
        return [(key, value) for key, value in self.fields if key.lower() not in _HOP_BY_HOP | named]


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """Read the head of the next message; None where the peer closed before one began. Raises BadMessage."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadMessage("the head ends in its middle") from error
        return None
    except asyncio.LimitOverrunError as error:
        raise BadMessage("the head is too long") from error
    lines = raw.decode("latin-1").strip("\r\n").split("\r\n")
    words = lines[0].split(" ", 2)
    start = (words[0], words[1] if len(words) > 1 else "", words[2] if len(words) > 2 else "")
    fields: list[tuple[str, str]] = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadMessage("a header field without a name")
        fields.append((name, value.strip()))
    if "HTTP/1." not in (start[0][:7], start[2][:7]):
        raise BadMessage("no HTTP/1 message")
    if start[0].startswith("HTTP/1.") and not (start[1].isascii() and start[1].isdigit()):
        raise BadMessage("a status that is no number")
    return Head(start, tuple(fields))


def write_head(start: str, fields: list[tuple[str, str]]) -> bytes:
    """The bytes of a head."""
    return (start + "\r\n" + "".join(f"{key}: {value}\r\n" for key, value in fields) + "\r\n").encode("latin-1")


async def read_body(reader: asyncio.StreamReader, head: Head, *, until_eof: bool) -> AsyncIterator[bytes]:
    """The body of a message, piece by piece as it arrives, without its framing.

    `until_eof`: what has no stated length ends with the connection (a response). Raises BadMessage where it breaks off.
    """
    if head.chunked:
        async for piece in _chunks(reader):
            yield piece
        return
    left = head.length
    if left is None and until_eof:
        while piece := await reader.read(_PIECE_BYTES):
            yield piece
        return
    while left:
        piece = await reader.read(min(left, _PIECE_BYTES))
        if not piece:
            raise BadMessage("the body breaks off")
        left -= len(piece)
        yield piece


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """A chunked body (RFC 9112, 7.1); trailers are read and dropped."""
    try:
        while True:
            size = int((await reader.readuntil(b"\r\n")).split(b";", 1)[0], 16)
            if size == 0:
                break
            while size:
                piece = await reader.read(min(size, _PIECE_BYTES))
                if not piece:
                    raise BadMessage("a chunk breaks off")
                size -= len(piece)
                yield piece
            await reader.readexactly(2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
        raise BadMessage("the chunked body breaks off") from error


def chunk(piece: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(piece), piece)


LAST_CHUNK = b"0\r\n\r\n"
