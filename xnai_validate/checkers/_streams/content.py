"""What one event of a stream contributes to the answer, whichever dialect the server speaks."""

from __future__ import annotations

import json
from typing import NamedTuple

from xnai_validate.kit import JsonObject, JsonValue

ERROR_CAP = 2_000
SOURCES_CAP = 100
SOURCE_CAP = 500


class ToolCall(NamedTuple):
    """A piece of a tool call: models send the name once and the arguments in parts."""

    number: int
    """Which call of the answer it belongs to."""
    name: str = ""
    arguments: str = ""
    id: str = ""
    """What the server calls it; another id under the same number begins another call, if a name comes with it: some
    servers make a new id for each piece."""
    whole: bool = False
    """Whether it is a call by itself, to which no piece is added."""


class Content(NamedTuple):
    """One event as its dialect reads it. (A named tuple: loads make one for each event of thousands of streams.)"""

    type: str = "message"
    """The type of the event: the dialect's own field where it has one, else the event field of the frame."""
    heartbeat: bool = False
    """Whether the event is a sign of life only."""
    text: str | None = None
    """The text of a token; empty for a token event without text, None for any other event."""
    reasoning: str = ""
    """A piece of what the model thinks before it answers."""
    tool_calls: tuple[ToolCall, ...] = ()
    terminal: str | None = None
    """What ends the stream here, by name; None where it goes on."""
    error: str | None = None
    """What the server reports as an error, as text or JSON."""
    finish_reason: str | None = None
    """Why the model stopped, as the server names it."""
    usage: JsonObject | None = None
    """The usage that the server reports, such as `{prompt_tokens, completion_tokens}`."""
    sources: list[str] | None = None
    """The names of the sources that the answer cites."""


def error_of(document: JsonValue) -> str | None:
    """Return the error that a JSON document reports; None without one.

    It stands in the field `error`, in a list `errors`, or the object is one (`{"object": "error"}`, as vLLM wrote it);
    of a list of documents, the first that reports one counts (batches of JSON-RPC, errors of Gemini). Zero and an empty
    list are not errors. A text is returned as it is, of an object its `message`, anything else as JSON.
    """
    if isinstance(document, list):
        return next(filter(None, (error_of(item) for item in document if isinstance(item, dict))), None)
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    if error or error == {}:
        return error_text(error)
    errors = document.get("errors")
    if errors and isinstance(errors, list):
        return error_text(errors[0])
    return error_text(document) if document.get("object") == "error" else None


def error_text(error: JsonValue) -> str:
    """An error as text: itself, its `message`, or JSON; never in the notation of Python."""
    if isinstance(error, dict) and isinstance(error.get("message"), str) and error["message"]:
        error = error["message"]
    text = error if isinstance(error, str) else json.dumps(error, ensure_ascii=False)
    return text[:ERROR_CAP]


def cited_by(document: JsonObject) -> list[str] | None:
    """Return the names of the sources that an event cites in its field `sources` or `citations`; None without one."""
    found = (source_names(document.get(field)) for field in ("sources", "citations"))
    return next((names for names in found if names is not None), None)


def source_names(sources: JsonValue) -> list[str] | None:
    """Return the names of a list of sources, at most 100; None where it is not a list.

    A source is a text, or an object with one of the fields that servers use: `name`, `title`, `document_name`,
    `filename`, `filepath`, `url`, or `source` (a text, or again such an object).
    """
    if not isinstance(sources, list):
        return None
    return [_source_name(source)[:SOURCE_CAP] for source in sources[:SOURCES_CAP]]


def _source_name(source: JsonValue) -> str:
    """Return the name of a source, which servers put under different keys."""
    if isinstance(source, dict):
        inner = source.get("source")
        if isinstance(inner, dict):
            return _source_name(inner)
        for field in ("name", "source", "title", "document_name", "filename", "filepath", "url"):
            name = source.get(field)
            if isinstance(name, str) and name:
                return name
    return source if isinstance(source, str) else json.dumps(source, ensure_ascii=False)
