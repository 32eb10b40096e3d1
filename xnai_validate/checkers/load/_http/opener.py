"""Opening connections for responses that are read as they come: a few at a time, each by a task of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from time import perf_counter

from xnai_validate.checkers.load._http.pushed_response import BUFFER, PushedResponse
from xnai_validate.checkers.load._http.request_bytes import open_connection
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.http.request import Prepared
from xnai_validate.wire.net.tls import client_context

OPENING = 128
"""Connections that are being opened at once; the others wait. A server's queue of new ones often holds no more."""

KEPT_CAP = 1024 * 1024
"""Bytes that were read and are still to be passed on; above it they are, at once."""
SLICE_S = 0.0005
"""How long what was read is passed on before the sockets are looked at again."""


class Opener:
    """Opens connections to one server, a few at a time, and holds what their responses share, such as a buffer."""

    def __init__(self, tasks: asyncio.TaskGroup, prepared: Prepared, data: bytes, host: str) -> None:
        """`data` is the request on the wire; `host` the host, or its address so that it is not looked up each time."""
        self.choose: Callable[[], bytes] | None = None
        """Returns the request that is sent next, where they vary."""
        self._data = data
        self.buffer = memoryview(bytearray(BUFFER))
        """Where every read arrives; what is in it is copied before the next one."""
        self._kept: deque[tuple[PushedResponse, bytes, float]] = deque()
        """What was read and is still to be passed on, with the time of the reading."""
        self._kept_size = 0
        self.accepted = prepared.accepted_codings
        """The `Accept-Encoding` of the request."""
        self._tasks = tasks
        self._prepared = prepared
        self._host = host
        self._context = client_context(prepared.tls) if prepared.to.scheme == "https" else None
        self._waiting: deque[PushedResponse] = deque()
        self._under_way = 0

    @property
    def data(self) -> bytes:
        """The request on the wire."""
        return self._data if self.choose is None else self.choose()

    def open(self, response: PushedResponse) -> None:
        """Connect for a response, at once or when others have connected."""
        self._waiting.append(response)
        self._open_next()

    def keep(self, response: PushedResponse, data: bytes) -> None:
        """Keep what was read for a response, with the time, until the other sockets that are ready have been read.

        When a server goes on after a standstill, hundreds of sockets are ready at once: each is read, and its time
        taken, before the first of them is parsed. A callback of the event loop runs after those that are due already.
        """
        if not self._kept:
            asyncio.get_running_loop().call_soon(self._pass_some_on)
        self._kept.append((response, data, perf_counter()))
        self._kept_size += len(data)
        if self._kept_size > KEPT_CAP:
            self.pass_on()

    def pass_on(self) -> None:
        """Pass all that is kept to its responses, in the order in which it was read."""
        while self._kept:
            self._pass_one_on()

    def _pass_some_on(self) -> None:
        """Pass on for `SLICE_S`, then let the sockets that have become ready meanwhile be read first."""
        until = perf_counter() + SLICE_S
        try:
            while self._kept and perf_counter() < until:
                self._pass_one_on()
        finally:
            if self._kept:
                asyncio.get_running_loop().call_soon(self._pass_some_on)

    def _pass_one_on(self) -> None:
        """Pass the oldest of what is kept to its response."""
        response, data, read_at = self._kept.popleft()
        self._kept_size -= len(data)
        response.take(data, read_at)

    def _open_next(self) -> None:
        """Open the next connections that wait, as far as the limit allows."""
        while self._waiting and self._under_way < OPENING:
            response = self._waiting.popleft()
            if not response.over:
                self._under_way += 1
                response.dialling = task = self._tasks.create_task(self._dial(response))
                # Not in the task itself: one that is cancelled before its first step never runs.
                task.add_done_callback(partial(self._on_dialled, response))

    async def _dial(self, response: PushedResponse) -> None:
        """Connect for a response, with TLS if the url asks for it; a failure is reported to the response."""
        prepared = self._prepared
        name = prepared.tls_name
        response.on_connecting()
        try:
            sock = await open_connection(prepared, self._host)
            try:
                if self._context is None:
                    response.send_early(sock)
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: response, sock=sock, ssl=self._context, server_hostname=name)
            except OSError as error:
                raise wire_error(error, f"TLS handshake with {prepared.to.host}:{prepared.to.port}") from error
            except BaseException:
                sock.close()
                raise
        except WireError as failure:
            response.fail(failure.kind, failure.detail)
        except OSError as error:  # no socket could be made
            unmade = wire_error(error, f"connecting to {prepared.to.host}:{prepared.to.port}")
            response.fail(unmade.kind, unmade.detail)

    def _on_dialled(self, response: PushedResponse, task: asyncio.Task[None]) -> None:
        """Note that opening a connection has ended, and open the next."""
        response.dialling = None
        self._under_way -= 1
        if response.unconnected:
            response.on_closed()
        self._open_next()
