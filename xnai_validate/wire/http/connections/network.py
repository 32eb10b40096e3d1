"""The sockets under httpcore: our look-ups, connections and TLS, each stage timed and every read counted.

Bytes that are not an HTTP/1.1 response are refused at once, named by the protocol that begins so.

httpcore drives them through its public extension points `AsyncNetworkBackend` and `AsyncNetworkStream`. Errors are
raised as WireError, which passes through httpcore unchanged and keeps the errno.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from time import perf_counter
from typing import Any

import httpcore

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.connections.progress import Progress, Stage
from xnai_validate.wire.net.connection import Pipe, attach, connect_first, open_unix_socket, start_tls
from xnai_validate.wire.net.resolve import literal, resolve

HEAD_CAP = 64 * 1024
"""Bytes of a response's head, those of interim responses included; more are refused."""
INTERIM_CAP = 100
"""Interim responses (1xx) before the response itself; more are refused."""
_REQUEST = re.compile(rb"[!-~]+ [!-~]+ HTTP/1\.1\r\n")
_INTERIM = re.compile(rb"(?:\A|\n)HTTP/1\.[01] 1[0-9][0-9]\b")
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9])[0-9][0-9]\b")


RESPONSE_START = b"HTTP/"
"""How every response begins (RFC 9112 section 4)."""
_SHOWN = 40

_KNOWN = (
    (rb"SSH-", "an SSH server"),
    (rb"\x15\x03[\x00-\x04]", "a server that speaks TLS (an alert): use https"),
    (rb"\x16\x03[\x00-\x04]", "a server that speaks TLS (a handshake): use https"),
    (rb"\x00\x00[\x00-\xff]\x04[\x00-\x01]\x00\x00\x00\x00", "a server that speaks HTTP/2: see `http2` of the target"),
    (rb"PRI \* HTTP/2", "the preface of an HTTP/2 client"),
    (rb"-(?:ERR|NOAUTH|DENIED|LOADING|MASTERDOWN|NOPERM|WRONGPASS)\b|\+(?:OK|PONG)\r", "a Redis server"),
    (rb"(?:220|421|554)[ -]", "a mail or FTP server"),
    (rb"\+OK ", "a POP3 server"),
    (rb"\* (?:OK|BYE)", "an IMAP server"),
    (rb"RFB \d{3}\.\d{3}", "a VNC server"),
    (rb"AMQP", "an AMQP server"),
    (rb".\x00\x00\x00\x0a\d", "a MySQL server"),
    (rb"(?i)\s*<(?:!doctype|html)", "a page without status and headers (HTTP/0.9)"),
    (rb"(?i)(?:GET|POST|PUT|HEAD|OPTIONS|CONNECT) \S+ HTTP/1\.", "an HTTP request: a client, or an echo of ours"),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), name) for pattern, name in _KNOWN)


class Backend(httpcore.AsyncNetworkBackend):
    """Opens the socket of one connection; `progress` is that of the exchange the connection carries now."""

    def __init__(self, context: ssl.SSLContext | None, server_name: str | None, proxy: str | None) -> None:
        """`context` and `server_name` are for the server that the url names, also behind a proxy."""
        self.progress = Progress()
        self.stream: NetworkStream | None = None
        self._context = context
        self._server_name = server_name
        self._proxy = proxy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Called by httpcore. Raises WireError."""
        progress = self.progress
        begun = perf_counter()
        progress.stage = Stage.LOOKUP
        addresses = await resolve(host, port)
        if literal(host, port) is None:
            progress.dns_ms = (perf_counter() - begun) * 1000
        progress.stage = Stage.CONNECT
        proxy = f"the proxy {self._proxy} at " if self._proxy else ""
        sock, _ = await connect_first(addresses, f"connecting to {proxy}{host}:{port}")
        self.stream = NetworkStream(await attach(sock), self, f"{host}:{port}")
        progress.connect_ms = (perf_counter() - begun) * 1000
        return self.stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Called by httpcore. Raises WireError."""
        progress = self.progress
        begun = perf_counter()
        progress.stage = Stage.CONNECT
        self.stream = NetworkStream(await attach(await open_unix_socket(path)), self, path)
        progress.connect_ms = (perf_counter() - begun) * 1000
        return self.stream

    def name_for(self, context: ssl.SSLContext, host: str) -> str:
        """The name to ask for in a TLS handshake: that of the target's settings goes before the host's."""
        return self._server_name if context is self._context and self._server_name else host


