"""Scripted servers of event streams, for the tests of loads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from tests.scripted import Line, ReceivedRequest

Script = Callable[[ReceivedRequest, Line], Awaitable[bool]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    """A chunk of a body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(**data: object) -> bytes:
    """An event with JSON data."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


SOURCES = event(type="sources", sources=["guide.md"])
TOKEN = event(type="token", content="word ")
DONE = event(type="done", tokens=3, latency_ms=1.5)
WHOLE = (SOURCES, TOKEN, TOKEN, TOKEN, DONE)


def plays(*parts: bytes | float, end: bytes = END) -> Script:
    """Sends each part as a chunk of its own; a number is a pause in seconds. Closes after `end`."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await play(line, *parts, end=end)
        return False

    return script


async def play(line: Line, *parts: bytes | float, end: bytes = END) -> None:
    """One stream, as `plays` has it."""
    await line.send(CHUNKED)
    for part in parts:
        if isinstance(part, float):
            await asyncio.sleep(part)
        else:
            await line.send(chunk(part))
            await asyncio.sleep(0.001)  # so that each part is a read of its own
    await line.send(end)


async def client_gone(line: Line) -> None:
    """Wait until the client has closed the connection."""
    try:
        while await line.reader.read(1024):
            pass
    except OSError:
        return
