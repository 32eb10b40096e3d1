"""Types of params that become parts of an HTTP request: what HTTP does not allow is refused when a file is loaded."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.kit import AfterValidator, BeforeValidator, Target, Unmeasurable
from xnai_validate.wire.http.connections.destination import destination, verified_path
from xnai_validate.wire.http.request import verified_cookie_name, verified_cookie_value, verify_headers

_OTHER_PROTOCOLS = ("tcp", "tls", "wyoming", "amqp", "amqps", "kafka")
"""Schemes of targets that have no HTTP on purpose: their checks are skipped."""


def _verify_method(method: str) -> str:
    """Return the method. Raises ValueError if HTTP does not allow it."""
    verify_headers(method, {})
    return method


def _verify_headers(headers: dict[str, str]) -> dict[str, str]:
    """Return the headers. Raises ValueError if HTTP does not allow one of them."""
    verify_headers("GET", headers)
    return headers


def _with_numbers_as_text(texts: object) -> object:
    """Return headers or cookies with whole numbers as text: an id that a step has captured may be one."""
    if not isinstance(texts, dict):
        return texts
    return {name: str(value) if type(value) is int else value for name, value in texts.items()}


HttpMethod = Annotated[str, AfterValidator(_verify_method)]
"""A method (RFC 9110 section 9.1)."""
HttpPath = Annotated[str, AfterValidator(verified_path)]
"""A path below a target's url, or an absolute url."""
HttpTexts = Annotated[dict[str, str], BeforeValidator(_with_numbers_as_text)]
"""Texts by their names."""
HttpCookies = Annotated[
    dict[Annotated[str, AfterValidator(verified_cookie_name)], Annotated[str, AfterValidator(verified_cookie_value)]],
    BeforeValidator(_with_numbers_as_text),
]
"""Cookies of a request, by their names (RFC 6265 section 4.2.1)."""
HttpHeaders = Annotated[HttpTexts, AfterValidator(_verify_headers)]
"""Headers of a request (RFC 9110 section 5.5)."""


def verify_http_target(target: Target, path: str, *, at_root: bool = False) -> None:
    """Raise ValueError where a target's url leads to no HTTP server, as `redis://` does."""
    if target.can_request(path) and target.scheme not in _OTHER_PROTOCOLS:
        try:
            destination(target.join(path, at_root=at_root))
        except Unmeasurable as error:
            raise ValueError(error.message) from None
