"""A proxy of TCP connections that keeps every byte, and can be cut like a cable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

from tests.checkers.beside import beside, end


class TcpProxy:
    """Carries bytes both ways until it is cut; then connections stay open and nothing arrives."""

    def __init__(self, host: str, to_port: int) -> None:
        self.port = 0
        self.carried = bytearray()
        self.is_cut = False
        self._host, self._to_port = host, to_port

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client with the server."""
        try:
            there, back = await asyncio.open_connection(self._host, self._to_port)
        except OSError:
            writer.transport.abort()
            return
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, back))
                group.create_task(self._carry(there, writer))
        finally:
            back.transport.abort()
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.is_cut:
                    continue
                self.carried += data
                writer.write(data)
                await writer.drain()
            if not self.is_cut:
                writer.close()


@contextmanager
def tcp_proxy(to_port: int, host: str = "127.0.0.1", port: int = 0) -> Iterator[TcpProxy]:
    """A proxy that listens at an address, before the port of the same address."""

    @asynccontextmanager
    async def serving() -> AsyncIterator[TcpProxy]:
        proxy = TcpProxy(host, to_port)
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            with suppress(asyncio.CancelledError):
                await proxy.handle(reader, writer)
            tasks.discard(task)

        server = await asyncio.start_server(handle, host, port)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            await end(server, tasks)

    with beside(serving) as proxy:
        yield proxy
