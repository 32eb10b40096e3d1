"""The dialects of token streams: how each server of the field puts text, reasoning, errors and the end into events.

Each reader takes the type of an event and its JSON object, and returns its content. Sources: the API references of
OpenAI (chat completions, responses), Anthropic (messages), Ollama (generate, chat), and the Model Context Protocol,
revision 2025-06-18 (streamable HTTP, JSON-RPC 2.0).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from xnai_validate.checkers._streams.content import Content, ToolCall, error_of, error_text, source_names
from xnai_validate.kit import JsonObject, JsonValue

Dialect = Literal["xnai", "openai", "anthropic", "ollama", "mcp"]
"""`xnai`: events of the types sources, token, done and error, with the fields `content` and `tokens`."""
Read = Callable[[str, JsonObject], Content]

DONE = "[DONE]"
"""The data that ends a stream of OpenAI's chat completions; it is not JSON."""
_ANTHROPIC_TYPES = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)


def dialect_of(kind: str, document: JsonObject) -> Dialect:
    """Recognize the dialect of one event by its form."""
    if isinstance(document.get("choices"), list) or kind.startswith("response."):
        return "openai"
    if kind in _ANTHROPIC_TYPES:
        return "anthropic"
    if document.get("jsonrpc") == "2.0":
        return "mcp"
    if isinstance(document.get("done"), bool) and ("message" in document or "response" in document):
        return "ollama"
    return "xnai"


def _read_xnai(kind: str, document: JsonObject) -> Content:
    """Read an event of the stack's own dialect."""
    if kind == "token":
        return Content(kind, text=_text_or_empty(document.get("content")))
    return Content(kind, terminal=kind if kind in ("done", "error") else None)


def _openai(kind: str, document: JsonObject) -> Content:
    """Return the content of a chunk of chat completions, of older completions, or of an event of the Responses API."""
    if kind.startswith("response."):
        return _openai_response(kind, document)
    usage = _object_or_none(document.get("usage"))
    choices = document.get("choices")
    choice = _object_or_empty(choices[0]) if isinstance(choices, list) and choices else {}
    # A chunk of the older completions has the text in the choice itself.
    delta = _object_or_empty(choice.get("delta"))
    sources = _chunks(delta.get("reference")) or _object_or_empty(delta.get("context")).get("citations")
    content = choice.get("text") if "delta" not in choice else delta.get("content")
    thought = ""
    if isinstance(content, list):
        content, thought = _read_parts(content)
    calls = delta.get("tool_calls")
    return Content(
        kind,
        text=_text_or_empty(content) if choice and (content is not None or "delta" not in choice) else None,
        reasoning=_text_or_empty(delta.get("reasoning_content")) or _text_or_empty(delta.get("reasoning")) or thought,
        tool_calls=tuple(map(_read_openai_call, range(len(calls)), calls)) if isinstance(calls, list) else (),
        error=_error_of_choices(choices) if isinstance(choices, list) else None,
        finish_reason=_text_or_empty(choice.get("finish_reason")) or None,
        usage=usage,
        sources=source_names(sources),
    )


def _error_of_choices(choices: list[JsonValue]) -> str | None:
    """Return the error that one of the choices reports or has ended by; None without one."""
    for choice in choices:
        if isinstance(choice, dict) and (choice.get("finish_reason") or "error" in choice):
            error = error_of(choice)
            if error is None and _text_or_empty(choice.get("finish_reason")).lower() == "error":
                error = "the model stopped with finish_reason error"
            if error is not None:
                return error
    return None


def _read_parts(parts: list[JsonValue]) -> tuple[str, str]:
    """Return the text and the reasoning of a content that is a list of parts, as Mistral sends it."""
    text = thought = ""
    for part in map(_object_or_empty, parts):
        text += _text_or_empty(part.get("text"))
        thinking = part.get("thinking")
        thoughts: list[JsonValue] = thinking if isinstance(thinking, list) else [{"text": thinking}]
        thought += "".join(_text_or_empty(_object_or_empty(inner).get("text")) for inner in thoughts)
    return text, thought


def _read_openai_call(position: int, call: JsonValue) -> ToolCall:
    """Read a piece of a tool call as OpenAI's API sends it; servers that leave out the index send whole calls."""
    call = _object_or_empty(call)
    function = _object_or_empty(call.get("function"))
    index, name = call.get("index"), _text_or_empty(function.get("name"))
    return ToolCall(
        index if isinstance(index, int) else position,
        name,
        _text_or_empty(function.get("arguments")),
        _text_or_empty(call.get("id")),
        whole=not isinstance(index, int) and bool(name),
    )


