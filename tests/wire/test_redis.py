"""Connections to Redis, against servers that play by a script: what is sent, what is kept, what is told apart."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.certificates import authority
from tests.checkers.beside import Talk, beside, tcp_server
from xnai_validate.errors import Unmeasurable
from xnai_validate.kit import ErrorKind, Target, Tls
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.bounds import REPLY_CAP
from xnai_validate.wire.redis.client import RedisClient, connect_redis
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import RedisRefusal

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


def test_nothing_is_sent_that_nobody_asked_for() -> None:
    """No HELLO, no CLIENT SETINFO, no health check: the password, the database, the command, byte for byte."""
    server = Server(b"+OK\r\n", b"+OK\r\n", PONG)
    with tcp_server(server) as port:
        to = target(port, password="open sesame")
        assert with_connection(to, lambda connection: connection.command("PING"), db=5) == b"PONG"
    assert server.came == [
        b"*2\r\n$4\r\nAUTH\r\n$11\r\nopen sesame\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n" + PING,
    ]


def test_arguments_arrive_as_they_are() -> None:
    """A first argument with spaces, an empty one, a number, a float and bytes that are no text arrive unchanged."""
    server = Server(*[b"+OK\r\n"] * 3)
    with tcp_server(server) as port:
        sent = [("CONFIG GET", "", 7, 0.5, b"\xff\x00"), ("",), (1, 2)]
        with_connection(target(port), lambda connection: connection.pipeline(sent))
    assert server.came == [
        b"*5\r\n$10\r\nCONFIG GET\r\n$0\r\n\r\n$1\r\n7\r\n$3\r\n0.5\r\n$2\r\n\xff\x00\r\n"
        b"*1\r\n$0\r\n\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    ]


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("LOADING Redis is loading the dataset in memory", ErrorKind.PROTOCOL),
        ("OOM command not allowed when used memory > 'maxmemory'.", ErrorKind.PROTOCOL),
        ("ERR max number of clients reached", ErrorKind.PROTOCOL),
        ("READONLY You can't write against a read only replica.", ErrorKind.PROTOCOL),
        ("NOAUTH Authentication required.", ErrorKind.AUTH),
        ("NOPERM this user has no permissions to run the 'ping' command", ErrorKind.AUTH),
    ],
)
def test_errors_keep_the_words_of_the_server(said: str, kind: ErrorKind) -> None:
    """The whole text with its first word is told, also where redis-py has a class for it or the server leaves."""
    with tcp_server(Server(f"-{said}\r\n".encode(), leave=True)) as port:
        refusal = failure_of(target(port))
    assert isinstance(refusal, RedisRefusal)
    assert (refusal.kind, refusal.detail, refusal.code) == (kind, said, said.partition(" ")[0])


def test_a_server_that_turns_one_away_at_the_door_is_heard() -> None:
    """A refusal that comes before any command, followed by the end of the connection, is told in its own words."""

    said = threading.Event()

    async def full(reader: Reader, writer: Writer) -> None:
        writer.write(b"-ERR max number of clients reached\r\n")
        said.set()

    async def use(connection: RedisConnection) -> object:
        await passed(said)
        return await connection.command("PING")

    with tcp_server(full) as port, pytest.raises(RedisRefusal, match="ERR max number of clients reached"):
        with_connection(target(port), use)


@pytest.mark.parametrize(
    "said",
    [
        "ERR AUTH <password> called without any password configured for the default user.",
        "ERR Client sent AUTH, but no password is set",
        "WRONGPASS invalid username-password pair or user is disabled.",
    ],
)
def test_a_refused_password_is_auth(said: str) -> None:
    """Whatever a server says to a password that it does not take is `auth`; any other refusal keeps its kind."""
    with tcp_server(Server(f"-{said}\r\n".encode())) as port:
        refused = failure_of(target(port, password="old"))
    assert (refused.kind, refused.detail) == (ErrorKind.AUTH, said)
    with tcp_server(Server(b"-LOADING not yet\r\n")) as port:
        assert failure_of(target(port, password="old")).kind is ErrorKind.PROTOCOL


def test_errors_within_replies_are_values() -> None:
    """One refused command of a pipeline, and one within a transaction, leave the others and the connection whole."""

    async def use(connection: RedisConnection) -> tuple[list[object], bool]:
        replies = await connection.pipeline([("GET", "a"), ("INCR", "b"), ("EXEC",)])
        return list(replies), connection.quiet

    answers = (b"$1\r\n1\r\n", b"-WRONGTYPE no\r\n", b"*3\r\n:1\r\n-LOADING in the middle\r\n$-1\r\n")
    with tcp_server(Server(*answers)) as port:
        [one, two, three], quiet = with_connection(target(port), use)
    assert (one, str(two), quiet) == (b"1", "WRONGTYPE no", True)
    assert isinstance(two, RedisRefusal)
    assert isinstance(three, list)
    assert (three[0], str(three[1]), three[2]) == (1, "LOADING in the middle", None)


def test_a_reply_is_bounded() -> None:
    """Two large replies pass, one above the cap is `too_large` and ends the connection."""
    large = REPLY_CAP - 2**16  # what was read of the next reply counts, too
    whole = b"$%d\r\n%s\r\n" % (large, b"a" * large)

    async def use(connection: RedisConnection) -> tuple[list[int], ErrorKind, bool]:
        sizes = [len(reply) for reply in await connection.pipeline([("GET", "a"), ("GET", "b")])]  # type: ignore[arg-type]
        with pytest.raises(WireError) as raised:
            await connection.command("GET", "c")
        return sizes, raised.value.kind, connection.usable

    items = b"*%d\r\n" % (REPLY_CAP // 4) + b":1\r\n" * (REPLY_CAP // 4) + b":1\r\n"
    with tcp_server(Server(whole, whole, items)) as port:
        assert with_connection(target(port), use) == ([large, large], ErrorKind.TOO_LARGE, False)


def test_a_command_that_was_given_up_answers_nobody_else() -> None:
    """After a command is cancelled, before or amid its reply, the next one has a new connection and its own reply."""
    asked: list[int] = []

    async def half(reader: Reader, writer: Writer) -> None:
        asked.append(number := len(asked) + 1)
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
    assert asked == [1, 2, 3]


def test_a_dead_connection_says_so_and_stays_dead() -> None:
    """After its end a connection answers `reset`; it does not connect behind our back."""
    server = Server(b"", leave=True)

    async def use(connection: RedisConnection) -> list[ErrorKind]:
        kinds = []
        for _ in range(3):
            with pytest.raises(WireError) as raised:
                await connection.command("PING")
            kinds.append(raised.value.kind)
        return kinds

    with tcp_server(server) as port:
        assert with_connection(target(port), use) == [ErrorKind.RESET] * 3
    assert server.connections == 1


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


def test_a_name_that_does_not_exist_is_dns() -> None:
    """What cannot be looked up is `dns`; a name that can serves as well as an address."""
    assert failure_of(Target("redis", "redis://a..b:6379")).kind is ErrorKind.DNS
    with tcp_server(Server(PONG)) as port:
        to = Target("redis", f"redis://localhost:{port}")
        assert with_connection(to, lambda connection: connection.command("PING")) == b"PONG"


@contextmanager
def tls_server(talk: Talk, context: ssl.SSLContext) -> Iterator[int]:
    """A server on a free port that speaks TLS."""

    async def one(reader: Reader, writer: Writer) -> None:
        try:
            await talk(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    @asynccontextmanager
    async def serving() -> AsyncIterator[int]:
        async with await asyncio.start_server(one, "127.0.0.1", 0, ssl=context) as server:
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
    """A server that wants to know its clients lets the one in that has a certificate, and no other."""
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
