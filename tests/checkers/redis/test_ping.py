"""`redis.ping`."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.checkers.beside import tcp_server
from tests.checkers.redis.conftest import Server
from tests.checkers.redis_process import redis_server
from tests.context import observe
from xnai_validate.kit import Target


def test_pings_are_answered_and_a_password_is_required(server: Server) -> None:
    """All pings are answered, the times are there, and no client is accepted without the password."""
    seen = observe("redis.ping", server[0], count=5, window="100ms")
    facts = seen.facts
    assert seen.held, seen.findings
    assert (facts["sent"], facts["answered"], facts["lost"], facts["loading"]) == (5, 5, 0, False)
    assert 0 < facts["median_ms"] <= facts["max_ms"]
    assert facts["connect_ms"] > 0
    assert facts["open_without_password"] is False


def test_a_server_without_a_password_is_open() -> None:
    """A server without a password is reported, and a password that it does not have is refused."""
    with redis_server(password=None) as (target, _):
        assert observe("redis.ping", target).facts["open_without_password"] is True
        with_one = observe("redis.ping", replace(target, password="rotated")).facts
        assert (with_one["error"], with_one["open_without_password"]) == ("auth", True)


def test_losses_are_counted_and_later_pings_answered() -> None:
    """A server that is silent on two connections loses two pings; those after them are answered, on a new one."""
    connections = 0

    async def waking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        silent = connections <= 2
        while await reader.read(1000):
            if not silent:
                writer.write(b"+PONG\r\n")

    with tcp_server(waking) as port:
        target = Target("redis", f"redis://127.0.0.1:{port}")
        facts = observe("redis.ping", target, count=6, timeout="1s", without_password=False).facts
    assert facts["lost"] >= 2
    assert facts["lost"] + facts["answered"] == 6
    assert facts["answered"] > 0
    assert facts["error"] == "timeout"
