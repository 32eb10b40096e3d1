"""What `init` finds out about the parts of a stack by asking them: the API's root, Redis' protocol, a monitor."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import httpx

from xnai_validate.model.target import Target, Tls

_TIMEOUT_S = 3.0
_REPLIES = (b"+", b"-")
"""How a reply of Redis to PING begins: +PONG, or -NOAUTH."""
_WATCHED = "xnai_service_health{"
_UNVERIFIED = ("none", "optional")


def with_root(api: Target) -> Target:
    """The API with the url below which its OpenAPI document is, if that is not the origin of its url.

    A gateway may route only the API's prefix, so that /openapi.json is below it.
    """
    if api.url is None or _has_document(api.origin) or not _has_document(api.url):
        return api
    return replace(api, root=api.url)


def with_protocol(redis: Target) -> Target:
    """Redis with the scheme that it speaks, and the TLS settings that the stack's own environment names.

    The stack reads REDIS_CA_CERT_PATH and REDIS_SSL_CERT_REQS (none, optional, required).
    """
    if redis.url is None or not redis.host:
        return redis
    scheme = "redis" if _answers_in_plain(redis.host, redis.port) else "rediss"
    url = f"{scheme}://{redis.url.partition('://')[2]}"
    if scheme == "redis":
        return replace(redis, url=url, tls=Tls())
    verify = os.environ.get("REDIS_SSL_CERT_REQS", "").lower() not in _UNVERIFIED
    return replace(redis, url=url, tls=replace(redis.tls, verify=verify))


def has_monitor(metrics: Target) -> bool:
    """Whether the metrics show the gauge of a monitor that watches the stack, with a sample."""
    if metrics.url is None:
        return False
    try:
        answer = httpx.get(f"{metrics.url.rstrip('/')}/metrics", timeout=_TIMEOUT_S, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL):
        return False
    return answer.status_code == 200 and any(line.startswith(_WATCHED) for line in answer.text.splitlines())


def _has_document(base: str) -> bool:
    """Whether an OpenAPI document is served below a url."""
    try:
        answer = httpx.get(f"{base.rstrip('/')}/openapi.json", timeout=_TIMEOUT_S, trust_env=False)
        return answer.status_code == 200 and "paths" in answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError):
        return False


def _answers_in_plain(host: str, port: int) -> bool:
    """Whether a server answers PING without TLS, be it with an error."""
    try:
        with socket.create_connection((host, port), _TIMEOUT_S) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(1) in _REPLIES
    except OSError:
        return False
