"""Responses that the gateway holds back, packs, replaces or cuts on their way to the client."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import h11

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.gateway import http1
from xnai_validate.demo.services.gateway.gateway import client_left, forward
from xnai_validate.demo.services.gateway.http1 import BadMessage, Fields
from xnai_validate.demo.services.gateway.relay import Client, pass_on, send_own_page, send_piece, send_whole
from xnai_validate.demo.services.gateway.routes import Route

Response = h11.Response | h11.InformationalResponse
PassOn = Callable[[Client, Response, Fields, AsyncIterator[bytes]], Awaitable[None]]
Forward = Callable[[Client, Route], Awaitable[None]]


def _is_stream(response: Response) -> bool:
    """Whether a response is a stream of server-sent events."""
    return http1.field(response, b"content-type").startswith(b"text/event-stream")


BUFFERS = Defect(
    "gateway-buffers",
    "The gateway collects a whole response, streams too, before it passes it on.",
    checks=("streaming/stream:through-gateway",),
)


@BUFFERS.wraps(pass_on)
async def send_at_the_end(
    _: PassOn, client: Client, response: Response, fields: Fields, pieces: AsyncIterator[bytes]
) -> None:
    """Read the whole response, then send it at once."""
    body = b"".join([piece async for piece in pieces])
    await send_whole(client, response.status_code, response.reason, fields, body)


GZIPS_STREAMS = Defect(
    "gateway-gzips-streams",
    "Event streams are compressed, and so come in lumps.",
    checks=("streaming/stream:through-gateway",),
)


@GZIPS_STREAMS.wraps(pass_on)
async def send_compressed(
    pass_on: PassOn, client: Client, response: Response, fields: Fields, pieces: AsyncIterator[bytes]
) -> None:
    """Send a stream compressed by gzip; any other response unchanged."""
    if _is_stream(response):
        await pass_on(client, response, [*fields, (b"Content-Encoding", b"gzip")], _compressed(pieces))
    else:
        await pass_on(client, response, fields, pieces)


async def _compressed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The pieces compressed, without a flush between them: what comes out comes in lumps."""
    compressor = zlib.compressobj(wbits=31)
    async for piece in pieces:
        if packed := compressor.compress(piece):
            yield packed
    yield compressor.flush()


REWRITES_ERRORS = Defect(
    "gateway-rewrites-errors",
    "Errors of the API are replaced by a page of the gateway.",
    checks=("services/gateway:passes-errors", "errors/chain:model-silent-gateway"),
)


@REWRITES_ERRORS.wraps(pass_on)
async def send_error_page(
    pass_on: PassOn, client: Client, response: Response, fields: Fields, pieces: AsyncIterator[bytes]
) -> None:
    """Send a page of the gateway in place of a response with an error status."""
    if response.status_code < 400:
        await pass_on(client, response, fields, pieces)
        return
    title = f"{response.status_code} {bytes(response.reason).decode('latin-1')}"
    await send_own_page(client, response.status_code, f"<html><body><h1>{title}</h1></body></html>\n", "text/html")


CACHES = Defect(
    "gateway-caches",
    "Answers to GET are kept for a minute, health and metrics too.",
    checks=("services/gateway:fresh",),
)
_CACHE_S = 60
_CACHED_BYTES = 1 << 20
_CACHE: dict[tuple[int, str], tuple[float, Response, Fields, bytes]] = {}
"""Port of the gateway and target -> when it expires, and the response."""


def _key(client: Client) -> tuple[int, str]:
    """Return the key under which the response to a request is cached."""
    return client.settings.ports["gateway"], client.target


@CACHES.wraps(forward)
async def send_cached(forward: Forward, client: Client, route: Route) -> None:
    """Send the cached response to a GET request until it expires; forward any other request."""
    expires, response, fields, body = _CACHE.get(_key(client), (0.0, None, [], b""))
    if response is None or client.method != b"GET" or expires <= time.monotonic():
        await forward(client, route)
    else:
        await send_whole(client, response.status_code, response.reason, fields, body)


@CACHES.wraps(pass_on)
async def send_and_keep(
    pass_on: PassOn, client: Client, response: Response, fields: Fields, pieces: AsyncIterator[bytes]
) -> None:
    """Send the response, and cache it if it is a successful one to GET, no stream and not large."""
    if _is_stream(response) or (http1.content_length(response) or 0) >= _CACHED_BYTES:
        await pass_on(client, response, fields, pieces)
        return
    body = b"".join([piece async for piece in pieces])
    if client.method == b"GET" and response.status_code == 200:
        _CACHE[_key(client)] = (time.monotonic() + _CACHE_S, response, fields, body)
    await send_whole(client, response.status_code, response.reason, fields, body)


IMPATIENT = Defect(
    "gateway-impatient",
    "A stream that is silent for half a heartbeat is cut off.",
    checks=("errors/chain:stream-gateway",),
)


@IMPATIENT.wraps(pass_on)
async def send_while_it_flows(
    pass_on: PassOn, client: Client, response: Response, fields: Fields, pieces: AsyncIterator[bytes]
) -> None:
    """Send the response until its upstream is silent for half a heartbeat; then cut it off."""
    patience_s = client.settings.times.heartbeat_s / 2
    await pass_on(client, response, fields, _until_silent(pieces, patience_s))


async def _until_silent(pieces: AsyncIterator[bytes], patience_s: float) -> AsyncIterator[bytes]:
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


KEEPS_UPSTREAM = Defect(
    "gateway-keeps-upstream",
    "When a client leaves, the upstream goes on to the end of its answer.",
    checks=("streaming/cleanup:stops-through-gateway",),
)


@KEEPS_UPSTREAM.wraps(client_left)
async def go_on(_: Callable[[asyncio.Future[None]], Awaitable[None]], answering: asyncio.Future[None]) -> None:
    """Let the upstream go on with its answer although the client has left."""
    await answering


@KEEPS_UPSTREAM.wraps(send_piece)
async def send_if_there(send: Callable[[Client, bytes], Awaitable[None]], client: Client, piece: bytes) -> None:
    """Send a piece of the response, or drop it if the client has left."""
    if not client.reader.gone.is_set():
        await send(client, piece)
