"""Parameters and facts of `http.request`."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.checkers._request import RequestParams
from xnai_validate.kit import (
    BodyCap,
    Bytes,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Ge,
    Headers,
    JsonValue,
    Le,
    Milliseconds,
)
from xnai_validate.wire.http.client import BODY_CAP


class Request(RequestParams):
    """The request, its bounds, and how often it is made."""

    timeout: Duration = 10.0
    """How long each request may take, from connecting to the end of the body."""
    redirects: Annotated[int, Ge(0), Le(20)] = 0
    """How many redirections are followed at most."""
    body_cap: BodyCap = BODY_CAP
    """More bytes of body than this are not read: too_large."""
    fresh: bool = False
    """Whether every request opens a connection of its own, so that `connect_ms` and `tls_ms` are measured."""
    repeat: Annotated[int, Ge(1), Le(1000)] = 1
    """How often the request is made."""
    concurrent: Annotated[int, Ge(1), Le(256)] = 1
    """How many of the repeated requests are under way at once."""


class Answered(Facts):
    """The answer and its timing; with `repeat`, the worst answer, and numbers over all."""

    error: ErrorKind | None
    """Why there was no whole answer; with `repeat`, of the first request that had none."""
    error_detail: str | None
    """The error in words."""
    status: int | None
    """The status code; with `repeat`, the highest of all."""
    reason: str | None
    """The reason phrase that came with the status."""
    http_version: str | None
    """`1.1`, `1.0` or `2`."""
    headers: Headers | None
    """The headers of the response."""
    set_cookies: JsonValue
    """Each cookie that the response sets: `name`, `cookie` (its value), `attributes` (what follows it), and what that
    means: `lifetime_s` (null until the browser is closed), `domain`, `path`, `secure`, `http_only`, `same_site`."""
    content_type: str | None
    """The media type of the body, without parameters, in lower case."""
    charset: str | None
    """The charset that the content type names."""
    size_bytes: Bytes | None
    """The size of the body, its content coding undone, as far as it was read."""
    text: str | None
    """The body as text, its first 65 536 characters."""
    json_: JsonValue = Field(alias="json")
    """The body as a JSON document; null where it is not JSON."""
    json_valid: bool | None
    """Whether the body is a JSON document (RFC 8259), whatever its content type is."""
    json_detail: str | None
    """Why the body is not a JSON document, and how it begins; null where it is one, or none was read."""
    duplicate_keys: list[str] | None
    """Keys that one object of the document has twice with different values: readers disagree on which one counts."""
    connect_ms: Milliseconds | None
    """Name look-up and TCP handshake; null where an open connection was used (see `fresh`)."""
    tls_ms: Milliseconds | None
    """TLS handshake; null without TLS and where an open connection was used."""
    first_byte_ms: Milliseconds | None
    """From the beginning of the request, connecting included, to the end of the response's headers."""
    total_ms: Milliseconds | None
    """From the beginning of the request to the end of the body, redirections included."""
    redirects: list[str] | None
    """The urls that redirections led to."""
    url: str | None
    """The url that gave the answer."""
    truncated: bool | None
    """Whether the body was larger than `body_cap`."""
    requests: Count
    """How many requests were made."""
    failed_requests: Count
    """How many of them had no whole answer."""
    statuses: dict[str, Count]
    """How many answers had each status."""
    slowest_ms: Milliseconds | None
    """The largest `total_ms` of all whole answers."""
    median_ms: Milliseconds | None
    """The median of `total_ms` of all whole answers."""
