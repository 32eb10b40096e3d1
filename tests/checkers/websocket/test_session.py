"""WebSocket sessions against a real server, and against sockets that misbehave."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol
from websockets.utils import accept_key

from tests.checkers.beside import beside, tcp_server
from tests.context import observe
from xnai_validate.checkers.websocket import _connection as websocket
from xnai_validate.kit import Observed, Target, Unmeasurable
from xnai_validate.model.source_location import InvalidConfig
from xnai_validate.model.target import Auth
from xnai_validate.model.trace_context import TRACEPARENT

Handler = Callable[[ServerConnection], Awaitable[None]]


@contextmanager
def server(handler: Handler, **options: Any) -> Iterator[Target]:
    @asynccontextmanager
    async def open_() -> AsyncIterator[int]:
        async with serve(handler, "127.0.0.1", 0, close_timeout=1, **options) as listening:
            yield next(iter(listening.sockets)).getsockname()[1]

    with beside(open_) as port:
        yield Target("api", f"http://127.0.0.1:{port}/api")


async def stack(socket: ServerConnection) -> None:
    """The agent bus of the stack, in small."""
    await socket.send(json.dumps({"type": "connected", "path": socket.request.path if socket.request else None}))
    replies = {"ping": "pong", "status": "status_response", "broadcast": "broadcast_ack", "task": "task_ack"}
    async for message in socket:
        try:
            kind = json.loads(message)["type"]
        except ValueError:
            await socket.send('{"type": "error"}')
            continue
        await socket.send(json.dumps({"type": replies.get(kind, "warning")}))


def session(handler: Handler, options: dict[str, Any] | None = None, **with_: Any) -> Observed:
    with server(handler, **(options or {})) as target:
        return observe("websocket.session", target, **with_)


def test_a_session_is_answered_message_by_message() -> None:
    """Greeting, answers and their types, the last ping and the closing are all known; the default rules hold."""
    sent = [{"type": "ping"}, {"type": "task", "payload": {"text": "ü"}}, "{not json", {"type": "dance"}]
    seen = session(stack, path="/ws/lobby/did:x", greetings=1, send=sent)
    facts = seen.facts
    assert seen.held, seen.findings
    assert facts["handshake_status"] == 101
    assert facts["greetings"] == [{"type": "connected", "path": "/api/ws/lobby/did:x"}]
    assert facts["greeting_types"] == ["connected"]
    assert facts["reply_types"] == ["pong", "task_ack", "error", "warning"]
    assert facts["replies"][0] == {"type": "pong"}
    assert facts["unanswered"] == 0
    assert facts["roundtrip_ms"] > 0
    assert facts["pong_ms"] > 0
    assert (facts["closed_by"], facts["close_code"]) == ("client", 1000)


def test_the_handshake_carries_the_trace_of_the_check() -> None:
    """The handshake is a request of the check: it has its `traceparent`, unless the check sends one itself."""
    headers: list[str | None] = []

    async def handler(socket: ServerConnection) -> None:
        assert socket.request is not None
        headers.append(socket.request.headers.get("traceparent"))
        await stack(socket)

    session(handler, greetings=1)
    token = TRACEPARENT.set("00-ours")
    try:
        session(handler, greetings=1)
        session(handler, greetings=1, headers={"Traceparent": "00-own"})
    finally:
        TRACEPARENT.reset(token)
    assert headers == [None, "00-ours", "00-own"]


def test_root_leaves_the_prefix_out() -> None:
    """A path below the root does not carry the target's prefix."""
    facts = session(stack, path="/ws", root=True, greetings=1).facts
    assert facts["greetings"] == [{"type": "connected", "path": "/ws"}]


