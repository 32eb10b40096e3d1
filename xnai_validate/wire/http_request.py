"""What is asked of an HTTP server, and its form on the wire."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

import h11

from xnai_validate import __version__
from xnai_validate.errors import Unmeasurable
from xnai_validate.model.dataclass import dataclass
from xnai_validate.model.target import Tls
from xnai_validate.wire.http_body import ACCEPT_ENCODING
from xnai_validate.wire.http_upload import Body, pieces_of

_PATH = "/:@!$&'()*+,;=~%"
_QUERY = "/?:@!$&'()*+,;=~%[]"
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Methods of requests that may be sent twice (RFC 9110 section 9.2.2)."""
_DEFAULTS = (
    (b"accept", b"*/*"),
    (b"accept-encoding", ACCEPT_ENCODING.encode()),
    (b"user-agent", f"xnai-validate/{__version__}".encode()),
)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request; build the url with `target.join(path)`."""

    url: str
    """`http` or `https`; a user and password in it become basic authentication."""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: Body = b""
    tls: Tls = field(default_factory=Tls)
    """Usually `target.tls`."""
    fresh: bool = False
    """Whether to open a new connection, so that connecting is measured."""

    @classmethod
    def of(
        cls,
        url: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = b"",
        content_type: str | None = None,
        tls: Tls | None = None,
        fresh: bool = False,
    ) -> HttpRequest:
        """A request with headers from a mapping; `content_type` is added unless the headers say it."""
        pairs = tuple((headers or {}).items())
        if content_type is not None and not any(name.lower() == "content-type" for name, _ in pairs):
            pairs = (*pairs, ("Content-Type", content_type))
        return cls(url, method, pairs, body, tls or Tls(), fresh)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a url leads."""

    scheme: str
    host: str
    port: int
    netloc: bytes
    """The value of the Host header."""
    target: bytes
    """Path and query, percent-encoded."""
    authorization: bytes | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request, ready to be sent."""

    method: str
    scheme: str
    host: str
    port: int
    tls: Tls
    server: object
    """Requests with an equal `server` may share a connection."""
    event: h11.Request
    body: Body


def shown(url: str) -> str:
    """The url without user and password, as it may be told."""
    if "@" not in url:
        return url
    netloc = urlsplit(url).netloc
    return url.replace(f"//{netloc}", f"//{netloc.rpartition('@')[2]}", 1)


@lru_cache(maxsize=1024)
def place(url: str) -> Place:
    """Where a url leads; raises Unmeasurable for one that is no http url."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        host = host if host is None or host.isascii() else host.encode("idna").decode("ascii")
    except ValueError as error:
        raise Unmeasurable(f"a url cannot be read: {error}", hint="see the target's url") from error
    if parts.scheme not in ("http", "https") or not host:
        raise Unmeasurable(f"{shown(url)!r} is not an http url", hint="set a url that begins with http:// or https://")
    default = 443 if parts.scheme == "https" else 80
    bracketed = f"[{host}]" if ":" in host else host
    netloc = bracketed if port in (None, default) else f"{bracketed}:{port}"
    target = quote(parts.path or "/", safe=_PATH) + (f"?{quote(parts.query, safe=_QUERY)}" if parts.query else "")
    authorization = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = b"Basic " + b64encode(pair.encode())
    return Place(parts.scheme, host, default if port is None else port, netloc.encode(), target.encode(), authorization)


def leads_somewhere(url: str) -> bool:
    """Whether a url that a server gave is one of http, so that it can be asked for."""
    try:
        place(url)
    except Unmeasurable:
        return False
    return True


def prepare(request: HttpRequest) -> Prepared:
    """The request in its form on the wire; raises Unmeasurable for one that HTTP does not allow."""
    to = place(request.url)
    method = request.method.upper()
    try:
        given = [(name.encode("ascii"), value.encode("utf-8")) for name, value in request.headers]
        names = {name.lower() for name, _ in given}
        headers = [] if b"host" in names else [(b"host", to.netloc)]
        headers += [pair for pair in _DEFAULTS if pair[0] not in names]
        if to.authorization is not None and b"authorization" not in names:
            headers.append((b"authorization", to.authorization))
        if (request.body or method in ("POST", "PUT", "PATCH")) and not names & {
            b"content-length",
            b"transfer-encoding",
        }:
            headers.append((b"content-length", str(len(request.body)).encode()))
        event = h11.Request(method=method, target=to.target, headers=headers + given)
    except (h11.LocalProtocolError, UnicodeError) as error:
        raise Unmeasurable(f"HTTP does not allow this request: {error}", hint="see its method and headers") from error
    server = (to.scheme, to.host, to.port, request.tls if to.scheme == "https" else None)
    return Prepared(method, to.scheme, to.host, to.port, request.tls, server, event, request.body)


def request_bytes(prepared: Prepared, connection: h11.Connection | None = None) -> bytes:
    """The request on the wire, sent over an h11 connection if one is given; raises Unmeasurable, as `prepare`."""
    return b"".join(request_pieces(prepared, connection or h11.Connection(h11.CLIENT)))


def request_pieces(prepared: Prepared, connection: h11.Connection) -> Iterator[bytes]:
    """The same piece by piece, the headers first."""
    try:
        yield connection.send(prepared.event) or b""
        for piece in pieces_of(prepared.body):
            yield connection.send(h11.Data(data=piece)) or b""
        yield connection.send(h11.EndOfMessage()) or b""
    except h11.LocalProtocolError as error:
        raise Unmeasurable(f"HTTP does not allow this request: {error}", hint="see its headers and body") from error
