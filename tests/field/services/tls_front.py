"""TLS in front of Redis, as stunnel does it: the bundled redis-server speaks none."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress

from tests.field.settings import Settings


async def serve(settings: Settings) -> None:
    """Pass connections on until cancelled."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{settings.folder}/server.pem")

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner = await asyncio.open_connection("127.0.0.1", settings.ports["redis_inner"])
        except OSError:
            writer.transport.abort()
            return
        there = asyncio.create_task(_copy(reader, inner[1]))
        await _copy(inner[0], writer)
        there.cancel()

    server = await asyncio.start_server(handle, "127.0.0.1", settings.ports["redis"], ssl=context)
    async with server:
        await server.serve_forever()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
