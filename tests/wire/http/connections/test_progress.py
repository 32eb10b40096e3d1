"""A time-out names the stage that did not end."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest

from tests.checkers.beside import Talk, tcp_server
from tests.context import observe
from xnai_validate.kit import Target, Tls


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything in and never answer."""
    while await reader.read(65536):
        pass


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take nothing in."""
    await asyncio.sleep(10)


def sending(data: bytes) -> Talk:
    """A server that sends this and then nothing more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await silent(reader, writer)

    return talk


@pytest.mark.parametrize(
    ("talk", "scheme", "body", "words"),
    [
        (silent, "https", "", "the TLS handshake did not end"),
        (deaf, "http", "x" * 30_000_000, "the server did not take the whole request"),
        (silent, "http", "", "no response came"),
        (sending(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n"), "http", "", "the headers of the response did not end"),
        (sending(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), "http", "", "the body of the response did not"),
    ],
)
def test_the_stage_that_did_not_end_is_named(talk: Talk, scheme: str, body: str, words: str) -> None:
    """Four time-outs are four sentences."""
    with tcp_server(talk) as port:
        target = Target("api", f"{scheme}://127.0.0.1:{port}", tls=Tls(verify=False))
        facts = observe("http.request", target, timeout="500ms", method="POST", body=body).facts
    assert facts["error"] == "timeout"
    assert words in facts["error_detail"]


def test_a_connection_that_is_not_accepted_is_named() -> None:
    """A server whose queue is full takes no connection: that is not a missing answer."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)
            client.connect_ex(listening.getsockname())
        facts = observe(
            "http.request", Target("api", f"http://127.0.0.1:{listening.getsockname()[1]}"), timeout="500ms"
        )
        for client in waiting:
            client.close()
    assert "no connection was made" in facts.facts["error_detail"]


def test_a_stream_that_does_not_begin_names_its_stage() -> None:
    """Streams of events time out by the same words."""
    with tcp_server(silent) as port:
        facts = observe("sse.stream", Target("api", f"http://127.0.0.1:{port}"), timeout="500ms").facts
    assert facts["error_detail"] == "no response within 0.5 s: no response came"


def test_a_look_up_that_does_not_end_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver of the machine may hang."""

    def hang(*_: object, **__: object) -> list[object]:
        ended.wait(10)
        return []

    ended = threading.Event()
    lookup: Callable[..., object] = hang
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    facts = observe("http.request", Target("api", "http://slow.example"), timeout="300ms").facts
    ended.set()
    assert "the look-up of the name did not end" in facts["error_detail"]
