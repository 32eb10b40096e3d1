"""What `http.request` is told, and what it tells."""

from __future__ import annotations

import json
from typing import Annotated, Self
from urllib.parse import urlencode

from annotated_types import Ge, Le
from pydantic import model_validator

from xnai_validate.kit import (
    Bytes,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Headers,
    JsonValue,
    Milliseconds,
    Params,
    Size,
    Target,
)
from xnai_validate.wire.http import BODY_CAP, HttpRequest

Scalar = str | int | float | bool


class Request(Params):
    """The request, its bounds, and how often it is made."""

    method: str = "GET"
    """The HTTP method."""
    path: str = ""
    """The path below the target's url; an absolute url is taken as it is."""
    root: bool = False
    """Whether the path is below the target's root instead of its url."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the request."""
    query: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    """Query parameters, added to the path; a list repeats its name."""
    json_: JsonValue = Field(default=None, alias="json")
    """A body, sent as JSON."""
    fill: dict[str, Annotated[int, Ge(0), Le(1_000_000)]] = Field(default_factory=dict)
    """Fields of the JSON body -> a text of so many characters in them: for limits on lengths."""
    body: str | None = None
    """A body, sent as it is (UTF-8)."""
    form: dict[str, Scalar] | None = None
    """A body, sent as a filled-in form (`application/x-www-form-urlencoded`)."""
    timeout: Duration = 10.0
    """How long each request may take, from connecting to the end of the body."""
    redirects: Annotated[int, Ge(0), Le(20)] = 0
    """How many redirections are followed at most."""
    body_cap: Size = BODY_CAP
    """More bytes of body than this are not read: too_large."""
    fresh: bool = False
    """Whether every request opens a connection of its own, so that `connect_ms` and `tls_ms` are measured."""
    repeat: Annotated[int, Ge(1), Le(1000)] = 1
    """How often the request is made."""
    concurrent: Annotated[int, Ge(1), Le(256)] = 1
    """How many of the repeated requests are under way at once."""

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        given = ("json_" in self.model_fields_set) + (self.body is not None) + (self.form is not None)
        if given > 1:
            raise ValueError("a request has one body: json, body or form")
        if self.fill and not isinstance(self.json_, dict):
            raise ValueError("fill puts texts into the fields of json, which must be a mapping here")
        return self

    def request(self, target: Target) -> HttpRequest:
        """The request to a target."""
        url = target.join(self.path, at_root=self.root)
        if self.query:
            pairs = {name: _text(value) for name, value in self.query.items()}
            url += ("&" if "?" in url else "?") + urlencode(pairs, doseq=True)
        body, content_type = self._content()
        return HttpRequest.of(
            url,
            self.method,
            headers=self.headers,
            body=body,
            content_type=content_type,
            tls=target.tls,
            fresh=self.fresh,
        )

    def _content(self) -> tuple[bytes, str | None]:
        if "json_" in self.model_fields_set:
            document = self.json_
            if isinstance(document, dict):
                document = {**document, **{name: "x" * length for name, length in self.fill.items()}}
            return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"), "application/json"
        if self.form is not None:
            form = {name: _text(value) for name, value in self.form.items()}
            return urlencode(form).encode(), "application/x-www-form-urlencoded"
        if self.body is not None:
            return self.body.encode("utf-8", "surrogatepass"), "text/plain; charset=utf-8"
        return b"", None


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
    """`1.1` or `1.0`."""
    headers: Headers | None
    """The headers of the response."""
    content_type: str | None
    """The media type of the body, without parameters, in lower case."""
    charset: str | None
    """The charset that the content type names."""
    size_bytes: Bytes | None
    """The size of the body, its content coding undone, as far as it was read."""
    text: str | None
    """The body as text, its first 65 536 characters."""
    json_: JsonValue = Field(alias="json")
    """The body as a JSON document; null where it is none."""
    json_valid: bool | None
    """Whether the body is a JSON document (RFC 8259), whatever its content type says."""
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


def _text(value: Scalar | list[Scalar]) -> str | list[str]:
    """A query parameter as servers expect it: booleans as `true` and `false`."""
    if isinstance(value, list):
        return [str(_text(item)) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
