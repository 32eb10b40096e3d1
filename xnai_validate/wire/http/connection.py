"""One connection of httpcore over our sockets: direct, through a proxy, or to a unix socket."""

from __future__ import annotations

import ssl
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

import h11
import httpcore

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.target import Tls
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.destination import without_userinfo
from xnai_validate.wire.http.network import Backend
from xnai_validate.wire.http.progress import Progress
from xnai_validate.wire.http.request import Prepared
from xnai_validate.wire.net.names import ascii_host
from xnai_validate.wire.net.tls import client_context

try:
    from h2.exceptions import H2Error
except ImportError:  # the extra http2 is not installed

    class H2Error(Exception):  # type: ignore[no-redef]
        """A stand-in that is never raised."""


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
        _need("h2", "http2")
    context = client_context(prepared.tls, http2=prepared.http2) if to.scheme == "https" else None
    origin = httpcore.Origin(to.scheme.encode(), to.host.encode(), to.port)
    # Without TLS there is no negotiation: HTTP/2 is then spoken at once (RFC 9113 section 3.3).
    http1 = not (prepared.http2 and to.scheme == "http")
    if prepared.proxy is not None and to.socket is None:
        backend = Backend(context, prepared.tls.server_name, without_userinfo(prepared.proxy))
        http = _proxy(prepared, backend, context, http1).create_connection(origin)
        return Connection(prepared.server, backend, http)
    backend = Backend(context, prepared.tls.server_name, None)
    direct = httpcore.AsyncHTTPConnection(
        origin, ssl_context=context, http1=http1, http2=prepared.http2, uds=to.socket, network_backend=backend
    )
    return Connection(prepared.server, backend, direct)


def _proxy(
    prepared: Prepared, backend: Backend, context: ssl.SSLContext | None, http1: bool
) -> httpcore.AsyncConnectionPool:
    """httpcore's client of a proxy: it only makes the connection here, and pools none."""
    assert prepared.proxy is not None
    parts = urlsplit(prepared.proxy)
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username is not None else None
    socks = parts.scheme in ("socks5", "socks5h")
    url = httpcore.URL(
        scheme="socks5" if socks else parts.scheme,
        host=ascii_host(parts.hostname or ""),
        port=parts.port or (1080 if socks else 443 if parts.scheme == "https" else 80),
        target=b"/",
    )
    if socks:
        _need("socksio", "socks")
        return httpcore.AsyncSOCKSProxy(
            url, proxy_auth=auth, ssl_context=context, http1=http1, http2=prepared.http2, network_backend=backend
        )
    return httpcore.AsyncHTTPProxy(
        url,
        proxy_auth=auth,
        ssl_context=context,
        proxy_ssl_context=client_context(Tls()) if parts.scheme == "https" else None,
        http1=http1,
        http2=prepared.http2,
        network_backend=backend,
    )


def _need(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise Unmeasurable(f"{extra} needs the package {module}", hint=f"pip install 'xnai-validate[{extra}]'")
