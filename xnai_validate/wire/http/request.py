"""What is asked of an HTTP server, and its form on the wire."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

from xnai_validate import __version__
from xnai_validate.errors import Unmeasurable
from xnai_validate.model.target import Tls
from xnai_validate.wire.http.body import ACCEPT_ENCODING
from xnai_validate.wire.http.http1 import LENGTH_DIGITS, TOKEN, VALUE
from xnai_validate.wire.http.upload import Body, pieces_of

_PATH = "/:@!$&'()*+,;=~%"
_PLAIN_PATH = re.compile("[A-Za-z0-9/_.-]+")
_QUERY = "/?:@!$&'()*+,;=~%[]"
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Methods of requests that may be sent twice (RFC 9110 section 9.2.2)."""
_DEFAULTS = (
    (b"accept", b"*/*"),
    (b"accept-encoding", ACCEPT_ENCODING.encode()),
    (b"user-agent", f"xnai-validate/{__version__}".encode()),
)
_TOKEN = re.compile(TOKEN)
_TARGET = re.compile(rb"[\x21-\x7e]+")
_VALUE = re.compile(VALUE)

Headers = list[tuple[bytes, bytes]]


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
    head: bytes
    """The request line and the headers, with the blank line behind them."""
    body: Body
    chunked: bool
    """Whether the body goes out in chunks."""
    upgrades: bool
    """Whether the server may switch to another protocol."""
    closes: bool
    """Whether the connection is to end with the response."""


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
    path = parts.path or "/"
    target = path if _PLAIN_PATH.fullmatch(path) else quote(path, safe=_PATH)
    target += f"?{quote(parts.query, safe=_QUERY)}" if parts.query else ""
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
        said = _said(given)
        chunked = _is_chunked(said, len(request.body))
        first = [pair for pair in given if pair[0].lower() == b"host"] or [(b"host", to.netloc)]
        headers = first + [pair for pair in _DEFAULTS if pair[0] not in said]
        if to.authorization is not None and b"authorization" not in said:
            headers.append((b"authorization", to.authorization))
        if (request.body or method in ("POST", "PUT", "PATCH")) and not chunked and b"content-length" not in said:
            headers.append((b"content-length", str(len(request.body)).encode()))
        headers += [pair for pair in given if pair[0].lower() != b"host"]
        head = _head(method.encode("ascii"), to.target, headers)
    except ValueError as error:
        raise Unmeasurable(
            f"HTTP does not allow this request: {error}", hint="see its method, headers and body"
        ) from error
    server = (to.scheme, to.host, to.port, request.tls if to.scheme == "https" else None)
    closes = any(b"close" in _listed(value) for value in said.get(b"connection", ()))
    return Prepared(
        method,
        to.scheme,
        to.host,
        to.port,
        request.tls,
        server,
        head,
        request.body,
        chunked,
        b"upgrade" in said,
        closes,
    )


def _said(given: Headers) -> dict[bytes, list[bytes]]:
    """Name in lower case -> its values; raises ValueError for what cannot be in a header, or not twice."""
    said: dict[bytes, list[bytes]] = {}
    for name, value in given:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{_shown(name)} is no name of a header")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"{_shown(value)} is no value of the header {name.decode()}")
        said.setdefault(name.lower(), []).append(value)
    for once in (b"host", b"content-length"):
        if len(said.get(once, ())) > 1:
            raise ValueError(f"it has several {once.decode().title()} headers")
    return said


def _is_chunked(said: Mapping[bytes, list[bytes]], size: int) -> bool:
    """Whether the body goes out in chunks; raises ValueError where the headers say what is not so of it."""
    codings = [value.lower() for value in said.get(b"transfer-encoding", ())]
    if codings and codings != [b"chunked"]:
        raise ValueError(f"its body can be sent as chunked, not as {_shown(b', '.join(codings))}")
    for length in said.get(b"content-length", ()):
        if not (length.isdigit() and len(length) <= LENGTH_DIGITS):
            raise ValueError(f"{_shown(length)} is no Content-Length")
        if not codings and int(length) != size:
            raise ValueError(f"its body has {size} bytes, and its Content-Length says {int(length)}")
    return bool(codings)


def _listed(value: bytes) -> set[bytes]:
    """The parts of a value that is a list, in lower case."""
    return {part for one in value.lower().split(b",") if (part := one.strip())}


def _head(method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"{_shown(method)} is no method")
    if not _TARGET.fullmatch(target):
        raise ValueError(f"{_shown(target)} is no path")
    fields = b"".join([b"%b: %b\r\n" % pair for pair in headers])
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, fields)


def _shown(part: bytes) -> str:
    return repr(part[:80].decode("utf-8", "replace"))


def request_bytes(prepared: Prepared) -> bytes:
    """The request on the wire."""
    return b"".join(request_pieces(prepared))


def request_pieces(prepared: Prepared) -> Iterator[bytes]:
    """The same piece by piece, the headers first."""
    yield prepared.head
    for piece in pieces_of(prepared.body):
        yield b"%x\r\n%b\r\n" % (len(piece), piece) if prepared.chunked else piece
    if prepared.chunked:
        yield b"0\r\n\r\n"
