"""Redis servers that answer by a script, and connections to them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from xnai_validate.kit import Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import connect_redis
from xnai_validate.wire.redis.connection import RedisConnection

T = TypeVar("T")
Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
PING, PONG = b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"


class Server:
    """Answers each command, in order, with what it was given; remembers the bytes that came."""

    def __init__(self, *answers: bytes, leave: bool = False) -> None:
        self.answers = answers
        self.leave = leave
        self.came: list[bytes] = []
        self.connections = 0

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        self.connections += 1
        came = bytearray()
        for answer in self.answers:
            came += await command(reader)
            writer.write(answer)
            await writer.drain()
        self.came.append(bytes(came))
        if not self.leave:
            self.came[-1] += await reader.read()


async def command(reader: Reader) -> bytes:
    """The bytes of one command."""
    read = await reader.readuntil(b"\r\n")
    for _ in range(int(read[1:])):
        length = await reader.readuntil(b"\r\n")
        read += length + await reader.readexactly(int(length[1:]) + 2)
    return read


async def passed(event: threading.Event) -> None:
    """Wait for what a server does, and a while longer, so that it arrives here."""
    assert await asyncio.to_thread(event.wait, 10)
    await asyncio.sleep(0.2)


def target(port: int, **more: object) -> Target:
    return Target("redis", f"redis://127.0.0.1:{port}", **more)  # type: ignore[arg-type]


def with_connection(to: Target, use: Callable[[RedisConnection], Awaitable[T]], **how: object) -> T:
    """What `use` gives on a connection of its own, within a generous time."""

    async def run() -> T:
        async with asyncio.timeout(20):
            connection = await connect_redis(to, **how)  # type: ignore[arg-type]
            try:
                return await use(connection)
            finally:
                connection.abort()

    return asyncio.run(run())


def failure_of(to: Target, *arguments: str | int) -> WireError:
    """Why a command on a new connection has no answer."""
    with pytest.raises(WireError) as raised:
        with_connection(to, lambda connection: connection.command(*arguments or ("PING",)))
    return raised.value
