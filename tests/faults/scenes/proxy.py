"""A server, and an address at which a proxy in front of it is to listen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.checkers.beside import tcp_server
from tests.faults.scenes.scene import Scene, Staged
from tests.ports import free_port
from xnai_validate.kit import JsonObject, Target


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give back what comes."""
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()


def held(port: int) -> bool:
    """Whether somebody has this port of 127.0.0.1, listening or not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def staged(params: JsonObject) -> Staged:
    """An echo server behind the proxy."""

    @contextmanager
    def open_() -> Iterator[Scene]:
        listen = free_port()
        with tcp_server(echo) as port:
            target = Target("echo", f"tcp://127.0.0.1:{port}")
            yield Scene(target, {**params, "listen": f"127.0.0.1:{listen}"}, lambda: held(listen))

    return open_


SCENES: dict[str, Staged] = {
    "proxy.bandwidth": staged({"rate": "64KiB"}),
    "proxy.latency": staged({"latency": "100ms", "jitter": "20ms"}),
    "proxy.limit_data": staged({"bytes": 10}),
    "proxy.refuse": staged({}),
    "proxy.reset": staged({}),
    "proxy.slicer": staged({"average_size": 3}),
    "proxy.slow_close": staged({"delay": "1s"}),
    "proxy.timeout": staged({}),
}