def _openai_response(kind: str, document: JsonObject) -> Content:
    """An event of OpenAI's responses API, whose types name what they carry."""
    response = _object_or_empty(document.get("response"))
    usage = _object_or_none(response.get("usage"))
    if kind == "response.output_text.delta":
        return Content(kind, text=_text_or_empty(document.get("delta")))
    if kind in ("response.reasoning_text.delta", "response.reasoning_summary_text.delta"):
        return Content(kind, reasoning=_text_or_empty(document.get("delta")))
    if kind == "response.function_call_arguments.delta":
        index = document.get("output_index")
        call = ToolCall(index if isinstance(index, int) else 0, arguments=_text_or_empty(document.get("delta")))
        return Content(kind, tool_calls=(call,))
    if kind in ("response.completed", "response.incomplete"):
        return Content(kind, terminal=kind, usage=usage, finish_reason=_text_or_empty(response.get("status")) or None)
    if kind == "response.failed":
        return Content(kind, terminal=kind, usage=usage, error=error_of(response) or "the response failed")
    return Content(kind)


def _anthropic(kind: str, document: JsonObject) -> Content:
    """Return the content of an event of Anthropic's Messages API, by the type of the event."""
    if kind == "content_block_delta":
        delta, index = _object_or_empty(document.get("delta")), document.get("index")
        if delta.get("type") == "input_json_delta":
            call = ToolCall(index if isinstance(index, int) else 0, arguments=_text_or_empty(delta.get("partial_json")))
            return Content(kind, tool_calls=(call,))
        if delta.get("type") == "thinking_delta":
            return Content(kind, reasoning=_text_or_empty(delta.get("thinking")))
        return Content(kind, text=_text_or_empty(delta.get("text")) if delta.get("type") == "text_delta" else None)
    if kind == "content_block_start":
        block, index = _object_or_empty(document.get("content_block")), document.get("index")
        if block.get("type") != "tool_use":
            return Content(kind)
        return Content(
            kind, tool_calls=(ToolCall(index if isinstance(index, int) else 0, _text_or_empty(block.get("name"))),)
        )
    if kind == "message_start":
        return Content(kind, usage=_object_or_none(_object_or_empty(document.get("message")).get("usage")))
    if kind == "message_delta":
        reason = _text_or_empty(_object_or_empty(document.get("delta")).get("stop_reason"))
        return Content(kind, finish_reason=reason or None, usage=_object_or_none(document.get("usage")))
    return Content(kind, heartbeat=kind == "ping", terminal=kind if kind in ("message_stop", "error") else None)


def _ollama(kind: str, document: JsonObject) -> Content:
    """Return the content of a line of Ollama's own API, of `/api/chat` or `/api/generate`."""
    message, done = _object_or_empty(document.get("message")), document.get("done") is True
    text = _text_or_empty(message.get("content", document.get("response")))
    calls = message.get("tool_calls")
    counts: JsonObject = {name: document[name] for name in ("prompt_eval_count", "eval_count") if name in document}
    return Content(
        kind,
        text=text if text or not done else None,
        reasoning=_text_or_empty(message.get("thinking")) or _text_or_empty(document.get("thinking")),
        tool_calls=tuple(_read_ollama_call(number, call) for number, call in enumerate(calls))
        if isinstance(calls, list)
        else (),
        terminal="done" if done else None,
        finish_reason=_text_or_empty(document.get("done_reason")) or None,
        usage=counts or None,
    )


def _read_ollama_call(number: int, call: JsonValue) -> ToolCall:
    """Read a tool call as Ollama's API sends it."""
    function = _object_or_empty(_object_or_empty(call).get("function"))
    arguments = function.get("arguments")
    text = error_text(arguments) if arguments is not None else ""
    return ToolCall(number, _text_or_empty(function.get("name")), text, whole=True)


def _mcp(kind: str, document: JsonObject) -> Content:
    """A JSON-RPC message: a response ends the stream (specification of MCP, "Streamable HTTP")."""
    method = document.get("method")
    if isinstance(method, str):
        return Content(method[:100])
    if document.get("error") is not None:
        return Content("error", terminal="error", error=error_of(document))
    result = _object_or_empty(document.get("result"))
    failed = result.get("isError") is True
    return Content("response", terminal="response", error=_tool_error(result) if failed else None)


def _tool_error(result: JsonObject) -> str:
    """The text of a tool that failed: MCP reports that inside of a result, by `isError`."""
    parts = result.get("content")
    texts = [_text_or_empty(_object_or_empty(part).get("text")) for part in parts] if isinstance(parts, list) else []
    return " ".join(filter(None, texts)) or "the tool reports an error"


READERS: dict[Dialect, Read] = {
    "xnai": _read_xnai,
    "openai": _openai,
    "anthropic": _anthropic,
    "ollama": _ollama,
    "mcp": _mcp,
}
assert set(READERS) == set(get_args(Dialect))


def _text_or_empty(value: JsonValue) -> str:
    """Return the value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def _object_or_empty(value: JsonValue) -> JsonObject:
    """Return the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _object_or_none(value: JsonValue) -> JsonObject | None:
    """Return the value if it is a JSON object with members, else None."""
    return value if isinstance(value, dict) and value else None


def _chunks(reference: JsonValue) -> JsonValue:
    """The chunks of a reference as RAGFlow sends it: a list, or an object with `chunks` as list or mapping."""
    chunks = reference.get("chunks") if isinstance(reference, dict) else reference
    return list(chunks.values()) if isinstance(chunks, dict) else chunks
