"""Parameters and facts of a WebSocket session."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Annotated, Literal

from xnai_validate.checkers._http_fields import HttpHeaders, HttpPath
from xnai_validate.kit import (
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
    Params,
    Size,
    field_validator,
)

Frame = Literal["text", "binary", "none"]
Message = str | bytes


class SessionParams(Params):
    """Where to connect, and what to send."""

    path: HttpPath = "/ws"
    """The path below the target's url; http becomes ws, https becomes wss."""
    root: bool = False
    """Whether the path is below the target's root instead of its url."""
    headers: HttpHeaders = Field(default_factory=dict)
    """Headers of the handshake."""
    subprotocols: list[str] = Field(default_factory=list)
    """Subprotocols to offer."""
    greetings: Annotated[int, Ge(0), Le(100)] = 0
    """Messages that the server sends by itself at the beginning; they are waited for before anything is sent."""
    send: list[JsonValue] = Field(default_factory=list, max_length=1_000)
    """What is sent, one message after the other: text as it stands (so it may be bad JSON), `{base64: "AAH/"}` as the
    bytes that it encodes, in a binary frame, anything else as JSON."""
    ignore: list[str] = Field(default_factory=list)
    """Types of messages that are skipped, because they are not answers."""
    type_field: str = "type"
    """The field of a JSON message that holds its type."""
    reply_timeout: Duration = 3.0
    """How long each greeting and each answer may take; what comes later counts as unanswered."""
    every: Duration = 0.0
    """How long to wait between the answer to one message and the next message."""
    stay: Duration = 0.0
    """How long the connection stays open, silent, before the last ping."""
    max_message: Size = 1024 * 1024
    """A larger message from the server ends the session: too_large."""
    timeout: Duration = 15.0
    """How long the whole session may take."""

    @field_validator("send")
    @classmethod
    def _verify_messages(cls, send: list[JsonValue]) -> list[JsonValue]:
        """Return the messages. Raises ValueError if one is not a message."""
        for message in send:
            message_of(message)
        return send


def message_of(written: JsonValue) -> Message:
    """The message that an entry of `send` stands for. Raises ValueError for malformed base64."""
    if isinstance(written, str):
        return written
    if isinstance(written, dict) and list(written) == ["base64"] and isinstance(encoded := written["base64"], str):
        return b64decode(encoded, validate=True)
    return json.dumps(written, ensure_ascii=False)


class SessionFacts(Facts):
    """One session; facts are null where it did not come that far."""

    error: ErrorKind | None = None
    """Why the session did not come to its end; a handshake that is refused is an answer, not an error."""
    error_detail: str | None = None
    """The error in words."""
    handshake_status: int | None = None
    """The HTTP status of the handshake: 101 where there is a WebSocket."""
    refusal: str | None = None
    """Why there is no WebSocket, though the server answered."""
    handshake_ms: Milliseconds | None = None
    """From the beginning, connecting included, to the answer to the handshake."""
    subprotocol: str | None = None
    """The subprotocol that the server chose."""
    headers: Headers | None = None
    """Headers of the answer to the handshake."""
    greetings: JsonValue = None
    """The messages before we sent anything, as a list; a binary one that is not UTF-8 is `{base64: ...}`."""
    greeting_types: list[str] | None = None
    """Their types; empty for a message without type, or a missing one."""
    greeting_frames: list[Frame] | None = None
    """The frames that they came in: `text`, `binary`, or `none` for a missing one."""
    replies: JsonValue = None
    """The answer to each message, in order, as a list; null for one that was not answered, `{base64: ...}` for a binary
    one that is not UTF-8."""
    reply_frames: list[Frame] | None = None
    """The frames that the answers came in: `text`, `binary`, or `none` for a missing one."""
    reply_types: list[str] | None = None
    """Their types; empty for a message without type, or a missing one."""
    unanswered: Count | None = None
    """Greetings and answers that did not come."""
    roundtrip_ms: Milliseconds | None = None
    """The longest time from a message to its answer."""
    passed_over: Count | None = None
    """Messages that were skipped, because their type is to be ignored."""
    survived: bool | None = None
    """Whether the connection answered a ping at the end."""
    pong_ms: Milliseconds | None = None
    """How long that answer took."""
    closed_by: Literal["server", "client", "network"] | None = None
    """Who closed first; `network` where the connection ended without a close frame."""
    close_code: int | None = None
    """The code that the server closed with; it repeats ours where we closed first."""
    close_reason: str | None = None
    """Its reason."""
