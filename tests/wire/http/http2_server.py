"""A server of HTTP/2 for tests, on the package h2: it answers every request with its path."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import h2.config
import h2.connection
import h2.events

from tests.checkers.beside import beside, end


async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection (RFC 9113)."""
    state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
    state.initiate_connection()
    writer.write(state.data_to_send())
    while data := await reader.read(65536):
        for event in state.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                path = dict(event.headers)[b":path"]
                headers = [
                    (":status", "200"),
                    ("content-type", "text/plain"),
                    ("set-cookie", "a=1"),
                    ("set-cookie", "b"),
                ]
                state.send_headers(event.stream_id, headers)
                state.send_data(event.stream_id, path, end_stream=True)
        writer.write(state.data_to_send())
    writer.close()


@contextmanager
def http2_server(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A server on a free port, with TLS where a context is given."""
    if context is not None:
        context.set_alpn_protocols(["h2"])

    @asynccontextmanager
    async def serving() -> AsyncIterator[int]:
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await talk(reader, writer)
            except (asyncio.CancelledError, OSError):
                writer.close()
            finally:
                tasks.discard(task)

        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            await end(server, tasks)

    with beside(serving) as port:
        yield port
