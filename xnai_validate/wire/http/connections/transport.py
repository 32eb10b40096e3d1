"""The transport under httpx: a short list of connections for each server, every exchange with its own progress.

httpx's own pool searches all its connections at each request, which makes sixteen requests at once read 37 ms where
20 are true. Here the connection that was used last is used next, and one carries one exchange at a time, also with
HTTP/2: so the times are those of the server.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from time import perf_counter

import h11
import httpcore
import httpx

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.connections.destination import without_userinfo
from xnai_validate.wire.http.connections.network import Backend
from xnai_validate.wire.http.connections.progress import Progress
from xnai_validate.wire.http.connections.proxy import proxy_client, require_extra
from xnai_validate.wire.http.head import Head, head_of
from xnai_validate.wire.http.request import IDEMPOTENT, Prepared
from xnai_validate.wire.net.tls import client_context

try:
    from h2.exceptions import H2Error
except ImportError:  # the extra http2 is not installed

    class H2Error(Exception):  # type: ignore[no-redef]
        """A stand-in that is never raised."""


IDLE_CAP = 8
"""Connections kept open between requests, for each server."""
SERVERS_CAP = 32
IDLE_S = 30.0
DRAIN_CAP = 1024 * 1024
"""Bytes of a response that httpx may read by itself: the refusal before it answers a Digest challenge."""
EXCHANGE = "xnai.exchange"
"""The extension by which an `httpx.Request` and its response carry their Exchange."""
PROTOCOL_ERRORS = (
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.ConnectionNotAvailable,
    h11.ProtocolError,
    H2Error,
)
"""What httpcore raises about what a server or a proxy sent; some of it comes from below unmapped."""


def protocol_error(error: Exception, progress: Progress) -> WireError:
    """The WireError of one of PROTOCOL_ERRORS: a connection that ended early, a proxy's refusal, or no HTTP."""
    if isinstance(error, httpcore.ProxyError):
        kind = ErrorKind.AUTH if str(error).startswith("407") else ErrorKind.PROTOCOL
        return WireError(kind, f"the proxy refused to connect: {error}")
    if progress.peer_closed:
        where = "the response" if progress.received else "a response"
        return WireError(ErrorKind.RESET, f"the connection was closed before the end of {where}")
    return WireError(ErrorKind.PROTOCOL, f"not HTTP as RFC 9112 wants it: {error}")


