"""What is kept of a Redis command for the report of a failure."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.checkers.beside import tcp_server
from tests.wire.redis.scripted import Server, target
from xnai_validate.model.results.exchange import Exchange, recorder
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.client import connect_redis


def recorded(port: int, *command: str | bytes | int) -> Exchange:
    """The exchange of one command, whatever comes of it."""

    async def run() -> tuple[Exchange, ...]:
        connection = await connect_redis(target(port))
        with recorder() as made, suppress(WireError):
            await connection.command(*command)
        await connection.disconnect()
        return made.exchanges()

    [exchange] = asyncio.run(run())
    return exchange


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (b"+PONG\r\n", "PONG"),
        (b"-NOAUTH Authentication required.\r\n", "(error) NOAUTH Authentication required."),
        (b"$-1\r\n", "(nil)"),
        (b":7\r\n", "7"),
        (b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "[a, [1]]"),
    ],
)
def test_the_reply_as_redis_cli_shows_it(reply: bytes, text: str) -> None:
    """Texts, errors, null, numbers and lists are distinguished."""
    with tcp_server(Server(reply)) as port:
        made = recorded(port, "GET", "a key")
    assert (made.request, made.response, made.failure) == ("GET 'a key'", text, None)
    assert made.options == {"-h": "127.0.0.1", "-p": str(port)}


def test_a_command_without_a_reply_has_a_reason() -> None:
    """The server closes instead."""
    with tcp_server(Server(b"", leave=True)) as port:
        made = recorded(port, "PING")
    assert (made.response, made.failure) == (None, "the connection was closed before the reply")


def test_long_lists_and_deep_ones_are_cut() -> None:
    """A reply of a million items is described by its first ones and their number."""
    deep = b"*1\r\n" * 6 + b":1\r\n"
    with tcp_server(Server(b"*50\r\n" + b":1\r\n" * 50)) as port:
        assert str(recorded(port, "LRANGE", "k", 0, -1).response).endswith("1, ... (50 items)]")
    with tcp_server(Server(deep)) as port:
        assert recorded(port, "EVAL").response == "[[[[(1 items)]]]]"
