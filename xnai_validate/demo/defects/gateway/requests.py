"""Requests that the gateway answers late, one at a time, in an old version of HTTP, or refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

import h11

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.gateway import http1
from xnai_validate.demo.services.gateway.gateway import answer, connection_with_client, forward
from xnai_validate.demo.services.gateway.http1 import Connection
from xnai_validate.demo.services.gateway.relay import Client, send_own_page
from xnai_validate.demo.services.gateway.routes import Route

Answer = Callable[[Client], Awaitable[None]]

SLOW = Defect(
    "gateway-slow",
    "The gateway adds over two seconds to every request.",
    checks=("services/gateway:http-1-1",),
)


@SLOW.wraps(answer)
async def answer_late(answer: Answer, client: Client) -> None:
    """Answer a request after 2.3 seconds."""
    await asyncio.sleep(2.3)
    await answer(client)


ONE_AT_A_TIME = Defect(
    "gateway-one-at-a-time",
    "The gateway handles one request at a time.",
    checks=("performance/load:gateway",),
)
_LOCKS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


@ONE_AT_A_TIME.wraps(answer)
async def answer_in_turn(answer: Answer, client: Client) -> None:
    """Answer a request once the one before is answered."""
    async with _LOCKS.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        await answer(client)


SMALL_BODIES = Defect(
    "gateway-small-bodies",
    "Request bodies above 1 kB are refused with 413.",
    checks=("services/gateway:passes-bodies",),
)


@SMALL_BODIES.wraps(forward)
async def forward_small(forward: Callable[[Client, Route], Awaitable[None]], client: Client, route: Route) -> None:
    """Forward a request whose body is at most 1024 bytes; refuse a larger one with 413."""
    if (http1.content_length(client.request) or 0) > 1024:
        await send_own_page(client, 413, "413 body too large\n")
    else:
        await forward(client, route)


HTTP_1_0 = Defect(
    "gateway-http10",
    "The gateway answers in HTTP/1.0 and closes every connection.",
    checks=("services/gateway:http-1-1",),
)


class OldConnection(Connection):
    """Takes every request for one of HTTP/1.0, and answers in that version."""

    async def read(self) -> bytes:
        """Read some bytes; a start line names version 1.0."""
        return (await super().read()).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)

    def write(self, data: bytes) -> None:
        """Write bytes; a status line names version 1.0."""
        if data.startswith(b"HTTP/1.1 "):
            data = data.replace(b"HTTP/1.1 ", b"HTTP/1.0 ", 1)
        super().write(data)


@HTTP_1_0.wraps(connection_with_client)
def old_connection(
    _: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Connection],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> Connection:
    """Return a connection that speaks HTTP/1.0 with the client."""
    return OldConnection(h11.SERVER, reader, writer)
