"""Cookies (RFC 6265): those that a response sets, and keeping them along redirections."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from xnai_validate.wire.http.connections.destination import destination
from xnai_validate.wire.http.head import Head
from xnai_validate.wire.http.request import HttpRequest

SHOWN_CAP = 100
"""Cookies of one response that are kept."""


LIFETIME_CAP_S = 400 * 86400.0 * 365
"""A longer Max-Age is as long: "the latest representable date" (section 5.2.2)."""


@dataclass(frozen=True, slots=True)
class SetCookie:
    """One `Set-Cookie` of a response."""

    name: str
    value: str
    attributes: str
    """What follows the value: `Path=/; HttpOnly; SameSite=Lax`."""
    lifetime_s: float | None
    """Seconds until it expires; None for a cookie of the session, 0 or less for one that is deleted."""
    domain: str | None
    """Without it, the cookie goes to the host that set it alone."""
    path: str | None
    secure: bool
    http_only: bool
    same_site: str | None
    """In lower case: `strict`, `lax` or `none`."""


def set_cookies(head: Head, now_s: float) -> tuple[SetCookie, ...]:
    """The cookies that a response sets, in its order (RFC 6265 section 5.2); lines without a name are left out.

    `now_s` is when it came, in seconds since the epoch.
    """
    parsed = []
    for line in head.set_cookies[:SHOWN_CAP]:
        pair, _, attributes = line.partition(";")
        name, equals, value = pair.partition("=")
        if equals and name.strip():
            parsed.append(_cookie(name.strip(), value.strip(), attributes.strip(), now_s))
    return tuple(parsed)


def _cookie(name: str, value: str, attributes: str, now_s: float) -> SetCookie:
    """The cookie with what its attributes mean; of an attribute that comes twice, the last counts."""
    given: dict[str, str] = {}
    for attribute in attributes.split(";"):
        key, _, text = attribute.partition("=")
        given[key.strip().lower()] = text.strip()
    return SetCookie(
        name,
        value,
        attributes,
        _lifetime_s(given, now_s),
        given.get("domain", "").lstrip(".").lower() or None,
        given.get("path") or None,
        "secure" in given,
        "httponly" in given,
        given.get("samesite", "").lower() or None,
    )


def _lifetime_s(given: Mapping[str, str], now_s: float) -> float | None:
    """Seconds until a cookie expires: Max-Age goes before Expires, and what is malformed is ignored (section 5.2)."""
    if re.fullmatch(r"-?\d+", given.get("max-age", ""), re.ASCII):
        return max(-LIFETIME_CAP_S, min(float(given["max-age"]), LIFETIME_CAP_S))
    try:
        # A zone is no part of the date's grammar (section 5.1.1): browsers read every one as GMT.
        return round(parsedate_to_datetime(given.get("expires", "")).replace(tzinfo=UTC).timestamp() - now_s, 3)
    except (ValueError, OverflowError):
        return None


class CookieJar:
    """The cookies of a chain of redirections, or of a target, kept by the rules of the standard library's jar."""

    def __init__(self) -> None:
        self._cookies = httpx.Cookies()

    def take(self, request: HttpRequest, head: Head) -> None:
        """Keep the cookies that the response to a request sets."""
        headers = [(b"set-cookie", line.encode("utf-8", "replace")) for line in head.set_cookies]
        self._cookies.extract_cookies(httpx.Response(head.status, headers=headers, request=_about(request)))

    def added_to(self, request: HttpRequest, *, own_first: bool = False) -> HttpRequest:
        """The request with the cookies that are kept for its url.

        They replace given ones of the same name; with `own_first`, those of the request stay.
        """
        probe = _about(request)
        self._cookies.set_cookie_header(probe)
        kept = probe.headers.get("cookie")
        if kept is None:
            return request
        given = next((value for name, value in request.headers if name.lower() == "cookie"), "")
        joined = f"{kept}; {given}" if own_first else f"{given}; {kept}"
        pairs = dict(pair.strip().partition("=")[::2] for pair in joined.split(";") if pair.strip())
        others = tuple(pair for pair in request.headers if pair[0].lower() != "cookie")
        header = "; ".join(f"{name}={value}" for name, value in pairs.items())
        return replace(request, headers=(*others, ("Cookie", header)))


class KeptCookies:
    """The cookies that the targets of a run keep, a jar for each."""

    def __init__(self) -> None:
        self._jars: dict[str, CookieJar] = {}

    def added_to(self, request: HttpRequest) -> HttpRequest:
        """The request with the cookies that its target keeps; its own go before them."""
        jar = self._jars.get(request.jar or "")
        return jar.added_to(request, own_first=True) if jar else request

    def take(self, request: HttpRequest, head: Head) -> None:
        """Keep the cookies that the response to a request sets, if its target keeps any."""
        if request.jar:
            self._jars.setdefault(request.jar, CookieJar()).take(request, head)


def _about(request: HttpRequest) -> httpx.Request:
    """The request as the jar looks at it: its url."""
    to = destination(request.url)
    return httpx.Request("GET", httpx.URL(scheme=to.scheme, host=to.host, port=to.port, raw_path=to.target))
