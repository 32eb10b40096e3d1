"""The log of a container: read from a real socket, and its last lines kept as evidence."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.checkers.container_api import Engine, container_api
from xnai_validate.model.results.exchange import Exchange, recorder
from xnai_validate.wire.containers.engine import container_engine
from xnai_validate.wire.containers.log import LINE_CAP, LINES, record_last_lines


def evidence(engine: Engine, name: str = "api") -> tuple[Exchange, ...]:
    """What is kept of a container's log."""

    async def record() -> None:
        async with container_engine(engine.path, 5.0) as client:
            await record_last_lines(client, name, 5.0)

    with recorder() as kept:
        asyncio.run(record())
    return kept.exchanges()


def frame(stream: int, text: str) -> bytes:
    """A frame of a log, as the Docker Engine API documents it."""
    return bytes((stream, 0, 0, 0)) + len(text.encode()).to_bytes(4, "big") + text.encode()


def test_the_last_lines_of_both_streams_are_one_exchange(tmp_path: Path) -> None:
    """The requests for it are none; lines come whole, whatever the pieces, and the engine is asked for few."""
    with container_api(tmp_path / "engine.sock") as engine:
        engine.give("GET /containers/api/json", {"Id": "a" * 64, "State": {"Running": False}})
        engine.give("GET /containers/api/logs", frame(1, "begun\nha") + frame(2, "Traceback\n") + frame(1, "lf\nend"))
        [exchange] = evidence(engine)
        assert f"tail={LINES}" in engine.requests[-1]
    assert exchange.protocol == "container"
    assert (exchange.request, exchange.response) == ("api", "4 lines")
    assert exchange.response_body == "begun\nTraceback\nhalf\nend"


def test_a_long_log_is_bounded(tmp_path: Path) -> None:
    """An engine that ignores the number of lines, and lines without an end, take no more than the bounds."""
    with container_api(tmp_path / "engine.sock") as engine:
        engine.give("GET /containers/api/json", {"Id": "a" * 64, "State": {"Running": True}, "Config": {"Tty": True}})
        engine.give("GET /containers/api/logs", b"".join(b"%d %s\n" % (n, b"x" * 2 * LINE_CAP) for n in range(100)))
        [exchange] = evidence(engine)
    assert exchange.response == f"{LINES} lines"
    assert exchange.response_body is not None
    assert len(exchange.response_body) <= 2_000


@pytest.mark.parametrize("status", [404, 501])
def test_a_log_that_the_engine_does_not_give_is_left_out(tmp_path: Path, status: int) -> None:
    """Some log drivers cannot be read; the check goes on without that evidence."""
    with container_api(tmp_path / "engine.sock") as engine:
        engine.give("GET /containers/api/json", {"Id": "a" * 64, "State": {"Running": False}})
        engine.give(
            "GET /containers/api/logs", {"message": "configured logging driver does not support reading"}, status
        )
        assert evidence(engine) == ()
