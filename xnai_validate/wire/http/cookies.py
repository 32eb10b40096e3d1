"""Cookies (RFC 6265): those that a response sets, and keeping them along redirections."""

from __future__ import annotations

from dataclasses import dataclass, replace

import httpx

from xnai_validate.wire.http.destination import destination
from xnai_validate.wire.http.head import Head
from xnai_validate.wire.http.request import HttpRequest

SHOWN_CAP = 100
"""Cookies of one response that are kept."""


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One `Set-Cookie` of a response."""

    name: str
    value: str
    attributes: str
    """What follows the value: `Path=/; HttpOnly; SameSite=Lax`."""


def set_cookies(head: Head) -> tuple[SetCookie, ...]:
    """The cookies that a response sets, in its order (RFC 6265 section 5.2); lines without a name are left out."""
    parsed = []
    for line in head.set_cookies[:SHOWN_CAP]:
        pair, _, attributes = line.partition(";")
        name, equals, value = pair.partition("=")
        if equals and name.strip():
            parsed.append(SetCookie(name.strip(), value.strip(), attributes.strip()))
    return tuple(parsed)


class CookieJar:
    """The cookies of one chain of redirections, kept by the rules of the standard library's jar."""

    def __init__(self) -> None:
        self._cookies = httpx.Cookies()

    def take(self, request: HttpRequest, head: Head) -> None:
        """Keep the cookies that the response to a request sets."""
        headers = [(b"set-cookie", line.encode("utf-8", "replace")) for line in head.set_cookies]
        self._cookies.extract_cookies(httpx.Response(head.status, headers=headers, request=_about(request)))

    def added_to(self, request: HttpRequest) -> HttpRequest:
        """The request with the cookies that are kept for its url; they replace given ones of the same name."""
        probe = _about(request)
        self._cookies.set_cookie_header(probe)
        kept = probe.headers.get("cookie")
        if kept is None:
            return request
        given = next((value for name, value in request.headers if name.lower() == "cookie"), "")
        pairs = dict(pair.strip().partition("=")[::2] for pair in f"{given}; {kept}".split(";") if pair.strip())
        others = tuple(pair for pair in request.headers if pair[0].lower() != "cookie")
        header = "; ".join(f"{name}={value}" for name, value in pairs.items())
        return replace(request, headers=(*others, ("Cookie", header)))


def _about(request: HttpRequest) -> httpx.Request:
    """The request as the jar looks at it: its url."""
    to = destination(request.url)
    return httpx.Request("GET", httpx.URL(scheme=to.scheme, host=to.host, port=to.port, raw_path=to.target))