@pytest.mark.parametrize(
    ("userinfo", "auth", "headers", "header"),
    [
        ("ann:pa%40ss@", None, {}, "Basic YW5uOnBhQHNz"),
        ("ann@", None, {}, "Basic YW5uOg=="),
        ("", Auth("basic", "ann", "pa@ss"), {}, "Basic YW5uOnBhQHNz"),
        ("", Auth("bearer", secret="token"), {}, "Bearer token"),
        ("ann:pa@", None, {"authorization": "Own words"}, "Own words"),
        ("", None, {}, None),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_credentials_are_those_of_http(
    scheme: str, userinfo: str, auth: Auth | None, headers: dict[str, str], header: str | None
) -> None:
    """User and password of the url, percent-decoded, or `auth` of the target; a header of the check replaces them."""
    seen: list[list[str]] = []

    async def greet(socket: ServerConnection) -> None:
        assert socket.request is not None
        seen.append(socket.request.headers.get_all("Authorization"))
        await socket.wait_closed()

    with server(greet) as target:
        url = (target.url or "").replace("http://", f"{scheme}://{userinfo}")
        found = observe("websocket.session", replace(target, url=url, auth=auth), path="/ws", headers=headers)
    assert found.held, found.findings
    assert seen == [[header] if header else []]


def test_a_digest_challenge_is_not_answered() -> None:
    """The credentials would be ignored in silence otherwise."""
    target = Target("api", "http://127.0.0.1:1", auth=Auth("digest", "ann", "pass"))
    with pytest.raises(Unmeasurable, match="no Digest challenge"):
        observe("websocket.session", target, path="/ws")


def test_a_server_that_closes_is_distinguished_from_one_that_survives() -> None:
    """A connection that dies of bad JSON leaves the code of the server, and what it did not answer."""

    async def fragile(socket: ServerConnection) -> None:
        await socket.send('{"type": "connected"}')
        async for message in socket:
            try:
                json.loads(message)
                await socket.send('{"type": "pong"}')
            except ValueError:
                await socket.close(1011, "bad input")

    seen = session(fragile, greetings=1, send=[{"type": "ping"}, "{", {"type": "ping"}])
    facts = seen.facts
    assert facts["error"] is None
    assert (facts["closed_by"], facts["close_code"], facts["close_reason"]) == ("server", 1011, "bad input")
    assert (facts["survived"], facts["unanswered"], facts["reply_types"]) == (False, 2, ["pong"])
    assert {finding.fact for finding in seen.findings if not finding.held} == {"unanswered", "survived"}


def test_a_connection_cut_without_a_word_is_the_network() -> None:
    """No close frame: the network ended the connection, neither side did."""

    async def cut(socket: ServerConnection) -> None:
        await socket.recv()
        socket.transport.abort()

    facts = session(cut, send=["x"]).facts
    assert facts["survived"] is False
    assert (facts["closed_by"], facts["close_code"]) == ("network", None)
    assert facts["unanswered"] == 1 or facts["error"] == "reset"


def test_missing_answers_are_counted() -> None:
    """A message without an answer in time counts, and the session goes on."""

    async def picky(socket: ServerConnection) -> None:
        async for message in socket:
            if message != "quiet":
                await socket.send(message)

    facts = session(picky, send=["a", "quiet", "b"], reply_timeout="500ms").facts
    assert (facts["replies"], facts["unanswered"], facts["survived"]) == (["a", None, "b"], 1, True)


def test_ignored_types_are_no_answers() -> None:
    """Heartbeats between do not count as answers."""

    async def chatty(socket: ServerConnection) -> None:
        async for message in socket:
            for _ in range(3):
                await socket.send('{"type": "heartbeat"}')
            await socket.send(message)

    facts = session(chatty, send=[{"type": "ping"}, {"type": "task"}], ignore=["heartbeat"]).facts
    assert facts["reply_types"] == ["ping", "task"]
    assert facts["passed_over"] == 6


def test_a_refused_handshake_is_an_answer() -> None:
    """A 403 is a status with its reason, not an error; the default rules fail by the status first."""

    async def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus.FORBIDDEN, "no\n")

    seen = session(stack, {"process_request": refuse}, send=["x"])
    assert (seen.facts["error"], seen.facts["handshake_status"], seen.facts["survived"]) == (None, 403, None)
    assert "403" in seen.facts["refusal"]
    assert next(finding.fact for finding in seen.findings if not finding.held) == "handshake_status"


def test_subprotocol_and_headers_are_negotiated() -> None:
    """The offered subprotocol comes back, and our headers reach the server."""
    got: list[str | None] = []

    async def note(socket: ServerConnection) -> None:
        got.append(socket.request.headers.get("X-Agent") if socket.request else None)

    options = {"subprotocols": [Subprotocol("bus.v2"), Subprotocol("bus.v1")]}
    facts = session(note, options, subprotocols=["bus.v1"], headers={"X-Agent": "probe"}).facts
    assert (facts["subprotocol"], got) == ("bus.v1", ["probe"])


def test_large_messages_end_the_session() -> None:
    """A message above the cap is too large, also when it comes in fragments."""

    async def flood(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send(["x" * 600, "y" * 600])
        await socket.wait_closed()

    small = session(flood, send=["go"], max_message=1000).facts
    assert (small["error"], small["survived"]) == ("too_large", False)
    large = session(flood, send=["go"], max_message=1200).facts
    assert large["replies"] == ["x" * 600 + "y" * 600]


def test_messages_are_sent_with_a_pause_between_them() -> None:
    """`every` parts the messages: none before the first, one between each answer and the next message."""
    arrived: list[float] = []

    async def noting(socket: ServerConnection) -> None:
        async for message in socket:
            arrived.append(asyncio.get_running_loop().time())
            await socket.send(message)

    facts = session(noting, send=["a", "b", "c"], every="60ms").facts
    assert facts["replies"] == ["a", "b", "c"]
    assert all(later - earlier >= 0.05 for earlier, later in pairwise(arrived))


def test_staying_answers_the_servers_pings() -> None:
    """A server that pings us finds us alive as long as we stay."""

    async def checking(socket: ServerConnection) -> None:
        for _ in range(3):
            await (await socket.ping())
        await socket.send('{"type": "alive"}')
        await socket.wait_closed()

    facts = session(checking, greetings=1, stay="200ms").facts
    assert (facts["greeting_types"], facts["survived"]) == (["alive"], True)


def test_silence_garbage_and_refusal_are_errors() -> None:
    """No answer is a time-out, no HTTP is a protocol error, no server is refused, an early end is a reset."""

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await writer.drain()
        await reader.read()

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    found = {}
    for talk in (mute, garbage, early):
        with tcp_server(talk) as port:
            target = Target("api", f"ws://127.0.0.1:{port}")
            found[talk.__name__] = observe(
                "websocket.session", target, timeout="500ms" if talk is mute else "10s"
            ).facts["error"]
    found["gone"] = observe("websocket.session", target).facts["error"]
    assert found == {"mute": "timeout", "garbage": "protocol", "early": "reset", "gone": "refused"}


HELLO = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept the WebSocket; what follows is up to the test, frame by frame."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    writer.write(HELLO + accept_key(key).encode() + b"\r\n\r\n")


def flooded(frames: bytes) -> dict[str, Any]:
    """The facts of a session with a server that shakes hands, then sends these frames for ever and reads nothing."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        while True:
            writer.write(frames)
            await writer.drain()

    with tcp_server(talk) as port:
        target = Target("api", f"http://127.0.0.1:{port}")
        with_: dict[str, Any] = {"greetings": 1, "reply_timeout": "15s", "timeout": "20s"}
        return dict(observe("websocket.session", target, **with_).facts)


@pytest.mark.parametrize("frames", [b"\x81\x02\xff\xfe", b"\x01\x02\xc3\xbc\x80\x01\xc3", b"\x81\x03\xed\xa0\x80"])
def test_a_text_message_that_is_not_utf8_is_a_protocol_error(frames: bytes) -> None:
    """RFC 6455 section 8.1: it fails the connection, whole or in fragments, which is closed with 1007."""
    closed: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        writer.write(frames)
        head = await reader.readexactly(8)  # a close frame: its head, the mask, and the masked code
        closed.append(bytes(byte ^ head[2 + number % 4] for number, byte in enumerate(head[6:])))

    with tcp_server(talk) as port:
        facts = observe("websocket.session", Target("api", f"http://127.0.0.1:{port}"), greetings=1).facts
    assert (facts["error"], facts["survived"]) == ("protocol", False)
    assert "not UTF-8" in facts["error_detail"]
    assert closed == [(1007).to_bytes(2, "big")]


def test_a_character_may_be_cut_by_fragments() -> None:
    """Only the whole message must be UTF-8: a character whose bytes come in two fragments is text."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        writer.write(b"\x01\x01\xc3\x80\x01\xbc")
        await reader.read()

    with tcp_server(talk) as port:
        facts = observe("websocket.session", Target("api", f"http://127.0.0.1:{port}"), greetings=1, timeout="2s").facts
    assert (facts["greetings"], facts["greeting_frames"]) == (["ü"], ["text"])


def test_binary_messages_are_sent_and_seen() -> None:
    """Bytes go out and come back as base64 in binary frames; text in a binary frame is text, and both frames show."""

    async def echo(socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)
        await socket.wait_closed()

    sent = [{"base64": "AP/+"}, {"base64": "eyJhIjogMX0="}, "plain", {"base64": "x", "more": 1}, {"base64": ""}]
    facts = session(echo, send=sent).facts
    assert facts["replies"] == [{"base64": "AP/+"}, {"a": 1}, "plain", {"base64": "x", "more": 1}, ""]
    assert facts["reply_frames"] == ["binary", "binary", "text", "text", "binary"]
    assert facts["unanswered"] == 0


def test_an_answer_that_does_not_come_has_no_frame() -> None:
    """The frame of a missing answer is `none`."""

    async def mute(socket: ServerConnection) -> None:
        await socket.wait_closed()

    facts = session(mute, greetings=1, reply_timeout="100ms").facts
    assert (facts["greetings"], facts["greeting_frames"]) == ([None], ["none"])


def test_base64_that_is_none_is_refused() -> None:
    """What cannot be sent is an error of the suite, before anything is connected."""
    with pytest.raises(InvalidConfig, match="base64"):
        observe("websocket.session", Target("api", "ws://127.0.0.1:1"), send=[{"base64": "?"}])


@pytest.mark.parametrize(
    ("frames", "detail"),
    [
        (b"\x01\x01a" + b"\x00\x00" * 20_000, "fragments"),
        (b"\x89\x7d" + b"p" * 125, "unread"),
        (b"\x81\x7f" + b"\x00\x00\x10" + bytes(5), "RFC 6455"),
    ],
)
def test_floods_are_errors_within_bounds(frames: bytes, detail: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fragments without end, pings whose answers are never read and giant frames end the session early."""
    monkeypatch.setattr(websocket, "UNREAD_CAP", 100_000)
    facts = flooded(frames * (1 if len(frames) > 1000 else 500))
    assert facts["error"] == "too_large"
    assert detail in facts["error_detail"]
