"""Bytes that are not HTTP are named by how they begin, whether or not the connection goes on."""

from __future__ import annotations

import asyncio

import pytest

from tests.checkers.beside import tcp_server
from tests.context import observe
from xnai_validate.kit import Target
from xnai_validate.wire.http.connections.network import describe_other_protocol, is_response

GREETINGS = {
    b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n": "an SSH server",
    b"\x15\x03\x01\x00\x02\x02\x46": "use https",
    b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80": "HTTP/2",
    b"-ERR unknown command 'GET'\r\n": "a Redis server",
    b"-NOAUTH Authentication required.\r\n": "a Redis server",
    b"220 mail.example ESMTP\r\n": "a mail or FTP server",
    b"<html><body>old</body></html>": "HTTP/0.9",
    b"hello": "not with 'hello'",
}


@pytest.mark.parametrize("data", GREETINGS)
@pytest.mark.parametrize("stays", [False, True], ids=["closes", "stays"])
def test_a_server_of_another_protocol_is_named(data: bytes, stays: bool) -> None:
    """The error is `protocol` at once, with the first bytes: neither a reset nor a time-out."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        if stays:
            await reader.read()

    with tcp_server(talk) as port:
        target = Target("api", f"http://127.0.0.1:{port}")
        facts = observe("http.request", target, timeout="10s").facts
        load = observe("load.http", target, callers=1, **{"for": "50ms"}).facts
    assert (facts["error"], load["error_kinds"].keys()) == ("protocol", {"protocol"}), facts["error_detail"]
    assert GREETINGS[data] in facts["error_detail"]
    assert GREETINGS[data] in load["error_detail"]


def test_the_beginning_of_a_response_is_no_other_protocol() -> None:
    """However few bytes have come."""
    assert all(is_response(b"HTTP/1.1 200 OK"[:size]) for size in range(16))
    assert not is_response(b"HTTQ")
    assert describe_other_protocol(b"x" * 100).endswith("x'...")
