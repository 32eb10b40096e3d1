"""One connection: what is sent, how replies and errors are read, and when it ends."""

from __future__ import annotations

import threading

import pytest

from tests.checkers.beside import tcp_server
from tests.wire.redis.scripted import (
    PING,
    PONG,
    Reader,
    Server,
    Writer,
    failure_of,
    passed,
    target,
    with_connection,
)
from xnai_validate.kit import ErrorKind, Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.bounds import REPLY_CAP
from xnai_validate.wire.redis.connection import RedisConnection
from xnai_validate.wire.redis.replies import RedisRefusal


def test_only_the_handshake_and_the_commands_are_sent() -> None:
    """No HELLO, no CLIENT SETINFO, no health check: the password, the database, the command, byte for byte."""
    server = Server(b"+OK\r\n", b"+OK\r\n", PONG)
    with tcp_server(server) as port:
        to = target(port, password="open sesame")
        assert with_connection(to, lambda connection: connection.command("PING"), db=5) == b"PONG"
    assert server.came == [
        b"*2\r\n$4\r\nAUTH\r\n$11\r\nopen sesame\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n" + PING,
    ]


def test_arguments_arrive_as_they_are() -> None:
    """A first argument with spaces, an empty one, a number, a float and bytes that are not text arrive unchanged."""
    server = Server(*[b"+OK\r\n"] * 3)
    with tcp_server(server) as port:
        sent = [("CONFIG GET", "", 7, 0.5, b"\xff\x00"), ("",), (1, 2)]
        with_connection(target(port), lambda connection: connection.pipeline(sent))
    assert server.came == [
        b"*5\r\n$10\r\nCONFIG GET\r\n$0\r\n\r\n$1\r\n7\r\n$3\r\n0.5\r\n$2\r\n\xff\x00\r\n"
        b"*1\r\n$0\r\n\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n"
    ]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("LOADING Redis is loading the dataset in memory", ErrorKind.PROTOCOL),
        ("OOM command not allowed when used memory > 'maxmemory'.", ErrorKind.PROTOCOL),
        ("ERR max number of clients reached", ErrorKind.PROTOCOL),
        ("READONLY You can't write against a read only replica.", ErrorKind.PROTOCOL),
        ("NOAUTH Authentication required.", ErrorKind.AUTH),
        ("NOPERM this user has no permissions to run the 'ping' command", ErrorKind.AUTH),
    ],
)
def test_errors_keep_the_words_of_the_server(message: str, kind: ErrorKind) -> None:
    """The whole text with its first word is kept, also where redis-py has a class for it or the server leaves."""
    with tcp_server(Server(f"-{message}\r\n".encode(), leave=True)) as port:
        refusal = failure_of(target(port))
    assert isinstance(refusal, RedisRefusal)
    assert (refusal.kind, refusal.detail, refusal.code) == (kind, message, message.partition(" ")[0])


def test_a_refusal_before_any_command_is_the_reply() -> None:
    """A refusal that comes before any command, followed by the end of the connection, keeps its own words."""

    refused = threading.Event()

    async def full(reader: Reader, writer: Writer) -> None:
        writer.write(b"-ERR max number of clients reached\r\n")
        refused.set()

    async def use(connection: RedisConnection) -> object:
        await passed(refused)
        return await connection.command("PING")

    with tcp_server(full) as port, pytest.raises(RedisRefusal, match="ERR max number of clients reached"):
        with_connection(target(port), use)


@pytest.mark.parametrize(
    "message",
    [
        "ERR AUTH <password> called without any password configured for the default user.",
        "ERR Client sent AUTH, but no password is set",
        "WRONGPASS invalid username-password pair or user is disabled.",
    ],
)
def test_a_refused_password_is_auth(message: str) -> None:
    """Any refusal of a password is `auth`; any other refusal keeps its kind."""
    with tcp_server(Server(f"-{message}\r\n".encode())) as port:
        refused = failure_of(target(port, password="old"))
    assert (refused.kind, refused.detail) == (ErrorKind.AUTH, message)
    with tcp_server(Server(b"-LOADING not yet\r\n")) as port:
        assert failure_of(target(port, password="old")).kind is ErrorKind.PROTOCOL


def test_errors_within_replies_are_values() -> None:
    """One refused command of a pipeline, and one within a transaction, leave the others and the connection whole."""

    async def use(connection: RedisConnection) -> tuple[list[object], bool]:
        replies = await connection.pipeline([("GET", "a"), ("INCR", "b"), ("EXEC",)])
        return list(replies), connection.is_idle

    answers = (b"$1\r\n1\r\n", b"-WRONGTYPE no\r\n", b"*3\r\n:1\r\n-LOADING in the middle\r\n$-1\r\n")
    with tcp_server(Server(*answers)) as port:
        [first, second, third], is_idle = with_connection(target(port), use)
    assert (first, str(second), is_idle) == (b"1", "WRONGTYPE no", True)
    assert isinstance(second, RedisRefusal)
    assert isinstance(third, list)
    assert (third[0], str(third[1]), third[2]) == (1, "LOADING in the middle", None)


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


def test_a_connection_that_has_ended_is_reset_and_stays_so() -> None:
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


def test_a_name_that_does_not_exist_is_dns() -> None:
    """What cannot be looked up is `dns`; a name that can serves as well as an address."""
    assert failure_of(Target("redis", "redis://a..b:6379")).kind is ErrorKind.DNS
    with tcp_server(Server(PONG)) as port:
        to = Target("redis", f"redis://localhost:{port}")
        assert with_connection(to, lambda connection: connection.command("PING")) == b"PONG"
