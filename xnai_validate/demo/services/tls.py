"""The TLS front of Redis in layout B: takes TLS on the advertised port and passes the bytes to Redis on a plain one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

_HANDSHAKE = 0x16
"""First byte of a TLS connection: a record of type handshake (RFC 8446, 5.1)."""
_PATIENCE_S = 5.0
_CHUNK_BYTES = 65536


@seam
def is_accepted(first: int) -> bool:
    """Whether a connection that begins with this byte is served: only TLS is."""
    return first == _HANDSHAKE


async def run(settings: Settings, sockets: dict[str, socket.socket], ready: Callable[[], None]) -> None:
    """Accept on the port `redis` until cancelled; every connection is one task."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.run_dir / "server.pem")
    loop = asyncio.get_running_loop()
    ready()
    async with asyncio.TaskGroup() as group:
        while True:
            connection, _ = await loop.sock_accept(sockets["redis"])
            group.create_task(_serve(settings, connection, context))


async def _serve(settings: Settings, connection: socket.socket, context: ssl.SSLContext) -> None:
    """Terminate one connection; what is not TLS is closed at once."""
    writers: list[asyncio.StreamWriter] = []
    try:
        async with asyncio.timeout(_PATIENCE_S):
            first = await _peek(connection)
            if first is None or not is_accepted(first):
                return
            encrypted = context if first == _HANDSHAKE else None
            client_reader, client = await _streams(connection, encrypted)
            writers.append(client)
            redis_reader, redis = await asyncio.open_connection("127.0.0.1", settings.redis_port)
            writers.append(redis)
        async with asyncio.TaskGroup() as group:
            directions = [
                group.create_task(_copy(client_reader, redis)),
                group.create_task(_copy(redis_reader, client)),
            ]
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            for direction in directions:
                direction.cancel()
    except (OSError, TimeoutError, ssl.SSLError):
        pass  # a refused handshake or a lost peer ends this connection and concerns no other
    finally:
        for writer in writers:
            writer.close()
        if not writers:
            connection.close()


async def _peek(connection: socket.socket) -> int | None:
    """The first byte of a connection, left in place; None if it was closed before."""
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(connection, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(connection)
    data = connection.recv(1, socket.MSG_PEEK)
    return data[0] if data else None


async def _streams(
    connection: socket.socket, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Reader and writer over an accepted socket, as the server's side of TLS if a context is given."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, connection, ssl=context)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    """Pass bytes on until the source ends."""
    with contextlib.suppress(OSError, ssl.SSLError):
        while chunk := await source.read(_CHUNK_BYTES):
            to.write(chunk)
            await to.drain()
