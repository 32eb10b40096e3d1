"""How a stream of events is requested, and how its events are read; for every family that reads streams."""

from __future__ import annotations

import json
from typing import ClassVar, Literal
from urllib.parse import urlencode

from xnai_validate.checkers._http_fields import HttpHeaders, HttpMethod, HttpPath, verify_http_target
from xnai_validate.checkers._streams.content import ERROR_CAP, Content, cited_by, error_of, error_text
from xnai_validate.checkers._streams.dialects import DONE, READERS, Dialect, dialect_of
from xnai_validate.kit import Field, JsonValue, Params, Target, field_validator, json_equal, json_path, values_at
from xnai_validate.wire.content import document_of
from xnai_validate.wire.http.request import HttpRequest
from xnai_validate.wire.sse.parser import Event

NAME_CAP = 100


class StreamedParams(Params):
    """The request, and which events mean what."""

    accept: ClassVar[str] = "text/event-stream"
    """What is sent as `Accept` where the headers have none."""
    method: HttpMethod = "POST"
    """The HTTP method."""
    path: HttpPath = "/stream"
    """The path below the target's url; an absolute url is taken as it is."""
    root: bool = False
    """Whether the path is below the target's root instead of its url."""
    headers: HttpHeaders = Field(default_factory=dict)
    """Headers of the request; `Accept` for the framing is sent unless they contain it."""
    query: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Query parameters, added to the path."""
    json_: JsonValue = Field(default=None, alias="json")
    """The body of the request, sent as JSON."""
    dialect: Literal["auto"] | Dialect = "auto"
    """How the server puts tokens, errors and the end into events; by default each event shows it by its form. `openai`
    is spoken by vLLM, llama.cpp, LiteLLM, Open WebUI and many others. Another form is described by `token_type` and
    `token_field`, which are used instead where one of them is given."""
    type_field: str | None = "type"
    """The field of an event's JSON data that holds its type; without it the event field of the frame does."""
    token_type: str | None = "token"
    """The type of events that carry a token; null takes every event in which `token_field` is found."""
    token_field: str = "content"
    """Where the text of a token stands in the JSON data: a field, or a JSONPath that begins with `$`."""
    terminal: list[str] = Field(default_factory=lambda: ["done", "error"])
    """Types of events that end the stream; where they are given, they replace those of the dialect."""
    terminal_data: str | None = DONE
    """Data that ends the stream, as it stands and without being JSON."""
    terminal_where: dict[str, JsonValue] = Field(default_factory=dict)
    """JSONPath -> value: an event in whose JSON data any of these holds ends the stream."""
    heartbeat_types: list[str] = Field(default_factory=lambda: ["heartbeat", "ping", "keepalive"])
    """Types of events that are signs of life only; comments always are."""

    @field_validator("terminal_where")
    @classmethod
    def _verify_paths(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """Return the value. Raises ValueError if a key is not a JSONPath."""
        for path in value:
            json_path(path)
        return value

    @field_validator("token_field")
    @classmethod
    def _verify_path(cls, value: str) -> str:
        """Return the value. Raises ValueError if it begins with $ and is not a JSONPath."""
        if value.startswith("$"):
            json_path(value)
        return value

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target that is not reached by HTTP."""
        verify_http_target(target, self.path, at_root=self.root)

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
            headers["Accept"] = self.accept
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


class EventReader:
    """Reads events one after the other, by the dialect of the parameters, and keeps none of them."""

    def __init__(self, params: StreamedParams) -> None:
        self._dialect = params.dialect
        self._by_fields = params.dialect == "auto" and bool(params.model_fields_set & _FIELDS_OF_TOKENS)
        self._type_field = params.type_field
        self._token_type = params.token_type
        self._token_field = params.token_field
        self._token_at_path = params.token_field.startswith("$")
        self._terminal_data = params.terminal_data
        self._terminal_types = frozenset(params.terminal)
        self._own_ends = bool(params.model_fields_set & _FIELDS_OF_ENDS)
        self._terminal_where = tuple(params.terminal_where.items())
        self._heartbeat_types = frozenset(params.heartbeat_types)

    def read(self, event: Event) -> tuple[Content, JsonValue, bool]:
        """Return what the event contributes, its data as JSON (None if it is not JSON), and whether that is sound.

        Sound data is JSON, or the literal that ends the stream.
        """
        data = event.data
        if data.strip() == self._terminal_data:
            literal = data.strip()[:NAME_CAP]
            return Content(event.type[:NAME_CAP], terminal=literal), None, True
        document, is_json = document_of(data)
        kind = event.type
        if not isinstance(document, dict):
            return self._without_fields(event, document), document, is_json
        if self._type_field is not None:
            named = document.get(self._type_field)
            if isinstance(named, str):
                kind = named
        kind = kind[:NAME_CAP]
        if kind in self._heartbeat_types:
            return Content(kind, heartbeat=True), document, is_json
        if self._by_fields:
            content = self._read_fields(kind, document)
        else:
            dialect = dialect_of(kind, document) if self._dialect == "auto" else self._dialect
            content = READERS[dialect](kind, document)
        terminal = content.terminal
        if self._own_ends or self._by_fields:
            terminal = kind if kind in self._terminal_types else None
        if self._terminal_where and self._is_terminal(document):
            terminal = kind
        error = error_of(document) or content.error
        if error is None and "error" in (kind, event.type):
            error = error_text(document)
        sources = cited_by(document)
        if error is not None or sources is not None or terminal is not content.terminal:
            sources = content.sources if sources is None else sources
            content = content._replace(error=error, terminal=terminal, sources=sources)
        return content, document, is_json

    def _without_fields(self, event: Event, document: JsonValue) -> Content:
        """An event whose data is not a JSON object: its type is that of the frame."""
        kind = event.type[:NAME_CAP]
        if kind in self._heartbeat_types:
            return Content(kind, heartbeat=True)
        terminal = kind if kind in self._terminal_types else None
        if self._terminal_where and self._is_terminal(document):
            terminal = kind
        text = self._token_text(document) if self._by_fields and self._token_type in (None, kind) else None
        error = error_of(document) or (event.data[:ERROR_CAP] if kind == "error" else None)
        return Content(kind, text=text, terminal=terminal, error=error)

    def _read_fields(self, kind: str, document: JsonValue) -> Content:
        """Read an event by the fields that the parameters name, instead of a dialect."""
        return Content(kind, text=self._token_text(document) if self._token_type in (None, kind) else None)

    def _token_text(self, document: JsonValue) -> str | None:
        """Return the text of the token in an event; None if it has none."""
        values: list[object] = []
        if self._token_at_path:
            values = values_at(self._token_field, document) if isinstance(document, dict | list) else []
        elif isinstance(document, dict):
            values = [document.get(self._token_field)]
        text = next((value for value in values if isinstance(value, str)), None)
        return text if text is not None or self._token_type is None else ""

    def _is_terminal(self, document: JsonValue) -> bool:
        """Whether an event has a value that ends the stream."""
        if not isinstance(document, dict | list):
            return False
        return any(
            json_equal(found, value) for path, value in self._terminal_where for found in values_at(path, document)
        )


_FIELDS_OF_TOKENS = frozenset({"token_type", "token_field"})
"""Parameters that read tokens by fields where one of them is given."""
_FIELDS_OF_ENDS = frozenset({"terminal", "terminal_where"})
"""Parameters that replace the ends of the dialect where one of them is given."""
