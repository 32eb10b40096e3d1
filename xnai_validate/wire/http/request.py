"""A request to an HTTP server: url, method, headers, body, credentials, verified before it is sent."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from xnai_validate import __version__
from xnai_validate.errors import Unmeasurable
from xnai_validate.model.target import Auth, Credentials, Session, Target, Tls
from xnai_validate.model.trace_context import TRACEPARENT
from xnai_validate.wire.http.connections.destination import Destination, destination, without_userinfo
from xnai_validate.wire.http.content_coding import ACCEPT_ENCODING
from xnai_validate.wire.http.upload import Body
from xnai_validate.wire.net.names import tls_name

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Methods of requests that may be sent twice (RFC 9110 section 9.2.2)."""
UNAUTHORIZED = 401
"""The status of a response to a request without (valid) credentials (RFC 9110 section 15.5.2)."""
LENGTH_DIGITS = 20
"""Digits of a Content-Length; more are refused."""
_DEFAULTS = (
    (b"accept", b"*/*"),
    (b"accept-encoding", ACCEPT_ENCODING.encode()),
    (b"user-agent", f"xnai-validate/{__version__}".encode()),
)
_COOKIE_NAME = re.compile(r"[^\x00-\x20;=\x7f](?:[^\x00-\x1f;=\x7f]*[^\x00-\x20;=\x7f])?")
_COOKIE_VALUE = re.compile(r"(?:[^\x00-\x20;\x7f](?:[^\x00-\x1f;\x7f]*[^\x00-\x20;\x7f])?)?")
# What a token and the value of a header may be, as bytes (RFC 9110 sections 5.6.2 and 5.5).
_TOKEN = re.compile(rb"[-!#$%&'*+.^_`|~0-9a-zA-Z]+")
_VALUE = re.compile(rb"(?:[^\x00\s]+(?:[ \t]+[^\x00\s]+)*)?")
_TARGET = re.compile(rb"[\x21-\x7e]+")

RawHeaders = list[tuple[bytes, bytes]]


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
    auth: Auth | None = None
    """How we prove who we are; a header `Authorization` or a user in the url goes before it."""
    proxy: str | None = None
    """The url of a proxy: `http`, `https`, `socks5`, `socks5h`."""
    http2: bool = False
    """Whether HTTP/2 is offered (with TLS) or spoken (without)."""
    keeps_cookies: bool = False
    """Whether cookies that a redirection sets are sent from then on (RFC 6265)."""
    jar: str | None = None
    """The target whose kept cookies are sent with it, and that keeps those of the response."""
    session: Session | None = None
    """The login whose credentials are added when it is sent."""

    @classmethod
    def of(
        cls,
        url: str,
        method: str = "GET",
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = b"",
        content_type: str | None = None,
        target: Target | None = None,
        tls: Tls | None = None,
        fresh: bool = False,
    ) -> HttpRequest:
        """A request with headers from a mapping; `content_type` is added unless the headers have one.

        With `target`, its TLS settings and proxy are used; its credentials, session and headers too, unless the url is
        of another origin. A request with its own header `Authorization` has no session.
        """
        pairs = tuple((headers or {}).items())
        if content_type is not None and not any(name.lower() == "content-type" for name, _ in pairs):
            pairs = (*pairs, ("Content-Type", content_type))
        if target is None:
            return cls(url, method, pairs, body, tls or Tls(), fresh)
        auth = session = jar = None
        if (target.auth or target.headers or target.session or target.keeps_cookies) and _belongs(url, target):
            jar = target.name if target.keeps_cookies else None
            auth = target.auth
            own = {name.lower() for name, _ in pairs}
            session = None if "authorization" in own else target.session
            pairs = (*(pair for pair in target.headers if pair[0].lower() not in own), *pairs)
        proxy, http2 = target.proxy, target.http2
        return cls(url, method, pairs, body, tls or target.tls, fresh, auth, proxy, http2, jar=jar, session=session)

    @property
    def name(self) -> str:
        """The method and the url of the request, without user and password."""
        return f"{self.method.upper()} {without_userinfo(self.url)}"

    def with_credentials(self, credentials: Credentials) -> HttpRequest:
        """The request with the credentials of its session; its own headers go before them, cookies are joined."""
        own = {name.lower() for name, _ in self.headers}
        cookies = [value for name, value in (*self.headers, *credentials) if name.lower() == "cookie"]
        headers = [pair for pair in self.headers if pair[0].lower() != "cookie"]
        headers += [pair for pair in credentials if pair[0].lower() not in own | {"cookie"}]
        if cookies:
            headers.append(("Cookie", "; ".join(cookies)))
        return replace(self, headers=tuple(headers), session=None)


def _belongs(url: str, target: Target) -> bool:
    """Whether a url is of the origin of the target, or of its root."""
    try:
        origin = destination(url).origin
        return origin in [destination(own).origin for own in (target.url, target.root) if own]
    except Unmeasurable:  # raised again when the request is prepared
        return False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that HTTP allows, ready for a client to send."""

    method: str
    to: Destination
    tls: Tls
    headers: RawHeaders
    """In the order of sending, with Host and, where there is a body, its length or coding."""
    body: Body
    chunked: bool
    """Whether the body goes out in chunks."""
    digest: Auth | None
    """Credentials that wait for the server's challenge (RFC 7616)."""
    proxy: str | None
    http2: bool
    traceparent: str | None = None
    """The trace context that was added to the headers (W3C Trace Context); None without one of the run."""

    @property
    def server(self) -> object:
        """Requests with an equal `server` may share a connection."""
        return (self.to.origin, self.tls if self.to.scheme == "https" else None, self.proxy, self.http2)

    @property
    def tls_name(self) -> str | None:
        """The name to ask for in a TLS handshake; None without TLS."""
        return tls_name(self.tls.server_name or self.to.host) if self.to.scheme == "https" else None

    @property
    def accepted_codings(self) -> str:
        """The value of `Accept-Encoding`."""
        return next((value.decode() for name, value in self.headers if name.lower() == b"accept-encoding"), "")


