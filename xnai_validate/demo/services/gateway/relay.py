"""How the response of an upstream reaches the client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus

import h11

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services.gateway import http1
from xnai_validate.demo.services.gateway.http1 import Connection, Fields, LeavingReader
from xnai_validate.demo.settings import Settings


@dataclass(frozen=True, slots=True)
class Client:
    """One request and the connection that it came on."""

    settings: Settings
    connection: Connection
    request: h11.Request
    reader: LeavingReader
    """The reader of the connection, which knows when the client has left."""

    @property
    def method(self) -> bytes:
        """The request's method."""
        return bytes(self.request.method)

    @property
    def target(self) -> str:
        """The request's path and query."""
        return bytes(self.request.target).decode("latin-1")

    def header(self, name: str) -> str:
        """The value of a header field of the request; empty if it has none."""
        return http1.field(self.request, name.encode()).decode("latin-1")


@seam
def added_headers() -> Fields:
    """The header fields that the gateway adds to every response."""
    return [
        (b"Strict-Transport-Security", b"max-age=31536000; includeSubDomains"),
        (b"X-Content-Type-Options", b"nosniff"),
        (b"X-Frame-Options", b"DENY"),
        (b"Referrer-Policy", b"strict-origin-when-cross-origin"),
    ]


@seam
def response_headers(fields: Fields) -> Fields:
    """The header fields of a response as the client gets them, from those of the upstream."""
    added = added_headers()
    replaced = {key.lower() for key, _ in added}
    return [*(pair for pair in fields if pair[0].lower() not in replaced), *added]


async def send_head(client: Client, status: int, reason: bytes, fields: Fields, framing: Fields) -> None:
    """Send the head of the response; a connection whose request was not read to its end is closed after it."""
    closing = [] if client.connection.is_read_to_end else [(b"Connection", b"close")]
    headers = [*response_headers(fields), *framing, *closing]
    await client.connection.send(h11.Response(status_code=status, headers=headers, reason=reason))


async def send_whole(client: Client, status: int, reason: bytes, fields: Fields, body: bytes) -> None:
    """Send a response whose body is complete."""
    await send_head(client, status, reason, fields, [(b"Content-Length", b"%d" % len(body))])
    if client.method != b"HEAD":
        await client.connection.send(h11.Data(data=body))
    await client.connection.send(h11.EndOfMessage())


async def send_own_page(client: Client, status: int, text: str, media_type: str = "text/plain") -> None:
    """Respond with a page of the gateway's own."""
    fields = [
        (b"Content-Type", f"{media_type}; charset=utf-8".encode()),
        (b"Date", formatdate(usegmt=True).encode()),
    ]
    if request_id := client.header("x-request-id"):
        fields.append((b"X-Request-ID", request_id.encode("latin-1")))
    await send_whole(client, status, HTTPStatus(status).phrase.encode(), fields, text.encode())


async def relay(client: Client, response: h11.Response | h11.InformationalResponse, upstream: Connection) -> None:
    """Pass a response on, piece by piece as it comes.

    Raises BadMessage if it is cut short: the client's connection then ends, too, so that the response is never taken
    for a complete one.
    """
    if response.status_code == 101:
        await _tunnel(client, response, upstream)
        return
    fields = http1.end_to_end(response)
    if client.method == b"HEAD" or response.status_code in (204, 304):
        await send_head(client, response.status_code, response.reason, fields, _length(response))
        await client.connection.send(h11.EndOfMessage())
        return
    await pass_on(client, response, fields, upstream.body())


@seam
async def pass_on(
    client: Client, response: h11.Response | h11.InformationalResponse, fields: Fields, pieces: AsyncIterator[bytes]
) -> None:
    """Send head and body of a response, each piece as it arrives."""
    await send_head(client, response.status_code, response.reason, fields, _length(response))
    async for piece in pieces:
        await send_piece(client, piece)
    await client.connection.send(h11.EndOfMessage())


@seam
async def send_piece(client: Client, piece: bytes) -> None:
    """Send a piece of the body."""
    await client.connection.send(h11.Data(data=piece))


def _length(response: h11.Response | h11.InformationalResponse) -> Fields:
    """Return the header Content-Length of a response; no header if it declares no length."""
    length = http1.content_length(response)
    return [] if length is None else [(b"Content-Length", b"%d" % length)]


async def _tunnel(client: Client, response: h11.Response | h11.InformationalResponse, upstream: Connection) -> None:
    """Pass bytes both ways until either side ends."""
    switched = h11.InformationalResponse(status_code=101, headers=response.headers.raw_items(), reason=response.reason)
    await client.connection.send(switched)
    async with asyncio.TaskGroup() as group:
        directions = [
            group.create_task(_copy(client.connection, upstream)),
            group.create_task(_copy(upstream, client.connection)),
        ]
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for direction in directions:
            direction.cancel()


async def _copy(source: Connection, to: Connection) -> None:
    """Pass bytes from one connection to the other until the source ends."""
    with contextlib.suppress(OSError):
        to.write(source.unread)
        while piece := await source.read():
            to.write(piece)
            await to.writer.drain()
