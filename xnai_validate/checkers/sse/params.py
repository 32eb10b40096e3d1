"""How a stream is asked for, and how its events are to be understood."""

from __future__ import annotations

import json
from typing import Annotated
from urllib.parse import urlencode

from annotated_types import Ge, Le
from pydantic import field_validator

from xnai_validate.kit import Duration, Field, JsonValue, Params, Size, Target
from xnai_validate.model.rules import json_path
from xnai_validate.wire.http import HttpRequest


class StreamParams(Params):
    """The request, when to leave, the bounds, and which events mean what."""

    method: str = "POST"
    """The HTTP method."""
    path: str = "/stream"
    """The path below the target's url; an absolute url is taken as it is."""
    root: bool = False
    """Whether the path is below the target's root instead of its url."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the request; `Accept: text/event-stream` is sent unless they say otherwise."""
    query: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Query parameters, added to the path."""
    json_: JsonValue = Field(default=None, alias="json")
    """The body of the request, sent as JSON."""
    timeout: Duration = 20.0
    """How long the whole stream may take."""
    idle_timeout: Duration = 15.0
    """How long the server may stay silent: not one byte."""
    leave_after: Annotated[int, Ge(1)] | None = None
    """Disconnect on purpose after this many events."""
    leave_after_time: Duration | None = None
    """Disconnect on purpose this long after the beginning of the request."""
    max_events: Annotated[int, Ge(1), Le(1_000_000)] = 100_000
    """More events than this are not read: too_large."""
    max_bytes: Size = 64 * 1024 * 1024
    """More bytes than this are not read: too_large."""
    keep_events: Annotated[int, Ge(0), Le(1_000)] = 0
    """How many of the first events are kept as the fact `events`, for what other facts do not tell."""
    type_field: str | None = "type"
    """The field of an event's JSON data that tells its type; where it has none, the event field of the frame does."""
    token_type: str | None = "token"
    """The type of events that carry a token; null takes every event in which `token_field` is found."""
    token_field: str = "content"
    """Where the text of a token stands in the JSON data: a field, or a JSONPath that begins with `$`."""
    terminal: list[str] = Field(default_factory=lambda: ["done", "error"])
    """Types of events that end the stream."""
    terminal_data: str | None = None
    """Data that ends the stream, as it stands: `[DONE]` for servers that speak OpenAI's way."""
    terminal_where: dict[str, JsonValue] = Field(default_factory=dict)
    """JSONPath -> value: an event in whose JSON data any of these holds ends the stream."""
    heartbeat_types: list[str] = Field(default_factory=lambda: ["heartbeat", "ping", "keepalive"])
    """Types of events that are signs of life only; comments always are."""

    @field_validator("terminal_where")
    @classmethod
    def _paths(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for path in value:
            json_path(path)
        return value

    @field_validator("token_field")
    @classmethod
    def _path(cls, value: str) -> str:
        if value.startswith("$"):
            json_path(value)
        return value

    def request(self, target: Target) -> HttpRequest:
        """The request to a target, on a connection of its own."""
        url = target.join(self.path, at_root=self.root)
        if self.query:
            pairs = {
                name: str(value).lower() if isinstance(value, bool) else value for name, value in self.query.items()
            }
            url += ("&" if "?" in url else "?") + urlencode(pairs)
        headers = dict(self.headers)
        if not any(name.lower() == "accept" for name in headers):
            headers["Accept"] = "text/event-stream"
        with_body = self.json_ is not None
        body = json.dumps(self.json_, ensure_ascii=False).encode() if with_body else b""
        return HttpRequest.of(
            url,
            self.method,
            headers=headers,
            body=body,
            content_type="application/json" if with_body else None,
            tls=target.tls,
            fresh=True,
        )
