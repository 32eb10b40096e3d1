"""A server behind a proxy, and how a client sees it through the proxy."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.faults.fault_control import FaultControl, fault_control
from xnai_validate.kit import Target

BODY = bytes(range(256)) * 256
"""64 KiB."""


class Giver:
    """A server that gives a body to everybody who asks, and counts who came."""

    def __init__(self, body: bytes = BODY) -> None:
        self.body = body
        self.came = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Wait for a byte, give all, close."""
        self.came += 1
        await reader.readexactly(1)
        writer.write(self.body)
        await writer.drain()


@contextmanager
def proxied(name: str, port: int, **params: Any) -> Iterator[tuple[FaultControl, int]]:
    """The fault in front of a server, and the proxy's port; it is reverted at the end, and that is proven."""
    with fault_control(name, Target("server", f"tcp://127.0.0.1:{port}"), **params) as control:
        undo, before = control.prepare()
        control.inject(undo)
        assert control.active is not None
        yield control, urlsplit(control.active.url or "").port or 0
        proof = control.revert(undo, before)
        assert proof.proven, proof.why


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 20)


def read_all(connection: socket.socket) -> bytes:
    """All up to the end; raises ConnectionResetError, with what came in `args[-1]`."""
    data = bytearray()
    try:
        while piece := connection.recv(65536):
            data += piece
    except ConnectionResetError as error:
        raise ConnectionResetError(bytes(data)) from error
    return bytes(data)


def given(port: int) -> tuple[bytes, float]:
    """What the giver gives through a proxy, and how long that took."""
    with connect(port) as connection:
        begun = time.monotonic()
        connection.sendall(b"?")
        return read_all(connection), time.monotonic() - begun


def round_trip(connection: socket.socket) -> float:
    begun = time.monotonic()
    connection.sendall(b"hello")
    assert connection.recv(64) == b"hello"
    return time.monotonic() - begun
