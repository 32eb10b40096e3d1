"""How a target is reached besides its url: TLS files, credentials and proxy, verified when the profile is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from xnai_validate.config.files.auth import AuthEntry
from xnai_validate.config.files.profile import TlsEntry
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.errors import Unmeasurable
from xnai_validate.model.target import UNIX, Auth, Target, Tls, over_socket
from xnai_validate.wire.net.names import ascii_host, tls_name
from xnai_validate.wire.net.tls import client_context

ENVIRONMENT = "environment"
"""What `proxy` of a target is to take the proxy from HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
_HTTP = ("http", "https", "ws", "wss")


@dataclass(frozen=True, slots=True)
class TargetAccess:
    """Reads the fields of a target that describe how it is reached; notes errors at their places."""

    environ: Mapping[str, str]
    problems: Problems
    secrets: set[str]
    unset: set[str] | None = None
    """Collects the variables that are not set, where these are not errors because nothing will be run."""

    def tls(self, entry: TlsEntry | None, where: Where, folder: Path | None) -> Tls:
        """The TLS settings; their files are named relative to `folder`, that of the file they stand in."""
        if entry is None:
            return Tls()
        server_name = entry.server_name
        if server_name is not None:
            try:
                server_name = tls_name(server_name)
            except ValueError as error:
                self.problems.at(where.at("server_name"), f"server_name: {error}", "write a name such as api.internal")
        key_password = self.secret(entry.key_password_env, where.at("key_password_env"))
        return Tls(
            located(entry.ca, folder),
            entry.verify,
            located(entry.cert, folder),
            located(entry.key, folder),
            server_name,
            key_password,
            entry.key_password_env,
        )

    def check_tls_files(self, target: Target, where: Where) -> None:
        """Note an error for TLS files that cannot be used, unless the url of the target speaks no TLS."""
        tls = target.tls
        lacks_password = tls.key_password_env is not None and tls.key_password is None  # noted already
        if not (tls.ca or tls.cert) or not target.uses_tls or lacks_password:
            return
        try:
            client_context(tls)
        except Unmeasurable as error:
            self.problems.at(where, error.message, error.hint)

    def auth(self, entry: AuthEntry | None, where: Where) -> Auth | None:
        """The credentials of HTTP requests; None if they come from a login."""
        if entry is None or entry.scheme == "login" or entry.scheme == "oauth2-client-credentials":
            return None
        return Auth(entry.scheme, entry.user or "", self.secret(entry.secret_env, where.at("secret_env")) or "")

    def secret(self, variable: str | None, where: Where) -> str | None:
        """The value of the environment variable that holds a secret; one that is not set is noted as an error."""
        if variable is None:
            return None
        secret = self.environ.get(variable)
        if not secret and self.unset is not None:
            self.unset.add(variable)
            return None
        if not secret:
            self.problems.at(where, f"the environment variable {variable} is not set", "export it before the run")
            return None
        self.secrets.add(secret)
        return secret

    def proxied(self, target: Target, proxy: str | None, where: Where) -> Target:
        """The target with the proxy that its requests take."""
        if not proxy or target.scheme == UNIX:
            return target
        if proxy == ENVIRONMENT:
            proxy = self._environment_proxy(target)
            if proxy is None:
                return target
        try:
            parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            good = parts.scheme in PROXY_SCHEMES and bool(parts.hostname) and parts.port != 0 and proxy.isprintable()
        except ValueError:
            good = False
        if not good or parts.path not in ("", "/") or parts.query or parts.fragment:
            hint = f"write scheme://user:password@host:port with {', '.join(PROXY_SCHEMES)}; or `{ENVIRONMENT}`"
            self.problems.at(where, f"the proxy of {target.name} is not a url of one", hint)
            return target
        if parts.password:
            self.secrets.update((parts.password, unquote(parts.password)))
        return replace(target, proxy=urlunsplit(parts))

    @property
    def _is_cgi(self) -> bool:
        """Whether this is a CGI program, where a client sets HTTP_PROXY by a request header `Proxy`."""
        return "REQUEST_METHOD" in self.environ

    def _environment_proxy(self, target: Target) -> str | None:
        """Return the proxy that the environment names for the target's url, as curl and Python understand it."""
        # HTTP_PROXY in capitals may be the header `Proxy` of a CGI request (CVE-2016-5386).
        known = {
            name.lower().removesuffix("_proxy"): value
            for name, value in self.environ.items()
            if value and name.lower().endswith("_proxy") and (name != "HTTP_PROXY" or not self._is_cgi)
        }
        if _is_exempt(target.host, known.get("no", "")):
            return None
        scheme = {"ws": "http", "wss": "https"}.get(target.scheme, target.scheme)
        return known.get(scheme) or known.get("all")


def _is_exempt(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY names a host: by itself, by a domain that it belongs to, or by `*` for all."""
    names = [name.strip().lower().lstrip(".") for name in no_proxy.split(",")]
    return "*" in names or any(name and (host.lower() == name or host.lower().endswith(f".{name}")) for name in names)


def is_socket(parts: SplitResult) -> bool:
    """Whether a url names a unix socket instead of a host."""
    return parts.scheme in ("unix", UNIX)


def checked_url(parts: SplitResult) -> str:
    """The url of a target with its host in ASCII. Raises ValueError for parts of it that no check would follow."""
    if is_socket(parts):
        return _socket_url(parts)
    if parts.scheme in _HTTP and (parts.query or parts.fragment):
        what = "query" if parts.query else "fragment"
        raise ValueError(f"its {what} would not be sent: write it in the `path` or `query` of checks")
    if parts.scheme in ("tcp", "tls") and (parts.path.strip("/") or parts.query or parts.fragment):
        raise ValueError(f"{parts.scheme} has no path: write {parts.scheme}://host:port")
    if parts.hostname and not parts.hostname.isascii():
        userinfo, at, address = parts.netloc.rpartition("@")
        host, colon, port = address.partition(":")
        parts = parts._replace(netloc=f"{userinfo}{at}{ascii_host(host)}{colon}{port}")
    return urlunsplit(parts)


def _socket_url(parts: SplitResult) -> str:
    """The url of a unix socket: written `unix:///run/x.sock`, or `http+unix://%2Frun%2Fx.sock/prefix`."""
    if parts.query or parts.fragment:
        raise ValueError("the url of a unix socket has no query and no fragment")
    if parts.scheme == "unix":
        if parts.netloc or len(parts.path) < 2:
            raise ValueError("a unix socket is written unix:///run/x.sock, with its whole path")
        return over_socket(unquote(parts.path), "")
    socket = unquote(parts.netloc)
    if not socket.startswith("/"):
        raise ValueError("the socket of http+unix:// is a whole path with %2F for /: http+unix://%2Frun%2Fx.sock")
    return over_socket(socket, parts.path)


def located(path: str | None, folder: Path | None) -> str | None:
    """The whole path of a file: relative to `folder`, or to the current directory where it has no such file."""
    if not path:
        return None
    path = os.path.expanduser(path)
    below = folder / path if folder is not None else None
    return os.path.abspath(below if below is not None and below.exists() else path)
