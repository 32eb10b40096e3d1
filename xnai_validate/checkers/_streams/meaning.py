"""What the events of a stream amount to: text, tokens, reasoning, tool calls, sources, errors, the end."""

from __future__ import annotations

from xnai_validate.checkers._streams.content import Content, ToolCall
from xnai_validate.checkers._streams.models import StreamParams
from xnai_validate.checkers._streams.params import EventReader
from xnai_validate.kit import JsonObject, JsonValue
from xnai_validate.wire.sse.parser import Event

TEXT_CAP = 65_536
TYPES_CAP = 50
ORDER_CAP = 100
DATA_CAP = 2_000
BAD_DATA_CAP = 200
CALLS_CAP = 50


class Meaning:
    """Takes events one after the other and keeps what the facts need of them, within bounds."""

    def __init__(self, params: StreamParams) -> None:
        self.count = 0
        self.types: dict[str, int] = {}
        self.order: list[str] = []
        self.heartbeats = 0
        self.bad_json = 0
        self.bad_data: str | None = None
        self.tokens = 0
        self.tokens_without_text = 0
        self.repeated_tokens = 0
        self.reasoning_tokens = 0
        self.largest = 0
        self.terminal: str | None = None
        self.done: JsonValue = None
        self.error_text: str | None = None
        self.after_terminal = 0
        self.finish_reason: str | None = None
        self.usage: JsonObject | None = None
        self.sources: list[str] | None = None
        self.events: list[JsonValue] | None = [] if params.keep_events else None
        self._keep_events = params.keep_events
        self._reader = EventReader(params)
        self._last_token = ""
        self._text = _BoundedText()
        self._reasoning = _BoundedText()
        self._calls: list[_Call] = []
        self._call_of: dict[int, _Call] = {}
        """The last call under each number."""

    @property
    def text(self) -> str:
        """All tokens, joined and cut."""
        return str(self._text)

    @property
    def reasoning(self) -> str:
        """All pieces of reasoning, joined and cut."""
        return str(self._reasoning)

    @property
    def tool_calls(self) -> list[JsonValue]:
        """The calls in the order of their first pieces, each as `{name, arguments}`."""
        return [{"name": call.name, "arguments": str(call.arguments)} for call in self._calls]

    @property
    def outputs(self) -> int:
        """How many pieces the model has sent: tokens, reasoning and parts of tool calls."""
        return self.tokens + self.reasoning_tokens + len(self._calls)

    def take(self, event: Event) -> bool:
        """Read one event; return whether it is more than a heartbeat."""
        self.count += 1
        size = len(event.data) if event.data.isascii() else len(event.data.encode())
        self.largest = max(self.largest, size)
        content, document, is_json = self._reader.read(event)
        kind = content.type
        if not is_json:
            self.bad_json += 1
            self.bad_data = self.bad_data or event.data[:BAD_DATA_CAP]
        if kind in self.types or len(self.types) < TYPES_CAP:
            self.types[kind] = self.types.get(kind, 0) + 1
        if content.heartbeat:
            self.heartbeats += 1
            return False
        if (not self.order or self.order[-1] != kind) and len(self.order) < ORDER_CAP:
            self.order.append(kind)
        if self.terminal is not None:
            self.after_terminal += 1
        if self.events is not None and len(self.events) < self._keep_events:
            data = document if is_json and document is not None else event.data[:DATA_CAP]
            self.events.append({"type": kind, "data": data, "is_json": is_json and document is not None})
        self._take_content(content)
        if self.terminal is None and content.terminal is not None:
            self.terminal, self.done = content.terminal, document
        return True

    def _take_content(self, content: Content) -> None:
        """Add what an event carries. The first error and the first sources count, and the last finish reason."""
        if content.text is not None:
            self._add_token(content.text)
        if content.reasoning:
            self.reasoning_tokens += 1
            self._reasoning.add(content.reasoning)
        for call in content.tool_calls:
            self._add_tool_call(call)
        self.error_text = self.error_text or content.error
        self.finish_reason = content.finish_reason or self.finish_reason
        if content.usage is not None:
            self.usage = {**(self.usage or {}), **content.usage}
        if content.sources is not None and self.sources is None:
            self.sources = content.sources

    def _add_token(self, text: str) -> None:
        """Count a token, append its text, and count whether it repeats the one before."""
        if not text:
            self.tokens_without_text += 1
            return
        self.tokens += 1
        if text == self._last_token and any(map(str.isalnum, text)):
            self.repeated_tokens += 1
        self._last_token = text
        self._text.add(text)

    def _add_tool_call(self, call: ToolCall) -> None:
        """Add a piece of a tool call: pieces with one number form one call until one has another id, and a name."""
        known = self._call_of.get(call.number)
        if known is None or call.whole or (call.name and call.id and known.id and call.id != known.id):
            if len(self._calls) >= CALLS_CAP:
                return
            known = _Call()
            self._calls.append(known)
            self._call_of[call.number] = known
        known.id = known.id or call.id[:DATA_CAP]
        known.name = known.name or call.name[:DATA_CAP]
        known.arguments.add(call.arguments)


class _Call:
    """A tool call as far as its pieces have come."""

    def __init__(self) -> None:
        self.id = self.name = ""
        self.arguments = _BoundedText()


class _BoundedText:
    """Pieces of text, joined up to a bound."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0

    def add(self, piece: str) -> None:
        """Append a piece, unless the text has reached its bound."""
        if self._size < TEXT_CAP:
            self._pieces.append(piece)
            self._size += len(piece)

    def __str__(self) -> str:
        return "".join(self._pieces)[:TEXT_CAP]
