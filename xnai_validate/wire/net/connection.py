"""Opening a byte stream over TCP or TLS, and how long each step took."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import cast

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.net.names import tls_name
from xnai_validate.wire.net.resolve import Address, resolve

ATTEMPT_S = 1.0
"""A silent address is given up after this many seconds while another of the same name is left to try."""
GOODBYE_S = 1.0
READ_AHEAD = 256 * 1024
"""Bytes that may arrive before anybody reads them; then the server is made to wait."""


class Pipe(asyncio.Protocol):
    """A connection as two calls: `read` gives what has arrived, `write` sends."""

    __slots__ = ("_changed", "_full", "_loop", "_lost", "_paused", "arrived", "ended", "failure", "transport")

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.ended = False
        """Whether the peer has sent its last byte, or the connection is gone."""
        self.failure: OSError | None = None
        self.arrived = bytearray()
        """Bytes that `read` has not returned yet."""
        self._paused = False
        self._full: asyncio.Future[None] | None = None
        """There while the peer does not take what is written."""
        self._loop = asyncio.get_running_loop()
        self._changed: asyncio.Future[None] | None = None
        """Done at the next event of the connection; there while somebody waits for one."""
        self._lost: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self.arrived += data
        if len(self.arrived) > READ_AHEAD and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        self._wake_reader()

    def eof_received(self) -> None:
        """Called by asyncio."""
        self.ended = True
        self._wake_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        self.ended = True
        self.failure = exc if isinstance(exc, OSError) else None
        if not self._lost.done():
            self._lost.set_result(None)
        self.resume_writing()
        self._wake_reader()

    def pause_writing(self) -> None:
        """Called by asyncio."""
        self._full = self._loop.create_future()

    def resume_writing(self) -> None:
        """Called by asyncio."""
        full, self._full = self._full, None
        if full is not None and not full.done():
            full.set_result(None)
        self._wake_reader()

    def _wake_reader(self) -> None:
        """Wake the reader if it waits for data."""
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def changed(self) -> None:
        """Wait for the next event: bytes arrived, the peer took some of ours, or the connection ended.

        One waiter at a time.
        """
        self._changed = self._loop.create_future()
        try:
            await self._changed
        finally:
            self._changed = None

    @property
    def usable(self) -> bool:
        """Whether the connection is open and silent, as an idle one must be."""
        return not self.ended and not self.arrived and not self.transport.is_closing()

    async def read(self) -> bytes:
        """All that has arrived and was not read yet, at least one byte; empty at the end of the stream.

        Raises WireError (reset) where the connection broke. One reader at a time.
        """
        while not self.arrived:
            if self.failure is not None:
                raise wire_error(self.failure, "reading")
            if self.ended:
                return b""
            await self.changed()
        data = bytes(self.arrived)
        self.arrived.clear()
        if self._paused:
            self._paused = False
            if not self.transport.is_closing():
                self.transport.resume_reading()
        return data

    def write(self, data: bytes) -> None:
        """Send; what the peer does not take yet is kept. A broken connection shows in `read`."""
        if not self.transport.is_closing():
            self.transport.write(data)

    @property
    def room(self) -> asyncio.Future[None] | None:
        """A future that is done once more may be written; None if it may be now. Do not cancel it."""
        return self._full

    def abort(self) -> None:
        """Close at once; nothing more is sent."""
        self.transport.abort()

    async def aclose(self) -> None:
        """Close (under TLS with close_notify), and wait until the socket is gone (at most a second)."""
        self.transport.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await asyncio.shield(self._lost)
        self.abort()


@dataclass(frozen=True, slots=True)
class Dialled:
    """A new connection and what opening it took."""

    pipe: Pipe
    address: str
    """The address that answered."""
    connect_ms: float
    """Name look-up and TCP handshake."""
    tls_ms: float | None

    @property
    def ssl_object(self) -> ssl.SSLObject | None:
        """The TLS session, where there is one."""
        tls = self.pipe.transport.get_extra_info("ssl_object")
        return tls if isinstance(tls, ssl.SSLObject) else None


async def dial(
    host: str, port: int, *, context: ssl.SSLContext | None = None, server_name: str | None = None
) -> Dialled:
    """Connect to a host, with TLS where a context is given. Bound the time outside.

    Each address of the host is tried, in the resolver's order. Raises WireError: that of the last address.
    """
    started = perf_counter()
    sock, address = await open_socket(host, port)
    pipe = await attach(sock)
    connected = perf_counter()
    if context is None:
        return Dialled(pipe, address, (connected - started) * 1000, None)
    await start_tls(pipe, context, server_name or host, f"TLS handshake with {host}:{port}")
    return Dialled(pipe, address, (connected - started) * 1000, (perf_counter() - connected) * 1000)


async def open_socket(host: str, port: int) -> tuple[socket.socket, str]:
    """A TCP socket that is connected, and the address that answered; for what speaks over a socket of ours.

    Each address of the host is tried, in the resolver's order. Raises WireError: that of the last address.
    """
    return await connect_first(await resolve(host, port), f"connecting to {host}:{port}")


async def connect_first(addresses: Sequence[Address], doing: str) -> tuple[socket.socket, str]:
    """A TCP socket to the first address that accepts, and that address; `doing` begins the error messages.

    Raises WireError: that of the last address.
    """
    failure = WireError(ErrorKind.DNS, f"{doing}: the name has no address")
    for number, address in enumerate(addresses, start=1):
        try:
            async with asyncio.timeout(ATTEMPT_S if number < len(addresses) else None):
                return await _connect_socket(address, doing), address.ip
        except WireError as error:
            failure = error
        except TimeoutError:
            failure = WireError(ErrorKind.TIMEOUT, f"{doing}: no answer from {address.ip}")
    raise failure


async def _connect_socket(address: Address, doing: str) -> socket.socket:
    """Connect a TCP socket. Raises WireError."""
    sock = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await _finish_connecting(sock, address)
    except OSError as error:
        sock.close()
        raise wire_error(error, doing) from error
    except BaseException:
        sock.close()
        raise
    return sock


async def _finish_connecting(sock: socket.socket, address: Address) -> None:
    """Return once a socket that does not block is connected. Raises OSError.

    A server on this host has accepted before the second call: then there is no round of the event loop to wait for.
    Some systems call a socket that has connected meanwhile an error (EISCONN), others return 0 once.
    """
    for _ in range(2):
        if sock.connect_ex(address.sockaddr) in (0, errno.EISCONN):
            return
    try:
        await asyncio.get_running_loop().sock_connect(sock, address.sockaddr)
    except OSError as error:
        if error.errno != errno.EISCONN:
            raise


async def open_unix_socket(path: str) -> socket.socket:
    """A stream socket that is connected to a path. Raises WireError."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, path)
    except OSError as error:
        sock.close()
        raise wire_error(error, f"connecting to the socket {path}") from error
    except BaseException:
        sock.close()
        raise
    return sock


async def attach(sock: socket.socket) -> Pipe:
    """The pipe over a connected socket, which it owns from now on."""
    try:
        _, pipe = await asyncio.get_running_loop().create_connection(Pipe, sock=sock)
    except BaseException:
        sock.close()
        raise
    return pipe


async def start_tls(pipe: Pipe, context: ssl.SSLContext, name: str, doing: str) -> None:
    """Put TLS on a pipe; `name` is asked for and verified. Aborts the pipe and raises WireError where that fails."""
    loop = asyncio.get_running_loop()
    try:
        name = tls_name(name)
    except ValueError as error:
        pipe.abort()
        raise WireError(ErrorKind.TLS, f"{doing}: {error}") from error
    try:
        transport = await loop.start_tls(
            pipe.transport, pipe, context, server_hostname=name, ssl_shutdown_timeout=GOODBYE_S
        )
    except OSError as error:
        pipe.abort()
        raise wire_error(error, doing) from error
    except BaseException:
        pipe.abort()
        raise
    if transport is None:  # the peer left between the handshake and this line
        pipe.abort()
        raise WireError(ErrorKind.RESET, f"{doing}: the connection was closed")
    pipe.transport = transport
