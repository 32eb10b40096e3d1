"""`tcp.connect` against real sockets."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.checkers.beside import tcp_server
from tests.context import observe
from xnai_validate.errors import NotApplicable
from xnai_validate.kit import Target


async def patient(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write nothing until the client leaves."""
    await reader.read()


async def curt(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Greet and close."""
    writer.write(b"220 ready\xff\r\n")
    await writer.drain()


def test_an_open_port_is_connected_to() -> None:
    """The address that answered and the time it took are known, and nothing else was asked."""
    with tcp_server(patient) as port:
        seen = observe("tcp.connect", Target("redis", f"redis://localhost:{port}/0"))
    assert seen.held
    assert seen.facts["connected"] is True
    assert seen.facts["address"] == "127.0.0.1"
    assert seen.facts["connect_ms"] > 0
    assert (seen.facts["held"], seen.facts["banner"]) == (None, None)


def test_a_closed_port_can_be_expected() -> None:
    """Refused is a fact: it fails by default and holds where it is expected."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = Target("redis", f"redis://127.0.0.1:{unused.getsockname()[1]}")
        assert not observe("tcp.connect", target).held
        seen = observe("tcp.connect", target, expect={"error": "refused"})
    assert seen.held
    assert (seen.facts["connected"], seen.facts["connect_ms"]) == (False, None)
    assert "refused" in seen.facts["error_detail"].lower()


def test_a_port_that_drops_connections_is_a_time_out() -> None:
    """A full backlog never answers the handshake; the time limit is kept."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(8)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        try:
            facts = observe("tcp.connect", Target("x", f"tcp://127.0.0.1:{port}"), timeout="0.3s").facts
        finally:
            for filler in fillers:
                filler.close()
    assert facts["error"] == "timeout"


def test_a_held_connection_shows_whether_the_server_keeps_it() -> None:
    """A server that closes is distinguished from one that keeps the connection open, also when its greeting is read."""
    with tcp_server(patient) as port:
        kept = observe("tcp.connect", Target("x", f"tcp://127.0.0.1:{port}"), hold="0.1s").facts
    with tcp_server(curt) as port:
        target = Target("x", f"tcp://127.0.0.1:{port}")
        dropped = observe("tcp.connect", target, hold="0.3s", banner="5s").facts
        greeted = observe("tcp.connect", target, banner="5s").facts
    assert (kept["held"], kept["banner"]) == (True, None)
    assert (dropped["held"], dropped["banner"]) == (False, "220 ready\ufffd\r\n")
    assert (greeted["held"], greeted["banner"]) == (None, "220 ready\ufffd\r\n")


def test_host_and_port_can_be_given() -> None:
    """Params come before the target's url, and a target without one is not applicable."""
    with tcp_server(patient) as port:
        nowhere = Target("x", "http://a.invalid:1")
        assert observe("tcp.connect", nowhere, host="127.0.0.1", port=port).held
    with pytest.raises(NotApplicable):
        observe("tcp.connect", Target("worker", pid=1))


def test_what_is_no_host_name_is_a_dns_error() -> None:
    """A name that cannot exist is reported as such."""
    assert observe("tcp.connect", Target("x", "tcp://a..b:80")).facts["error"] == "dns"
