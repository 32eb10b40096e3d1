"""The HTTP request of a check, as a person writes it; for every family that makes one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, Self
from urllib.parse import urlencode

import httpx

from xnai_validate.checkers._http_fields import HttpCookies, HttpPath, HttpTexts, verify_http_target
from xnai_validate.kit import Field, Ge, JsonValue, Le, Params, Target, model_validator
from xnai_validate.wire.http.request import HttpRequest, verify_headers

Scalar = str | int | float | bool


_NO_ITEMS: dict[str, Any] = {}


def _no_items() -> dict[str, Any]:
    """One empty mapping for all requests, since it takes 80 bytes and a plan may have thousands of them."""
    return _NO_ITEMS


class Upload(Params):
    """A file of a form."""

    name: str | None = None
    """The name of the file; by default that of the field."""
    content: str
    """Its content, sent as UTF-8."""
    type: str = "text/plain; charset=utf-8"
    """Its content type."""


class RequestParams(Params):
    """What is asked for."""

    method: str = "GET"
    """The HTTP method."""
    path: HttpPath = ""
    """The path below the target's url; an absolute url is taken as it is."""
    root: bool = False
    """Whether the path is below the target's root instead of its url."""
    headers: HttpTexts = Field(default_factory=_no_items)
    """Headers of the request."""
    query: dict[str, Scalar | list[Scalar]] = Field(default_factory=_no_items)
    """Query parameters, added to the path; a list repeats its name."""
    json_: JsonValue = Field(default=None, alias="json")
    """A body, sent as JSON."""
    fill: dict[str, Annotated[int, Ge(0), Le(1_000_000)]] = Field(default_factory=_no_items)
    """Fields of the JSON body -> a text of that many characters in them: for limits on lengths."""
    body: str | None = None
    """A body, sent as it is (UTF-8)."""
    form: dict[str, Scalar] | None = None
    """A body, sent as a filled-in form (`application/x-www-form-urlencoded`); with `files`, its other fields."""
    files: dict[str, Upload] = Field(default_factory=_no_items)
    """Files of a form, field -> file; the body is sent as `multipart/form-data` (RFC 7578)."""
    cookies: HttpCookies | None = None
    """Cookies of the request. Unless null, cookies that a redirection sets are sent from then on; `{}` does only that.
    """

    keep_cookies: bool = True
    """Whether cookies that the target keeps are sent, and those of the response kept; see `cookies` of a target."""

    @model_validator(mode="after")
    def _verify_request(self) -> Self:
        """Raise ValueError for more than one body, and for a method or header that HTTP does not allow."""
        others = (self.body is not None) + (self.form is not None or bool(self.files))
        if others and others + ("json_" in self.model_fields_set) > 1:
            raise ValueError("a request takes only one body: json, body or form (with files)")
        if self.fill and not isinstance(self.json_, dict):
            raise ValueError("fill puts texts into the fields of json, which must be a mapping here")
        verify_headers(self.method, self._headers_with_cookies())
        return self

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target that is not reached by HTTP."""
        verify_http_target(target, self.path, at_root=self.root)

    def request(self, target: Target, *, fresh: bool = False) -> HttpRequest:
        """The request to a target; `fresh` on a connection of its own."""
        url = target.join(self.path, at_root=self.root)
        if self.query:
            pairs = {name: _text(value) for name, value in self.query.items()}
            url += ("&" if "?" in url else "?") + urlencode(pairs, doseq=True)
        body, content_type = self._content()
        request = HttpRequest.of(
            url,
            self.method,
            headers=self._headers_with_cookies(),
            body=body,
            content_type=content_type,
            target=target,
            fresh=fresh,
        )
        if not self.keep_cookies:
            request = replace(request, jar=None)
        return request if self.cookies is None else replace(request, keeps_cookies=True)

    def _headers_with_cookies(self) -> dict[str, str]:
        """The headers, with a header `Cookie` (RFC 6265 section 5.4) unless they have one."""
        if not self.cookies or any(name.lower() == "cookie" for name in self.headers):
            return self.headers
        return {**self.headers, "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def _content(self) -> tuple[bytes, str | None]:
        """Return the body and its content type; no bytes and None for a request without a body."""
        if "json_" in self.model_fields_set:
            document = self.json_
            if isinstance(document, dict):
                document = {**document, **{name: "x" * length for name, length in self.fill.items()}}
            return json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"), "application/json"
        if self.files:
            return self._multipart()
        if self.form is not None:
            form = {name: _text(value) for name, value in self.form.items()}
            return urlencode(form).encode(), "application/x-www-form-urlencoded"
        if self.body is not None:
            return self.body.encode("utf-8", "surrogatepass"), "text/plain; charset=utf-8"
        return b"", None

    def _multipart(self) -> tuple[bytes, str]:
        """The form with its files as httpx encodes it, and its content type, which names the boundary."""
        fields = {name: _text(value) for name, value in (self.form or {}).items()}
        files = {
            name: (part.name or name, part.content.encode("utf-8", "surrogatepass"), part.type)
            for name, part in self.files.items()
        }
        encoded = httpx.Request("POST", "http://localhost", data=fields, files=files)
        return encoded.read(), encoded.headers["content-type"]


def _text(value: Scalar | list[Scalar]) -> str | list[str]:
    """A query parameter as servers expect it: booleans as `true` and `false`."""
    if isinstance(value, list):
        return [str(_text(item)) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
