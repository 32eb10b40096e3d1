"""An HTTP server that sends exactly what a test scripts, byte for byte, and remembers the requests."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from tests.checkers.beside import beside, end


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as it came: method, target, headers (names in lower case), body."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int
    """Which connection it came on, from 1."""


@dataclass(slots=True)
class Line:
    """One connection: where a script writes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@dataclass(slots=True)
class Scripted:
    """The server: its port and what it has been asked."""

    script: Callable[[ReceivedRequest, Line], Awaitable[bool]]
    """Answers a request; whether the connection stays open."""
    port: int = 0
    host: str = "127.0.0.1"
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    requests: list[ReceivedRequest] = field(default_factory=list)
    connections: int = 0
    gone: list[int] = field(default_factory=list)
    """Connections that have ended."""

    def answer_all(self) -> None:
        """Return when every request that has been sent by now is answered by a script that does not wait."""
        for _ in range(4):  # turns of its loop: to accept a connection, to read a request, to answer it
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(60)

    def url(self, path: str = "", scheme: str = "http") -> str:
        return f"{scheme}://{self.host}:{self.port}{path}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        line = Line(reader, writer, self.connections)
        try:
            while (request := await _read(reader, line.number)) is not None:
                self.requests.append(request)
                if not await self.script(request, line):
                    return
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self.gone.append(line.number)
            writer.transport.abort() if writer.is_closing() else writer.close()


async def _read(reader: asyncio.StreamReader, number: int) -> ReceivedRequest | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    method, path, _ = first.split(" ")
    return ReceivedRequest(method, path, headers, body, number)


@contextmanager
def scripted(
    script: Callable[[ReceivedRequest, Line], Awaitable[bool]],
    *,
    context: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> Iterator[Scripted]:
    """Serve on a free port of an address, with TLS where a context is given."""

    @asynccontextmanager
    async def serving() -> AsyncIterator[Scripted]:
        state = Scripted(script, host=host)
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            with suppress(asyncio.CancelledError):
                await state.talk(reader, writer)
            tasks.discard(task)

        server = await asyncio.start_server(handle, host, 0, ssl=context)
        state.port = server.sockets[0].getsockname()[1]
        try:
            yield state
        finally:
            await end(server, tasks)

    with beside(serving) as state:
        yield state


def ok(
    body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None
) -> Callable[[ReceivedRequest, Line], Awaitable[bool]]:
    """A script that gives every request the same response."""
    size = len(body) if length is None else length
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {size}", *headers, "", ""]).encode()

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(head + (b"" if request.method == "HEAD" else body))
        return size == len(body)

    return script


def raw_response(data: bytes) -> Callable[[ReceivedRequest, Line], Awaitable[bool]]:
    """A script that answers with these bytes and closes."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        await line.send(data)
        return False

    return script
