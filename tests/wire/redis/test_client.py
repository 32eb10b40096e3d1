"""Connections that are kept for the next use, and TLS as the target sets it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tests.certificates import authority
from tests.checkers.beside import Talk, beside, tcp_server
from tests.wire.redis.scripted import (
    PONG,
    Reader,
    Server,
    Writer,
    command,
    failure_of,
    passed,
    target,
    with_connection,
)
from xnai_validate.errors import Unmeasurable
from xnai_validate.kit import ErrorKind, Target, Tls
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import RedisClient, connect_redis


def test_the_reply_of_a_cancelled_command_is_never_that_of_another() -> None:
    """After a command is cancelled, before or amid its reply, the next one has a new connection and its own reply."""
    connections: list[int] = []

    async def half(reader: Reader, writer: Writer) -> None:
        connections.append(number := len(connections) + 1)
        await command(reader)
        writer.write((b"", b"$10\r\nold", b"+new\r\n")[number - 1])
        await reader.read()

    async def use(port: int) -> tuple[list[object], bool]:
        replies: list[object] = []
        async with asyncio.timeout(20), RedisClient(target(port)) as client:
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.5), client.connection() as given_up:
                        await given_up.command("GET", "old")
            async with client.connection() as connection:
                replies.append(await connection.command("GET", "new"))
        return replies, given_up.usable

    with tcp_server(half) as port:
        assert asyncio.run(use(port)) == ([b"new"], False)
    assert connections == [1, 2, 3]


@pytest.mark.parametrize("how", ["kept", "left", "reset", "spoke"])
def test_a_connection_is_kept_only_while_it_is_in_order(how: str) -> None:
    """An idle connection serves again; one that the server left, reset or spoke on unasked gives way to a new one."""
    connections = 0
    served, done = threading.Event(), threading.Event()

    async def serve(reader: Reader, writer: Writer) -> None:
        nonlocal connections
        connections += 1
        await command(reader)
        writer.write(PONG)
        await asyncio.to_thread(served.wait, 10)
        if how == "spoke":
            writer.write(b"+unasked\r\n")
        if how == "reset":
            linger = struct.pack("ii", 1, 0)  # close() then resets
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        done.set()
        if how in ("kept", "spoke"):
            await command(reader)
            writer.write(PONG)
            await reader.read()

    async def use(port: int) -> list[bool]:
        used = []
        async with asyncio.timeout(20), RedisClient(target(port)) as client:
            for _ in range(2):
                async with client.connection() as connection:
                    assert await connection.command("PING") == b"PONG"
                    used.append(connection.used)
                served.set()
                await passed(done)
        return used

    with tcp_server(serve) as port:
        assert asyncio.run(use(port)) == [False, how == "kept"]
    assert connections == (1 if how == "kept" else 2)


@contextmanager
def tls_server(talk: Talk, context: ssl.SSLContext) -> Iterator[int]:
    """A server on a free port that speaks TLS."""

    async def handle(reader: Reader, writer: Writer) -> None:
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    @asynccontextmanager
    async def serving() -> AsyncIterator[int]:
        async with await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context) as server:
            yield server.sockets[0].getsockname()[1]

    with beside(serving) as port:
        yield port


def test_tls_follows_the_target(tmp_path: Path) -> None:
    """Authority, name and `verify` of the target decide; what does not verify is `tls`; an unread file is our fault."""
    ours = authority(tmp_path)

    async def pong(reader: Reader, writer: Writer) -> None:
        await command(reader)
        writer.write(PONG)
        await reader.read()

    with tls_server(pong, ours.server("redis.internal")) as port:
        to = f"rediss://127.0.0.1:{port}"

        def ping(tls: Tls) -> object:
            return with_connection(Target("redis", to, tls=tls), lambda connection: connection.command("PING"))

        assert ping(Tls(ca=ours.ca, server_name="redis.internal")) == b"PONG"
        assert ping(Tls(verify=False)) == b"PONG"
        for tls in (Tls(ca=ours.ca), Tls(), Tls(ca=ours.ca, server_name="other.internal")):
            with pytest.raises(WireError, match="certificate does not verify") as raised:
                ping(tls)
            assert raised.value.kind is ErrorKind.TLS
        with pytest.raises(Unmeasurable, match="authority"):
            ping(Tls(ca=str(tmp_path / "none.pem")))


def test_a_client_certificate_is_shown(tmp_path: Path) -> None:
    """A server that requires client certificates admits the client that has one, and no other."""
    ours = authority(tmp_path)
    context = ours.server("127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ours.ca)
    own = str(tmp_path / "server.pem")
    with tls_server(Server(PONG), context) as port:
        to = f"rediss://127.0.0.1:{port}"
        known = Target("redis", to, tls=Tls(ca=ours.ca, cert=own, key=own))
        assert with_connection(known, lambda connection: connection.command("PING")) == b"PONG"
        assert failure_of(Target("redis", to, tls=Tls(ca=ours.ca))).kind in (ErrorKind.TLS, ErrorKind.RESET)


def test_a_server_without_tls_or_silent_in_it_leaves_nothing_open() -> None:
    """A handshake that is answered with plain text is `tls` or `reset`; one that is not answered can be given up."""

    async def plain(reader: Reader, writer: Writer) -> None:
        await reader.read(1)
        writer.write(b"-ERR unknown command\r\n")
        await writer.drain()

    async def mute(reader: Reader, writer: Writer) -> None:
        await reader.read()
        gone.set()

    async def give_up(port: int) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await connect_redis(Target("redis", f"rediss://127.0.0.1:{port}"))

    gone = threading.Event()
    with tcp_server(plain) as port:
        assert failure_of(Target("redis", f"rediss://127.0.0.1:{port}")).kind in (ErrorKind.TLS, ErrorKind.RESET)
    with tcp_server(mute) as port:
        asyncio.run(give_up(port))
        assert gone.wait(10)
