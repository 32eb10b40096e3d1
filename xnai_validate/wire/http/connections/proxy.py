"""The proxy of a request: HTTP, HTTPS or SOCKS 5, as httpcore speaks to it."""

from __future__ import annotations

import ssl
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

import httpcore

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.target import Tls
from xnai_validate.wire.http.connections.network import Backend
from xnai_validate.wire.http.request import Prepared
from xnai_validate.wire.net.names import ascii_host
from xnai_validate.wire.net.tls import client_context


def proxy_client(
    prepared: Prepared, backend: Backend, context: ssl.SSLContext | None, http1: bool
) -> httpcore.AsyncConnectionPool:
    """Return httpcore's client of the proxy of a request, which makes one connection here and pools none.

    Raises Unmeasurable without the package that a SOCKS proxy needs.
    """
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
        require_extra("socksio", "socks")
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


def require_extra(module: str, extra: str) -> None:
    """Raise Unmeasurable with the command that installs an extra, unless its package is installed."""
    if find_spec(module) is None:
        raise Unmeasurable(f"{extra} needs the package {module}", hint=f"pip install 'xnai-validate[{extra}]'")
