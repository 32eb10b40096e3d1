"""A target: a named part of the stack, where it is reached and, where known, the process behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import quote, urlsplit

UNIX = "http+unix"
"""The scheme of HTTP over a unix socket: `http+unix://%2Frun%2Fx.sock/health` is `/health` on `/run/x.sock`."""


def is_absolute(path: str) -> bool:
    """Whether a path is a whole url: only where it begins with a scheme (RFC 3986 section 3.1)."""
    return _SCHEME.match(path) is not None


def over_socket(socket: str, path: str) -> str:
    """The url of a path that a server on a unix socket answers; `path` begins with a slash, or is empty."""
    return f"{UNIX}://{quote(socket, safe='')}{path}"


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PORTS = {
    "http": 80, "https": 443, "ws": 80, "wss": 443, "redis": 6379, "rediss": 6379, "postgres": 5432,
    "amqp": 5672, "amqps": 5671, "kafka": 9092, "kafkas": 9092,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tls:
    """How to trust a TLS server, and the certificate to show it. Paths are files in PEM."""

    ca: str | None = None
    """The authority to trust instead of the machine's own."""
    verify: bool = True
    cert: str | None = None
    key: str | None = None
    server_name: str | None = None
    """The name to ask for and to verify, if it is not the host of the url."""
    key_password: str | None = field(default=None, repr=False)
    """The pass phrase of an encrypted key."""
    key_password_env: str | None = None
    """The environment variable that the pass phrase is from."""


@dataclass(frozen=True, slots=True)
class Auth:
    """How a check proves to an HTTP server who it is."""

    scheme: Literal["basic", "digest", "bearer"]
    user: str = ""
    """For `basic` and `digest`."""
    secret: str = field(default="", repr=False)
    """The password, or the token of `bearer`."""


Credentials = tuple[tuple[str, str], ...]
"""Headers that prove to a server who sends a request."""


class Session(Protocol):
    """A login that all requests to a target share."""

    async def credentials(self) -> Credentials:
        """Return the credentials of the session; the first call logs in. Raises Unmeasurable if that fails."""

    async def renewed(self, refused: Credentials, request: str) -> Credentials | None:
        """Return other credentials after a request with `refused` got status 401; None if it is not worth a login.

        Logs in again unless another request has done so meanwhile. `request` is its method and url.
        """

    def still_refused(self, request: str) -> None:
        """Note that a request got status 401 with new credentials as well: its next 401 needs no login."""


@dataclass(frozen=True, slots=True)
class Target:
    """One part of the stack. `url` carries the layout's prefix, without a slash at its end."""

    name: str
    url: str | None = None
    root: str | None = None
    """Where what lives at the root (`/docs`, `/openapi.json`) is found; by default the url's origin."""
    container: str | None = None
    pid: int | None = None
    log: str | None = None
    """The path of the file that its process writes its log to; absolute."""
    state_file: str | None = None
    """The stack file with its current url and pid, which the stack may rewrite."""
    password: str | None = field(default=None, repr=False)
    password_env: str | None = None
    """The environment variable that the password is from, if it is from one."""
    tls: Tls = field(default_factory=Tls)
    auth: Auth | None = None
    """Credentials of HTTP requests."""
    proxy: str | None = field(default=None, repr=False)
    """The url of a proxy for HTTP requests: `http`, `https`, `socks5` or `socks5h`."""
    http2: bool = False
    """Whether HTTP/2 is offered in the TLS handshake, or spoken at once to an `http` url."""
    keeps_cookies: bool = False
    """Whether cookies that its responses set are sent with the requests of all checks from then on."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Headers of every HTTP and WebSocket request, unless a check sends its own."""
    session: Session | None = field(default=None, compare=False, repr=False)
    """The login that its requests share, during a run."""

    @property
    def scheme(self) -> str:
        """`http`, `https`, `redis`, `rediss`, `tcp`, `ws` ...; empty without a url."""
        return urlsplit(self.url).scheme if self.url else ""

    @property
    def uses_tls(self) -> bool:
        """Whether its scheme requires or allows TLS."""
        return bool(self.url) and self.scheme not in ("http", "ws", "redis", UNIX)

    @property
    def host(self) -> str:
        """The host of the url, without brackets; empty without a url and for a unix socket."""
        return (urlsplit(self.url).hostname or "") if self.url and self.scheme != UNIX else ""

    @property
    def port(self) -> int:
        """The port of the url, else the scheme's own, else 0."""
        if not self.url or self.scheme == UNIX:
            return 0
        return urlsplit(self.url).port or _PORTS.get(self.scheme, 0)

    @property
    def origin(self) -> str:
        """The url without path: `http://127.0.0.1:8000`."""
        parts = urlsplit(self.url or "")
        return f"{parts.scheme}://{parts.netloc}"

    def join(self, path: str, *, at_root: bool = False) -> str:
        """Return the url of a path below the target, or with `at_root` below its root; an absolute url as it is.

        A path is sent as it is written: `//admin` is another path than `/admin`.
        """
        if is_absolute(path):
            return path
        base = (self.root or self.origin) if at_root else (self.url or "")
        if not path:
            return base
        return f"{base.rstrip('/')}{'' if path.startswith('/') else '/'}{path}"

    def can_request(self, path: str) -> bool:
        """Whether a request for a path has somewhere to go: to the target's url, or to the url that the path is."""
        return self.url is not None or is_absolute(path)


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate that was chosen for a target."""

    index: int
    tried: int
    """The number of candidates that were probed."""
    answered: bool
    """Whether it answered its probe; if none answers, the first candidate is chosen."""
