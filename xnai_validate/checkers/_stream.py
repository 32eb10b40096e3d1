"""How a stream of events is asked for, and how its events are to be understood; for every family that reads streams."""

from __future__ import annotations

import json
from typing import NamedTuple
from urllib.parse import urlencode

from xnai_validate.kit import Field, JsonValue, Params, Target, field_validator, json_path, values_at
from xnai_validate.wire.content import document_of
from xnai_validate.wire.http.destination import verified_path
from xnai_validate.wire.http.request import HttpRequest
from xnai_validate.wire.sse.parser import Event

NAME_CAP = 100


class StreamedParams(Params):
    """The request, and which events mean what."""

    method: str = "POST"
    """The HTTP method."""
    path: str = "/stream"
    """The path below the target's url; an absolute url is taken as it is."""
    root: bool = False
    """Whether the path is below the target's root instead of its url."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of the request; `Accept: text/event-stream` is sent unless they contain it."""
    query: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Query parameters, added to the path."""
    json_: JsonValue = Field(default=None, alias="json")
    """The body of the request, sent as JSON."""
    type_field: str | None = "type"
    """The field of an event's JSON data that holds its type; without it the event field of the frame does."""
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

    @field_validator("path")
    @classmethod
    def _leads_somewhere(cls, path: str) -> str:
        return verified_path(path)

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
            target=target,
            fresh=True,
        )


class ParsedEvent(NamedTuple):
    """One event, with its type and its data parsed as JSON."""

    type: str
    """Its type, at most 100 characters."""
    document: JsonValue
    """Its data as JSON; None where it is not JSON."""
    is_json: bool
    """Whether the data is JSON, or the literal data that ends the stream."""
    heartbeat: bool
    """Whether it is a sign of life only; then it is neither a token nor an end."""
    token: str | None
    """The text of a token, empty where it is not found; None for an event of another kind."""
    terminal: str | None
    """What ends the stream here, by name; None where it goes on."""


class Understanding:
    """Classifies events one after the other, and keeps none of them."""

    def __init__(self, params: StreamedParams) -> None:
        self._type_field = params.type_field
        self._token_type = params.token_type
        self._token_field = params.token_field
        self._token_at_path = params.token_field.startswith("$")
        self._terminal_data = params.terminal_data
        self._terminal_types = frozenset(params.terminal)
        self._terminal_where = tuple(params.terminal_where.items())
        self._heartbeat_types = frozenset(params.heartbeat_types)

    def of(self, event: Event) -> ParsedEvent:
        """What the event is."""
        data = event.data
        literal = self._terminal_data is not None and data.strip() == self._terminal_data
        document, is_json = (None, True) if literal else document_of(data)
        kind = event.type
        if self._type_field is not None and isinstance(document, dict):
            named = document.get(self._type_field)
            if isinstance(named, str):
                kind = named
        kind = kind[:NAME_CAP]
        if kind in self._heartbeat_types:
            return ParsedEvent(kind, document, is_json, True, None, None)
        token = self._token(document) if self._token_type is None or kind == self._token_type else None
        terminal = None
        if literal:
            terminal = data.strip()[:NAME_CAP]
        elif kind in self._terminal_types or (self._terminal_where and self._ends(document)):
            terminal = kind
        return ParsedEvent(kind, document, is_json, False, token, terminal)

    def _token(self, document: JsonValue) -> str | None:
        content: object = None
        if self._token_at_path:
            found = values_at(self._token_field, document) if isinstance(document, dict | list) else []
            content = found[0] if found else None
        elif isinstance(document, dict):
            content = document.get(self._token_field)
        if isinstance(content, str):
            return content
        return None if self._token_type is None else ""

    def _ends(self, document: JsonValue) -> bool:
        if not isinstance(document, dict | list):
            return False
        return any(value in values_at(path, document) for path, value in self._terminal_where)
