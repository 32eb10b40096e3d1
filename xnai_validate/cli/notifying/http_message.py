"""One HTTP request that delivers a message, and the name of its receiver without the secrets of its url."""

from __future__ import annotations

from urllib.parse import urlsplit

from xnai_validate import __version__
from xnai_validate.cli.notifying.deliveries import NotDelivered

TIMEOUT_S = 10.0
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which another attempt may succeed (RFC 9110 section 15, RFC 6585, RFC 8470)."""


def origin_of(url: str) -> str:
    """Return the scheme and the host of a url: path and query of a webhook are often its secret."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname or ""
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def post(url: str, body: bytes, content_type: str) -> None:
    """Send a POST request once. Raises NotDelivered unless the status is 2xx.

    Proxies are those of the environment: such a receiver is often outside the network of the stack.
    """
    import httpx  # a run that sends no message need not import it

    headers = {"Content-Type": content_type, "User-Agent": f"xnai-validate/{__version__}"}
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            status = response.status_code  # the body is of no use, however long it is
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotDelivered(f"{type(error).__name__}: {error}".replace(url, origin_of(url))) from None
    if not 200 <= status < 300:
        raise NotDelivered(f"status {status}", final=status not in _TRANSIENT)
