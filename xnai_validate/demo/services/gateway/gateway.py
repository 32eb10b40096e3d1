"""The gateway: accepts clients, finds the route of each request and asks the upstream.

Streams pass through unbuffered, a client that leaves ends its upstream request, WebSockets are tunnelled, and an
upstream that is down is answered with 502 within a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import h11

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services.gateway import http1
from xnai_validate.demo.services.gateway.http1 import BadMessage, Connection, Fields, LeavingReader
from xnai_validate.demo.services.gateway.relay import Client, relay, send_own_page
from xnai_validate.demo.services.gateway.routes import Route, find_route
from xnai_validate.demo.settings import Settings

CONNECT_S = 1.0
"""Seconds that an upstream has to accept a connection."""
ANSWER_S = 60.0
"""Seconds that an upstream has to begin its response, and that an idle client may keep its connection."""


async def run(settings: Settings, sockets: dict[str, socket.socket], ready: Callable[[], None]) -> None:
    """Serve the port `gateway` until cancelled; every connection is one task."""
    async with asyncio.TaskGroup() as group:

        def connected() -> asyncio.StreamReaderProtocol:
            reader = LeavingReader()

            def begin(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                group.create_task(_serve(settings, reader, writer))

            return asyncio.StreamReaderProtocol(reader, begin)

        server = await asyncio.get_running_loop().create_server(connected, sock=sockets["gateway"])
        async with server:
            ready()
            await server.serve_forever()


async def _serve(settings: Settings, reader: LeavingReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client until it leaves or sends an invalid message."""
    connection = connection_with_client(reader, writer)
    try:
        while (request := await _next_request(connection)) is not None:
            await answer(Client(settings, connection, request, reader))
            if not connection.next_message():
                return
    except (OSError, BadMessage, TimeoutError, h11.LocalProtocolError):
        pass  # this client's connection is lost or of no use; it is closed and concerns no other
    finally:
        writer.close()


@seam
def connection_with_client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Connection:
    """The server's side of a connection that a client has opened."""
    return Connection(h11.SERVER, reader, writer)


async def _next_request(connection: Connection) -> h11.Request | None:
    """The head of the next request; an invalid one is answered with 400. Raises BadMessage, TimeoutError."""
    try:
        async with asyncio.timeout(ANSWER_S):
            return await connection.read_request()
    except BadMessage:
        fields = [(b"Content-Length", b"0"), (b"Connection", b"close")]
        await connection.send(h11.Response(status_code=400, headers=fields), h11.EndOfMessage())
        raise


@seam
async def answer(client: Client) -> None:
    """Answer a request; stop, and drop the upstream request, when the client leaves before the end."""
    answering = asyncio.ensure_future(_forward_or_refuse(client))
    leaving = asyncio.ensure_future(client.reader.gone.wait())
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        await (answering if answering.done() else client_left(answering))
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.wait({answering, leaving})


@seam
async def client_left(answering: asyncio.Future[None]) -> None:
    """End an answer that has no reader any more."""
    answering.cancel()
    raise ConnectionResetError("the client has left")


async def _forward_or_refuse(client: Client) -> None:
    """Forward a request along its route; refuse one without a route."""
    route = find_route(client.settings.layout, client.target)
    await (forward(client, route) if route else refuse(client))


@seam
async def refuse(client: Client) -> None:
    """Answer a request that has no route."""
    await send_own_page(client, 404, "404 not found\n")


@seam
async def forward(client: Client, route: Route) -> None:
    """Ask the upstream of a route and pass its response on."""
    try:
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", client.settings.ports[route.port])
    except (OSError, TimeoutError) as error:
        await upstream_failed(client, route, error)
        return
    with contextlib.closing(writer):
        upstream = Connection(h11.CLIENT, reader, writer)
        try:
            async with asyncio.timeout(ANSWER_S):
                response = await _ask(client, route, upstream)
        except (OSError, TimeoutError, BadMessage) as error:
            await upstream_failed(client, route, error)
            return
        await relay(client, response, upstream)


@seam
async def upstream_failed(client: Client, route: Route, error: Exception) -> None:
    """Answer for an upstream that is down (502) or silent (504), without a body, as Caddy does."""
    if isinstance(error, TimeoutError):
        await send_own_page(client, 504, "")
    else:
        await send_own_page(client, 502, "")


async def _ask(client: Client, route: Route, upstream: Connection) -> h11.Response | h11.InformationalResponse:
    """Send the client's request upstream and read the head of the response. Raises OSError, BadMessage."""
    target = route.target.encode("latin-1")
    with contextlib.suppress(ConnectionError):  # an upstream may answer and close before it has read the whole body
        await upstream.send(h11.Request(method=client.method, target=target, headers=_request_fields(client)))
        async for piece in client.connection.body():
            await upstream.send(h11.Data(data=piece))
        await upstream.send(h11.EndOfMessage())
    return await upstream.read_response()


def _request_fields(client: Client) -> Fields:
    """The header fields of the request as the upstream gets them."""
    fields = request_headers(client)
    fields += [(b"X-Forwarded-For", b"127.0.0.1"), (b"X-Forwarded-Proto", b"http"), (b"Via", b"1.1 gateway")]
    if is_tunnelled(client):
        fields += [(b"Connection", b"Upgrade"), (b"Upgrade", b"websocket")]
    else:
        fields.append((b"Connection", b"close"))
    if http1.field(client.request, b"transfer-encoding"):
        fields.append((b"Transfer-Encoding", b"chunked"))
    elif (length := http1.content_length(client.request)) is not None:
        fields.append((b"Content-Length", b"%d" % length))
    return fields


@seam
def request_headers(client: Client) -> Fields:
    """The header fields of the client that are passed on to the upstream."""
    dropped = (b"expect", b"x-forwarded-for")
    fields = [(key, value) for key, value in http1.end_to_end(client.request) if key.lower() not in dropped]
    return fields if client.header("host") else [(b"Host", b"localhost"), *fields]


@seam
def is_tunnelled(client: Client) -> bool:
    """Whether the connection is to become a WebSocket (RFC 6455, 4.1)."""
    return client.header("upgrade").lower() == "websocket"
