"""Following redirections (RFC 9110 section 15.4) without sending credentials to another server."""

from __future__ import annotations

from dataclasses import replace

from xnai_validate.wire.http.connections.destination import followed
from xnai_validate.wire.http.head import Head
from xnai_validate.wire.http.request import HttpRequest

_BODY = ("content-", "transfer-encoding")
"""How the names of headers begin that are about the body."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HARMLESS = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "content-encoding",
        "content-language",
        "content-type",
        "pragma",
        "range",
        "user-agent",
    }
)
"""The headers that go along to another origin: a secret may be in any other, whatever its name."""


def redirected(request: HttpRequest, head: Head) -> HttpRequest | None:
    """Return the request that follows a redirection; None for a response that leads to no further request."""
    location = head.headers.get("location")
    if head.status not in REDIRECTS or not location:
        return None
    leads_to = followed(request.url, location)
    if leads_to is None:
        return None
    url, same_origin = leads_to
    following = replace(request, url=url)
    if head.status == 303 or (head.status in (301, 302) and request.method.upper() == "POST"):
        method = "HEAD" if request.method.upper() == "HEAD" else "GET"
        headers = tuple(pair for pair in request.headers if not pair[0].lower().startswith(_BODY))
        following = replace(following, method=method, body=b"", headers=headers)
    if not same_origin:
        headers = tuple(pair for pair in following.headers if pair[0].lower() in HARMLESS)
        tls = replace(request.tls, server_name=None, cert=None, key=None)
        following = replace(following, headers=headers, tls=tls, auth=None, jar=None, session=None)
    return following
