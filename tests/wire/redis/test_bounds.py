"""What a reply announces is refused before it is believed, however it is cut into pieces."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.checkers.beside import tcp_server
from tests.context import observe
from xnai_validate.kit import ErrorKind, Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.redis.bounds import ITEMS_CAP, ReplyBounds

CAP = 1000
REPLIES = b"+OK\r\n:5\r\n$-1\r\n*-1\r\n$9\r\n*9999999\r\n\r\n*2\r\n$3\r\na\r\n\r\n-ERR *9999999\r\n%1\r\n+a\r\n_\r\n"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    "evil", [b"*9999999\r\n", b"%999999\r\n", b"$1001\r\n", b"*600000\r\n*600000\r\n", b">9999999\r\n"]
)
def test_an_announcement_is_seen_in_any_pieces(step: int, evil: bytes) -> None:
    """Texts that look like headers are passed over; a real one is seen wherever the pieces are cut."""
    follower = ReplyBounds(CAP)
    feed(follower, REPLIES + b"+" + b"x" * 500 + b"\r\n", step)
    with pytest.raises(WireError) as raised:
        feed(follower, evil, step)
    assert raised.value.kind is ErrorKind.TOO_LARGE


def test_items_are_counted_for_each_reply() -> None:
    """A connection may give as many items as it likes, one reply after the other."""
    follower = ReplyBounds(CAP)
    for _ in range(3):
        follower.begin()
        follower.feed(b"*%d\r\n" % ITEMS_CAP)


@pytest.mark.parametrize("kind", ["redis.ping", "redis.info", "redis.roundtrip"])
def test_a_header_takes_neither_memory_nor_time(kind: str) -> None:
    """Sixteen bytes that announce four thousand million items are an error at once."""
    facts = served(b"*4294967295\r\n", kind)
    assert (facts["error"], "items" in str(facts["error_detail"])) == ("too_large", True)


def test_a_flood_of_pushed_messages_is_a_protocol_error() -> None:
    """Messages that a server pushes though RESP2 was agreed on end the connection, however many come."""
    facts = served(b">2\r\n+a\r\n+b\r\n" * 100, "redis.ping")
    assert (facts["error"], "pushes messages" in str(facts["error_detail"])) == ("protocol", True)


@pytest.mark.parametrize("kind", ["key", "keys", "stream", "info", "ping", "roundtrip", "pubsub", "command"])
@pytest.mark.parametrize(
    "reply",
    [b":-5\r\n", b"+stream\r\n", b"+zset\r\n", b"*2\r\n+zset\r\n+x\r\n", b"#t\r\n", b",nan\r\n", b"*0\r\n", b"%0\r\n"],
)
def test_absurd_replies_are_facts(kind: str, reply: bytes) -> None:
    """A server that answers everything with the same nonsense breaks no checker."""
    with_: dict[str, dict[str, Any]] = {
        "key": {"key": "k"},
        "stream": {"key": "k"},
        "keys": {"pattern": "*"},
        "command": {"command": ["PING"]},
    }
    served(reply, f"redis.{kind}", **with_.get(kind, {}))


@pytest.mark.parametrize("number", ["nan", "-5", "inf", "9" * 5000, "x"])
def test_numbers_of_info_that_cannot_be_are_unknown(number: str) -> None:
    """What INFO claims becomes a fact only where it can be one."""
    text = f"uptime_in_seconds:{number}\r\nmem_fragmentation_ratio:{number}\r\nused_memory:{number}\r\n".encode()
    facts = served(b"$%d\r\n%s\r\n" % (len(text), text), "redis.info")
    assert (facts["error"], facts["uptime_s"], facts["used_memory_mib"]) == (None, None, None)


def feed(follower: ReplyBounds, data: bytes, step: int) -> None:
    """The data in pieces of that size."""
    for at in range(0, len(data), step):
        follower.feed(data[at : at + step])


def served(reply: bytes, kind: str, **with_: Any) -> dict[str, object]:
    """The facts of a check on a server that answers everything with the same bytes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            writer.write(reply * 50)
            await writer.drain()

    with tcp_server(talk) as port:
        seen = observe(kind, Target("redis", f"redis://127.0.0.1:{port}"), timeout="300ms", **with_)
    return dict(seen.facts)