class Connection:
    """A connection that carries one exchange after the other."""

    def __init__(self, server: object, backend: Backend, http: httpcore.AsyncConnectionInterface) -> None:
        self.server = server
        """What the connection leads to: requests with an equal `Prepared.server` may share it."""
        self.idle_since = 0.0
        self._backend = backend
        self._http = http

    @property
    def progress(self) -> Progress:
        """The progress of the present exchange."""
        return self._backend.progress

    def begin(self, progress: Progress) -> None:
        """Let the next exchange report to `progress`."""
        self._backend.progress = progress

    async def send(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request and read the head of its response; closes the connection on failure. Raises WireError."""
        try:
            response = await self._http.handle_async_request(request)
        except PROTOCOL_ERRORS as error:
            self.abort()
            raise protocol_error(error, self.progress) from error
        except BaseException:
            self.abort()
            raise
        if self._backend.stream is not None:
            self._backend.stream.head_ended()
        return response

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent: both sides keep the connection, and nothing unexpected has come."""
        stream = self._backend.stream
        return (
            stream is not None
            and not stream.pipe.ended
            and self._http.is_available()
            and self._http.is_idle()
            and not self._http.has_expired()
        )

    def abort(self) -> None:
        """Close at once."""
        if self._backend.stream is not None:
            self._backend.stream.pipe.abort()

    async def aclose(self) -> None:
        """Close as TLS wants it, and wait until the socket is gone (at most a second)."""
        if self._backend.stream is not None:
            await self._backend.stream.pipe.aclose()


def connection_to(prepared: Prepared) -> Connection:
    """A connection for a request, not opened yet. Raises Unmeasurable where a file, an extra or the proxy is wrong."""
    to = prepared.to
    if prepared.http2:
        require_extra("h2", "http2")
    context = client_context(prepared.tls, http2=prepared.http2) if to.scheme == "https" else None
    origin = httpcore.Origin(to.scheme.encode(), to.host.encode(), to.port)
    # Without TLS there is no negotiation: HTTP/2 is then spoken at once (RFC 9113 section 3.3).
    http1 = not (prepared.http2 and to.scheme == "http")
    if prepared.proxy is not None and to.socket is None:
        backend = Backend(context, prepared.tls.server_name, without_userinfo(prepared.proxy))
        http = proxy_client(prepared, backend, context, http1).create_connection(origin)
        return Connection(prepared.server, backend, http)
    backend = Backend(context, prepared.tls.server_name, None)
    direct = httpcore.AsyncHTTPConnection(
        origin, ssl_context=context, http1=http1, http2=prepared.http2, uds=to.socket, network_backend=backend
    )
    return Connection(prepared.server, backend, direct)


@dataclass(slots=True)
class Exchange:
    """One request, its response as far as it has come, and how long that took."""

    prepared: Prepared
    fresh: bool = False
    progress: Progress = field(default_factory=Progress)
    head: Head | None = None
    first_byte_ms: float = 0.0
    """From the start to the end of the response's headers."""
    body: ResponseBody | None = None


class ResponseBody(httpx.AsyncByteStream):
    """The body of a response as bytes on the wire, chunking undone; closing it frees the connection."""

    def __init__(self, response: httpcore.Response, connection: Connection, free: Callable[[Connection], None]) -> None:
        self._iterate_body = _iterate_body(response)
        self._response = response
        self._connection = connection
        self._free = free
        self._closed = False
        self.ended = False
        """Whether the body came to its end as HTTP wants it."""

    async def read(self) -> bytes:
        """The next piece, empty at the end. Raises WireError: `reset` where the body was cut, else `protocol`."""
        try:
            async for piece in self._iterate_body:
                if piece:
                    return piece
        except PROTOCOL_ERRORS as error:
            raise protocol_error(error, self._connection.progress) from error
        self.ended = True
        return b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Called by httpx, where it reads a response by itself."""
        size = 0
        while piece := await self.read():
            size += len(piece)
            if size > DRAIN_CAP:
                raise WireError(ErrorKind.TOO_LARGE, f"the refusal has a body of more than {DRAIN_CAP} bytes")
            yield piece

    async def aclose(self) -> None:
        """Keep the connection where the body was read to its end, else close it."""
        if not self._closed:
            self._closed = True
            await self._iterate_body.aclose()
            await self._response.aclose()
            self._free(self._connection)


class Transport(httpx.AsyncBaseTransport):
    """Sends the requests of an `httpx.AsyncClient`; the extension `EXCHANGE` holds their Exchange."""

    def __init__(self) -> None:
        self._idle: OrderedDict[object, list[Connection]] = OrderedDict()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the head of its response. Raises WireError.

        An idempotent request may use a connection that was kept; if the server has closed that one meanwhile, the
        request is sent once more, on a new one. A request that may have an effect always has a new one, for it must not
        be sent twice (RFC 9110 section 9.2.2).
        """
        exchange: Exchange = request.extensions[EXCHANGE]
        prepared = exchange.prepared
        kept = self._take_idle(prepared.server) if prepared.method in IDEMPOTENT and not exchange.fresh else None
        if kept is not None:
            try:
                return await self._send(request, exchange, kept)
            except WireError:
                if exchange.progress.received:
                    raise
        return await self._send(request, exchange, connection_to(prepared))

    async def _send(self, request: httpx.Request, exchange: Exchange, connection: Connection) -> httpx.Response:
        """Send a request on a connection and read the head of its response. Raises WireError."""
        to, progress = exchange.prepared.to, exchange.progress
        connection.begin(progress)
        sent = httpcore.Request(
            exchange.prepared.method,
            httpcore.URL(scheme=to.scheme, host=to.host, port=to.port, target=to.target),
            headers=request.headers.raw,
            content=request.stream,
        )
        response = await connection.send(sent)
        exchange.first_byte_ms = (perf_counter() - progress.started) * 1000
        extensions = response.extensions
        exchange.head = head_of(
            response.status, extensions.get("reason_phrase", b""), extensions["http_version"], response.headers
        )
        exchange.body = ResponseBody(response, connection, self._free)
        # httpx acts on Location and Set-Cookie by rules of its own, and fails on a Location that is not a url. It is
        # given what its authentication needs; the client has the head.
        challenges = [pair for pair in response.headers if pair[0].lower() == b"www-authenticate"]
        return httpx.Response(
            response.status, headers=challenges, stream=exchange.body, extensions={EXCHANGE: exchange}
        )

    def _take_idle(self, server: object) -> Connection | None:
        """Take an idle connection to a server that can still be used, if there is any."""
        kept = self._idle.get(server)
        while kept:
            connection = kept.pop()
            if connection.reusable and perf_counter() - connection.idle_since < IDLE_S:
                return connection
            connection.abort()
        return None

    def _free(self, connection: Connection) -> None:
        """Called when an exchange is over: keep its connection for another, or close it."""
        if not connection.reusable:
            connection.abort()
            return
        connection.idle_since = perf_counter()
        kept = self._idle.setdefault(connection.server, [])
        if len(kept) >= IDLE_CAP:
            connection.abort()
            return
        kept.append(connection)
        if len(self._idle) > SERVERS_CAP:
            _, surplus = self._idle.popitem(last=False)
            for old in surplus:
                old.abort()

    async def aclose(self) -> None:
        """Close all connections that wait for a request."""
        idle = [connection for kept in self._idle.values() for connection in kept]
        self._idle.clear()
        async with asyncio.TaskGroup() as tasks:
            for connection in idle:
                tasks.create_task(connection.aclose())


async def _iterate_body(response: httpcore.Response) -> AsyncGenerator[bytes, None]:
    """Yield the pieces of a response's body."""
    async for piece in response.aiter_stream():
        yield piece
