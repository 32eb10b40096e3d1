"""A small HTTP server that takes what others post, such as the webhooks of an alert manager.

Messages are read by h11 (RFC 9112). Bodies are capped, connections are few, and a slow sender has a time limit.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import h11

from xnai_validate.kit import ErrorKind, Unmeasurable
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.content_coding import ACCEPT_ENCODING, decoder

BODY_CAP = 1 << 20
"""Bytes of one delivery; a larger one is answered with 413."""
CONNECTIONS = 64
"""Senders that are served at once; further ones are turned away."""
IDLE_S = 30.0
"""How long a sender may be silent."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request that was taken."""

    method: str
    path: str
    content_type: str
    body: bytes


Answer = Callable[[Delivery], int]
"""Given each delivery, the status to answer it with."""


@asynccontextmanager
async def receiving(host: str, port: int, answer: Answer) -> AsyncIterator[int]:
    """Listen while the context lasts; the value is the port. Raises Unmeasurable where it cannot."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, unless there are too many."""
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            if len(connections) <= CONNECTIONS:
                await _Served(reader, writer, answer).run()
        except (OSError, TimeoutError, h11.RemoteProtocolError):
            pass  # the sender's affair: what it delivered before that counts
        finally:
            connections.discard(task)
            writer.close()

    try:
        server = await asyncio.start_server(serve, host, port, backlog=CONNECTIONS)
    except OSError as error:
        raise Unmeasurable(
            f"nothing can be received at {host}:{port}: {error.strerror or error}",
            hint="name an address of this host on a port that is free, with --listen HOST:PORT",
        ) from None
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        with suppress(OSError):
            await server.wait_closed()


class _Served:
    """One connection of a sender."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
        self._reader, self._writer, self._answer = reader, writer, answer
        self._http = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        """Take deliveries until the sender leaves."""
        while True:
            request = await self._next()
            if not isinstance(request, h11.Request):
                return
            body = await self._body()
            if body is None:
                await self._reply(413)
                return
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers}
            try:
                body = _decode_body(body, headers)
            except WireError as error:
                too_large = error.kind is ErrorKind.TOO_LARGE
                await self._reply(413 if too_large else 415)
                return
            delivery = Delivery(
                request.method.decode("ascii", "replace"),
                request.target.decode("ascii", "replace"),
                headers.get("content-type", ""),
                body,
            )
            await self._reply(self._answer(delivery) if delivery.method in ("POST", "PUT") else 405)
            if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
                return
            self._http.start_next_cycle()

    async def _body(self) -> bytes | None:
        """The whole body; None for one beyond the cap."""
        body = bytearray()
        while isinstance(event := await self._next(), h11.Data):
            body += event.data
            if len(body) > BODY_CAP:
                return None
        return bytes(body) if isinstance(event, h11.EndOfMessage) else b""

    async def _next(self) -> object:
        """The next event of the sender; waits for it no longer than IDLE_S."""
        while (event := self._http.next_event()) is h11.NEED_DATA:
            if self._http.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            async with asyncio.timeout(IDLE_S):
                self._http.receive_data(await self._reader.read(65_536))
        return event

    async def _reply(self, status: int) -> None:
        """Send a response with the status."""
        text = b"ok\n" if status < 400 else b"refused\n"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))]
        if status in (413, 415):
            headers.append(("Connection", "close"))
        if status == 415:
            headers.append(("Accept-Encoding", ACCEPT_ENCODING))  # RFC 9110, 12.5.3
        await self._send(h11.Response(status_code=status, headers=headers), h11.Data(data=text), h11.EndOfMessage())

    async def _send(self, *events: h11.Event) -> None:
        """Send events of HTTP/1.1."""
        for event in events:
            data = self._http.send(event)
            if data:
                self._writer.write(data)
        await self._writer.drain()


def _decode_body(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Decode the body of a delivery. Raises WireError for an unknown or bad coding, or a body that is too large."""
    undo = decoder(headers)
    if undo is None:
        return body
    undo.feed(body)
    content = bytearray()
    while undo.waiting:
        content += undo.take()
        if len(content) > BODY_CAP:
            raise WireError(ErrorKind.TOO_LARGE, f"the content has more than {BODY_CAP} bytes")
    return bytes(content + undo.finish())
