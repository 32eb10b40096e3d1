"""What the events of a stream mean: tokens, sources, the end."""

from __future__ import annotations

from xnai_validate.checkers._stream import Understanding
from xnai_validate.checkers.sse._models import StreamParams
from xnai_validate.kit import JsonValue
from xnai_validate.wire.sse.parser import Event

TEXT_CAP = 65_536
TYPES_CAP = 50
ORDER_CAP = 100
SOURCES_CAP = 100
DATA_CAP = 2_000


class Meaning:
    """Takes events one after the other and keeps what the facts need of them, within bounds."""

    def __init__(self, params: StreamParams) -> None:
        self.count = 0
        self.types: dict[str, int] = {}
        self.order: list[str] = []
        self.heartbeats = 0
        self.bad_json = 0
        self.tokens = 0
        self.tokens_without_text = 0
        self.repeated_tokens = 0
        self.largest = 0
        self.terminal: str | None = None
        self.done: JsonValue = None
        self.error_text: str | None = None
        self.after_terminal = 0
        self.sources: list[str] | None = None
        self.events: list[JsonValue] | None = [] if params.keep_events else None
        self._keep_events = params.keep_events
        self._understanding = Understanding(params)
        self._last_token = ""
        self._text: list[str] = []
        self._text_size = 0

    @property
    def text(self) -> str:
        """All tokens, joined and cut."""
        return "".join(self._text)[:TEXT_CAP]

    def take(self, event: Event) -> bool:
        """Read one event; return whether it is more than a heartbeat."""
        self.count += 1
        size = len(event.data) if event.data.isascii() else len(event.data.encode())
        self.largest = max(self.largest, size)
        kind, document, is_json, heartbeat, token, terminal = self._understanding.of(event)
        self.bad_json += not is_json
        if kind in self.types or len(self.types) < TYPES_CAP:
            self.types[kind] = self.types.get(kind, 0) + 1
        if heartbeat:
            self.heartbeats += 1
            return False
        if (not self.order or self.order[-1] != kind) and len(self.order) < ORDER_CAP:
            self.order.append(kind)
        if self.terminal is not None:
            self.after_terminal += 1
        if self.events is not None and len(self.events) < self._keep_events:
            self.events.append({"type": kind, "data": event.data[:DATA_CAP] if document is None else document})
        if token is not None:
            self._token(token)
        if kind == "sources" and self.sources is None:
            self._sources(document)
        if self.terminal is None and terminal is not None:
            self.terminal, self.done = terminal, document
        if kind == "error" and isinstance(document, dict) and self.error_text is None and "error" in document:
            self.error_text = str(document["error"])[:2_000]
        return True

    def _token(self, content: str) -> None:
        self.tokens += 1
        self.tokens_without_text += not content
        if content == self._last_token and any(map(str.isalnum, content)):
            self.repeated_tokens += 1
        self._last_token = content
        if self._text_size < TEXT_CAP:
            self._text.append(content)
            self._text_size += len(content)

    def _sources(self, document: JsonValue) -> None:
        named = document.get("sources") if isinstance(document, dict) else None
        if isinstance(named, list):
            self.sources = [str(name)[:500] for name in named[:SOURCES_CAP]]