def prepare(request: HttpRequest) -> Prepared:
    """The request with all its headers; raises Unmeasurable for one that HTTP does not allow."""
    to = destination(request.url)
    method = request.method.upper()
    try:
        given = [(name.encode("ascii"), value.encode("utf-8")) for name, value in request.headers]
        values = _values(given)
        chunked = _is_chunked(values, len(request.body))
        headers = [pair for pair in given if pair[0].lower() == b"host"] or [(b"host", to.netloc)]
        headers += [pair for pair in _DEFAULTS if pair[0] not in values]
        auth = Auth("basic", to.user, to.password) if to.user is not None else request.auth
        auth = None if b"authorization" in values else auth
        if auth is not None and auth.scheme != "digest":
            headers.append((b"authorization", _authorization(auth)))
        if (request.body or method in ("POST", "PUT", "PATCH")) and not chunked and b"content-length" not in values:
            headers.append((b"content-length", str(len(request.body)).encode()))
        headers += [pair for pair in given if pair[0].lower() != b"host"]
        traceparent = None if b"traceparent" in values else TRACEPARENT.get()
        if traceparent is not None:
            headers.append((b"traceparent", traceparent.encode()))
        _verify_request_line(method.encode("ascii"), to.target)
        if to.scheme == "https":
            tls_name(request.tls.server_name or to.host)
    except ValueError as error:
        raise Unmeasurable(
            f"HTTP does not allow this request: {error}", hint="see its method, headers and body"
        ) from error
    digest = auth if auth is not None and auth.scheme == "digest" else None
    return Prepared(
        method, to, request.tls, headers, request.body, chunked, digest, request.proxy, request.http2, traceparent
    )


def _authorization(auth: Auth) -> bytes:
    """The value of the header (RFC 7617 section 2, RFC 6750 section 2.1). Raises ValueError."""
    if auth.scheme == "basic":
        return b"Basic " + b64encode(f"{auth.user}:{auth.secret}".encode())
    value = f"Bearer {auth.secret}".encode()
    if not _VALUE.fullmatch(value):
        raise ValueError("the bearer token has a character that a header cannot hold")
    return value


def verify_headers(method: str, headers: Mapping[str, str]) -> None:
    """Raise ValueError for a method or a header that HTTP does not allow (RFC 9110 sections 9.1 and 5.5)."""
    if not _TOKEN.fullmatch(method.encode("utf-8", "surrogatepass")):
        raise ValueError(f"{method[:80]!r} is not a method of HTTP")
    _values([(name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in headers.items()])


def verified_cookie_name(name: str) -> str:
    """Return the name of a cookie. Raises ValueError where servers would read another name, or more than one cookie.

    RFC 6265 section 5.4: pairs are joined by a semicolon and a blank, and a name ends at the first equals sign.
    """
    if not _COOKIE_NAME.fullmatch(name):
        raise ValueError("the name of a cookie has no semicolon, equals sign, line break, or blank at its ends")
    return name


def verified_cookie_value(value: str) -> str:
    """Return the value of a cookie; raises ValueError, without quoting it, where servers would read another one."""
    if not _COOKIE_VALUE.fullmatch(value):
        raise ValueError("the value of a cookie has no semicolon, line break, or blank at its ends; encode it")
    return value


def _values(given: RawHeaders) -> dict[bytes, list[bytes]]:
    """Name in lower case -> its values; raises ValueError for what cannot be in a header, or not twice."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in given:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{_quote(name)} is not a name of a header")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the value of the header {name.decode()} {_error_of(value)}")
        values.setdefault(name.lower(), []).append(value)
    for once in (b"host", b"content-length"):
        if len(values.get(once, ())) > 1:
            raise ValueError(f"it has several {once.decode().title()} headers")
    return values


def _error_of(value: bytes) -> str:
    """Describe the error in the value of a header without quoting it, for it may be a secret."""
    if value.strip() != value and _VALUE.fullmatch(value.strip()):
        return "begins or ends with a blank or a line break"
    return "has a line break, or another character that HTTP does not allow"


def _is_chunked(values: Mapping[bytes, list[bytes]], size: int) -> bool:
    """Whether the body goes out in chunks; raises ValueError where the headers contradict the body."""
    codings = [value.lower() for value in values.get(b"transfer-encoding", ())]
    if codings and codings != [b"chunked"]:
        raise ValueError(f"Transfer-Encoding can only be chunked, not {_quote(b', '.join(codings))}")
    for length in values.get(b"content-length", ()):
        if not (length.isdigit() and len(length) <= LENGTH_DIGITS):
            raise ValueError(f"{_quote(length)} is not a Content-Length")
        if not codings and int(length) != size:
            raise ValueError(f"its body has {size} bytes, and its Content-Length is {int(length)}")
    return bool(codings)


def _verify_request_line(method: bytes, target: bytes) -> None:
    """Raise ValueError if the method or the path is not one of HTTP (RFC 9112 section 3)."""
    if not _TOKEN.fullmatch(method):
        raise ValueError(f"{_quote(method)} is not a method")
    if not _TARGET.fullmatch(target):
        raise ValueError(f"{_quote(target)} is not a path")


def _quote(part: bytes) -> str:
    """Quote bytes for a message, at most 80."""
    return repr(part[:80].decode("utf-8", "replace"))