class NetworkStream(httpcore.AsyncNetworkStream):
    """The bytes of one connection, as httpcore reads and writes them."""

    def __init__(self, pipe: Pipe, backend: Backend, peer: str) -> None:
        self.pipe = pipe
        self._backend = backend
        self._peer = peer
        self._unread = b""
        """What the last read of the socket brought and httpcore has not taken yet."""
        self._head: bytes | None = None
        """The first bytes of the response that is waited for; None while no head of HTTP/1.1 is."""
        self._head_left = 0
        self._interim = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Called by httpcore. Raises WireError: `reset`, `too_large` for a head, `protocol` for anything but HTTP."""
        if self._head is not None:
            if self._head_left <= 0:
                raise WireError(ErrorKind.TOO_LARGE, f"the response has more than {HEAD_CAP} bytes of headers")
            max_bytes = min(max_bytes, self._head_left)
        if not self._unread:
            progress = self._backend.progress
            data = await self.pipe.read()
            progress.read_at = perf_counter()
            if not data:
                progress.peer_closed = True
                return b""
            progress.reads += 1
            progress.received += len(data)
            self._unread = data
            if self._head is not None:
                self._inspect(data)
        data, self._unread = self._unread[:max_bytes], self._unread[max_bytes:]
        if self._head is not None:
            self._head_left -= len(data)
        return data

    def _inspect(self, data: bytes) -> None:
        """Raise WireError where the head of a response cannot go on with these bytes."""
        assert self._head is not None
        self._head = (self._head + data)[:200]
        if not is_response(self._head):
            raise WireError(ErrorKind.PROTOCOL, describe_other_protocol(self._head))
        self._interim += len(_INTERIM.findall(data))
        if self._interim > INTERIM_CAP:
            raise WireError(ErrorKind.PROTOCOL, f"more than {INTERIM_CAP} interim responses (1xx) and no other")

    def head_ended(self) -> None:
        """Called by the transport when httpcore has taken in the head of the response."""
        self._head = None
        self._backend.progress.stage = Stage.BODY

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Called by httpcore. Raises WriteError where the server has refused meanwhile (RFC 9112 section 9.5).

        httpcore reads the response then, instead of sending the rest of the body.
        """
        progress = self._backend.progress
        progress.stage = Stage.SEND
        if _REQUEST.match(buffer):
            self._head, self._head_left, self._interim = b"", HEAD_CAP, 0
        self.pipe.write(buffer)
        while self.pipe.room is not None:
            if self.pipe.ended or _is_refusal(self.pipe.arrived):
                progress.stage = Stage.HEADERS
                raise httpcore.WriteError("the server has answered, or is gone")
            await self.pipe.changed()
        progress.stage = Stage.HEADERS
        progress.sent_ms = (perf_counter() - progress.started) * 1000

    async def aclose(self) -> None:
        """Called by httpcore: close at once."""
        self.pipe.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> NetworkStream:
        """Called by httpcore. Raises WireError."""
        progress = self._backend.progress
        progress.stage = Stage.TLS
        begun = perf_counter()
        name = self._backend.name_for(ssl_context, server_hostname or "")
        await start_tls(self.pipe, ssl_context, name, f"TLS handshake with {self._peer}")
        progress.tls_ms = (perf_counter() - begun) * 1000
        return self

    def get_extra_info(self, info: str) -> Any:
        """Called by httpcore: `ssl_object`, `is_readable`, `socket`, `client_addr`, `server_addr`."""
        if info == "is_readable":
            return bool(self._unread) or not self.pipe.usable
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self.pipe.transport.get_extra_info(names.get(info, info))


def _is_refusal(arrived: bytearray) -> bool:
    """Whether these bytes begin with a response of status 400 or above, after any interim responses."""
    at = 0
    while status := _STATUS.match(arrived, at):
        if status[1] != b"1":
            return status[1] >= b"4"
        end = arrived.find(b"\r\n\r\n", at)
        if end < 0:
            return False
        at = end + 4
    return False


def is_response(data: bytes) -> bool:
    """Whether a response of HTTP/1.1 can begin with these bytes, of which more may come."""
    return data[: len(RESPONSE_START)] == RESPONSE_START[: len(data)]


def describe_other_protocol(data: bytes) -> str:
    """Describe which other protocol the bytes belong to, with the first of them."""
    shown = repr(data[:_SHOWN])[1:] + ("..." if len(data) > _SHOWN else "")
    name = next((name for pattern, name in _PATTERNS if pattern.match(data)), None)
    hint = f"; this is how {name} begins" if name and not name.startswith("an HTTP request") else ""
    if name and not hint:
        hint = f"; this is {name}"
    return f"not HTTP: a response begins with HTTP/, not with {shown}{hint}"
