"""Where an HTTP url leads: host and port or a socket's path, the target of the request line, and credentials."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.target import UNIX, is_absolute
from xnai_validate.wire.net.names import ascii_host

_PATH = "/:@!$&'()*+,;=~%"
_PLAIN_PATH = re.compile("[A-Za-z0-9/_.-]+")
_QUERY = "/?:@!$&'()*+,;=~%[]"
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a url leads."""

    scheme: str
    """`http` or `https`; `http` for a unix socket too."""
    host: str
    """In ASCII, without brackets; `localhost` for a unix socket."""
    port: int
    socket: str | None
    """The path of a unix socket that is connected to instead of the host."""
    netloc: bytes
    """The value of the Host header."""
    target: bytes
    """Path and query, percent-encoded: the target of the request line."""
    user: str | None
    """User and password of the url, percent-decoded."""
    password: str

    @property
    def origin(self) -> tuple[str, str, int, str | None]:
        """What two urls of one origin have in common (RFC 6454 section 4); a unix socket is an origin of its own."""
        return self.scheme, self.host, self.port, self.socket


@lru_cache(maxsize=1024)
def destination(url: str) -> Destination:
    """Where a url leads; raises Unmeasurable for one that is not an http url.

    `http+unix://%2Frun%2Fx.sock/health` is HTTP over the socket `/run/x.sock`.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", UNIX):
            raise Unmeasurable(
                f"{without_userinfo(url)!r} is not an http url", hint="set a url that begins with http:// or https://"
            )
        unix = parts.scheme == UNIX
        socket = unquote(parts.netloc) if unix else None
        host, port = ("localhost", None) if unix else (parts.hostname or "", parts.port)
        host = ascii_host(host)
    except ValueError as error:
        raise Unmeasurable(f"a url cannot be read: {error}", hint="see the target's url") from error
    if not host or (socket is not None and not socket.startswith("/")):
        raise Unmeasurable(f"{without_userinfo(url)!r} names no host", hint="write scheme://host:port/path")
    scheme = "http" if unix else parts.scheme
    default = _PORTS[scheme]
    bracketed = f"[{host}]" if ":" in host else host
    netloc = bracketed if port in (None, default) else f"{bracketed}:{port}"
    path = parts.path or "/"
    target = path if _PLAIN_PATH.fullmatch(path) else quote(path, safe=_PATH)
    target += f"?{quote(parts.query, safe=_QUERY)}" if parts.query else ""
    user = None if parts.username is None or unix else unquote(parts.username)
    password = "" if unix else unquote(parts.password or "")
    return Destination(
        scheme, host, default if port is None else port, socket, netloc.encode(), target.encode(), user, password
    )


def verified_path(path: str) -> str:
    """The path of a check; raises ValueError for a control character, and for an absolute url that is not of HTTP."""
    if control := _CONTROL.search(path):
        raise ValueError(f"{path[:80]!r} has a control character; write it as %{ord(control[0]):02X}")
    if is_absolute(path):
        try:
            destination(path)
        except Unmeasurable as error:
            raise ValueError(error.message) from None
    return path


def without_userinfo(url: str) -> str:
    """The url without user and password, as it may be shown."""
    if "@" not in url:
        return url
    netloc = urlsplit(url).netloc
    return url.replace(f"//{netloc}", f"//{netloc.rpartition('@')[2]}", 1)


def followed(url: str, location: str) -> tuple[str, bool] | None:
    """The url that a `Location` of the response from `url` names, and whether it is of the same origin.

    User and password of `url` belong to its origin and are kept there (RFC 9110 section 10.2.2 has the rest). None
    where a client must not follow: no url, another protocol, another socket.
    """
    try:
        here = destination(url)
        parts = urlsplit(url)
        # urllib resolves relative references of schemes that it knows only.
        base = urlunsplit(("http", "localhost", *parts[2:])) if here.socket else url
        joined = urljoin(base, location)
        scheme = urlsplit(joined).scheme
        if scheme not in ("http", "https"):
            return None
        there = destination(joined)
    except (ValueError, Unmeasurable):
        return None
    if here.socket:
        same = there.origin == ("http", "localhost", 80, None)
        return (urlunsplit((*parts[:2], *urlsplit(joined)[2:])), True) if same else (joined, False)
    if there.origin != here.origin:
        return joined, False
    if here.user is not None and there.user is None:
        userinfo = parts.netloc.rpartition("@")[0]
        new = urlsplit(joined)
        joined = urlunsplit(new._replace(netloc=f"{userinfo}@{new.netloc}"))
    return joined, True
