"""The gateway's way back: how an upstream's answer reaches the client."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

from xnai_validate.demo.services import http1
from xnai_validate.demo.services.http1 import BadMessage, Head, LeavingReader
from xnai_validate.demo.settings import Settings

SECURITY = {
    "gateway-no-hsts": ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    "gateway-no-nosniff": ("X-Content-Type-Options", "nosniff"),
    "gateway-no-frame-options": ("X-Frame-Options", "DENY"),
    "gateway-no-referrer-policy": ("Referrer-Policy", "strict-origin-when-cross-origin"),
}
"""Header fields that every answer carries, by the name of the defect that drops them."""

_KEPT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Client:
    """One request and the connection it came on."""

    settings: Settings
    reader: LeavingReader
    writer: asyncio.StreamWriter
    head: Head

    @property
    def wants_websocket(self) -> bool:
        """Whether the request asks for a WebSocket (RFC 6455, 4.1)."""
        return self.head.get("upgrade").lower() == "websocket"

    @property
    def modern(self) -> bool:
        """Whether the answer may be in chunks and the connection be used again."""
        return self.head.start[2] != "HTTP/1.0" and not self.settings.broken("gateway-http10")

    @property
    def stays(self) -> bool:
        """Whether the client wants to use the connection again."""
        return self.modern and "close" not in self.head.get("connection").lower()

    def send_head(
        self,
        status: int,
        reason: str,
        fields: list[tuple[str, str]],
        framing: list[tuple[str, str]],
        *,
        ends: bool = False,
    ) -> None:
        """Write the head of the answer with what the gateway adds to it."""
        added = _security(self.settings)
        replaced = {key.lower() for key, _ in added}
        if self.settings.broken("gateway-eats-request-id"):
            replaced.add("x-request-id")
        if self.settings.broken("gateway-drops-retry-after"):
            replaced.add("retry-after")
        kept = [(key, value) for key, value in fields if key.lower() not in replaced]
        closing = [] if self.stays and not ends else [("Connection", "close")]
        version = "HTTP/1.0" if self.settings.broken("gateway-http10") else "HTTP/1.1"
        self.writer.write(http1.write_head(f"{version} {status} {reason}", [*kept, *added, *framing, *closing]))

    async def send_whole(self, answer: Head, body: bytes, *, ends: bool = False) -> bool:
        """Send an answer whose body is complete; whether the connection can carry another one, which `ends` denies."""
        framing = [("Content-Length", str(len(body)))]
        self.send_head(answer.status, answer.start[2], answer.end_to_end(), framing, ends=ends)
        if self.head.start[0] != "HEAD":
            self.writer.write(body)
        await self.writer.drain()
        return self.stays and not ends


def _security(settings: Settings) -> list[tuple[str, str]]:
    dropped = {
        "gateway-no-hsts": settings.broken("gateway-no-hsts"),
        "gateway-no-nosniff": settings.broken("gateway-no-nosniff"),
        "gateway-no-frame-options": settings.broken("gateway-no-frame-options"),
        "gateway-no-referrer-policy": settings.broken("gateway-no-referrer-policy"),
    }
    return [header for defect, header in SECURITY.items() if not dropped[defect]]


async def own_page(client: Client, status: int, text: str, media_type: str = "text/plain") -> bool:
    """Answer with a page of the gateway's own; whether the connection can carry another request.

    It cannot where the request has a body, for that may still be unread.
    """
    body = text.encode()
    fields = [("Content-Type", f"{media_type}; charset=utf-8"), ("Date", formatdate(usegmt=True))]
    if request_id := client.head.get("x-request-id"):
        fields.append(("X-Request-ID", request_id))
    has_body = client.head.chunked or bool(client.head.length)
    answer = Head(("HTTP/1.1", str(status), HTTPStatus(status).phrase), tuple(fields))
    return await client.send_whole(answer, body, ends=has_body)


async def relay(
    client: Client, answer: Head, answers: asyncio.StreamReader, upstream: asyncio.StreamWriter
) -> tuple[bool, bytes | None]:
    """Pass an answer on, piece by piece as it comes.

    Returns whether the connection can carry another request, and the body where the gateway keeps bodies. An answer
    that breaks off ends the client's connection, too, so that it is never taken for a complete one.
    """
    settings = client.settings
    if answer.status == 101:
        await _tunnel(client, answer, answers, upstream)
        return False, None
    bare = client.head.start[0] == "HEAD" or answer.status in (204, 304)
    if bare:
        stated = [("Content-Length", str(answer.length))] if answer.length is not None else []
        client.send_head(answer.status, answer.start[2], answer.end_to_end(), stated)
        await client.writer.drain()
        return client.stays, None
    pieces = http1.read_body(answers, answer, until_eof=True)
    if settings.broken("gateway-rewrites-errors") and answer.status >= 400:
        page = f"<html><body><h1>{answer.status} {answer.start[2]}</h1></body></html>\n"
        return await own_page(client, answer.status, page, "text/html"), None
    is_stream = answer.get("content-type").startswith("text/event-stream")
    keeps = settings.broken("gateway-caches") and not is_stream and (answer.length or 0) < _KEPT_BYTES
    if keeps or settings.broken("gateway-buffers"):
        body = b"".join([piece async for piece in pieces])
        return await client.send_whole(answer, body), body if keeps else None
    fields = answer.end_to_end()
    if settings.broken("gateway-gzips-streams") and is_stream:
        fields.append(("Content-Encoding", "gzip"))
        pieces = _gzipped(pieces)
    if settings.broken("gateway-impatient"):
        pieces = _impatient(pieces, settings.times.heartbeat_s / 2)
    return await _pass_on(client, answer, fields, pieces), None


async def _pass_on(client: Client, answer: Head, fields: list[tuple[str, str]], pieces: AsyncIterator[bytes]) -> bool:
    """Send head and pieces with a framing that the client understands."""
    in_chunks = answer.length is None and client.modern
    framing = [("Content-Length", str(answer.length))] if answer.length is not None else []
    client.send_head(
        answer.status, answer.start[2], fields, [("Transfer-Encoding", "chunked")] if in_chunks else framing
    )
    async for piece in pieces:
        if client.reader.gone.is_set():
            continue  # only where the gateway keeps its upstream although the client has left
        client.writer.write(http1.chunk(piece) if in_chunks else piece)
        await client.writer.drain()
    if in_chunks:
        client.writer.write(http1.LAST_CHUNK)
    await client.writer.drain()
    return client.stays and (in_chunks or answer.length is not None)


async def _tunnel(client: Client, answer: Head, answers: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> None:
    """Pass bytes both ways until either side ends."""
    client.writer.write(http1.write_head(f"HTTP/1.1 101 {answer.start[2]}", list(answer.fields)))
    async with asyncio.TaskGroup() as group:
        directions = [
            group.create_task(_copy(client.reader, upstream)),
            group.create_task(_copy(answers, client.writer)),
        ]
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for direction in directions:
            direction.cancel()


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await source.read(65536):
            to.write(piece)
            await to.drain()


async def _gzipped(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces compressed, without a flush between them: what comes out comes in lumps."""
    compressor = zlib.compressobj(wbits=31)
    async for piece in pieces:
        if packed := compressor.compress(piece):
            yield packed
    yield compressor.flush()


async def _impatient(pieces: AsyncIterator[bytes], patience_s: float) -> AsyncIterator[bytes]:
    """The pieces, until one takes too long."""
    iterator = aiter(pieces)
    while True:
        try:
            async with asyncio.timeout(patience_s):
                piece = await anext(iterator)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise BadMessage("the stream was silent for too long") from error
        yield piece
