"""Parameters and facts of one stream: its request, when to leave it, the bounds, and what is measured."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.checkers._streams.params import StreamedParams
from xnai_validate.kit import (
    Bytes,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Ge,
    Headers,
    JsonValue,
    Le,
    Milliseconds,
    Needs,
    Size,
    Timed,
)


class StreamParams(StreamedParams):
    """The request, which events mean what, when to leave, and the bounds."""

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
    """How many of the first events are kept as the fact `events`, for what other facts do not show."""


class StreamFacts(Facts):
    """One stream, from the request to its end; all but the error is null where no response came."""

    error: ErrorKind | None = None
    """Why there was no answer, or why the stream did not come to its end: `reset` where it was cut, `timeout` where it
    took too long or fell silent, `too_large` where a bound was reached."""
    error_detail: str | None = None
    """The error in words."""
    status: int | None = None
    """The HTTP status."""
    content_type: str | None = None
    """The media type, without parameters, in lower case."""
    charset: str | None = None
    """The charset that the media type names."""
    headers: Headers | None = None
    """The response's headers."""
    encoding: str | None = None
    """The content encoding; compression holds events back that is not flushed after each, see `buffered`."""
    cache_control: str | None = None
    """The Cache-Control header."""
    x_accel_buffering: str | None = None
    """The X-Accel-Buffering header: `no` keeps nginx from buffering."""
    body: str | None = None
    """The beginning of an answer whose status is not 200; it is not read as a stream."""

    first_byte_ms: Milliseconds | None = None
    """From the beginning of the request, connecting included, to the response's headers."""
    first_event_ms: Milliseconds | None = None
    """To the first event."""
    first_token_ms: Milliseconds | None = None
    """To the first token that has text; an event with a role and an empty text is none."""
    first_output_ms: Milliseconds | None = None
    """To the first token, piece of reasoning or tool call: when the model began to work."""
    total_ms: Milliseconds | None = None
    """To the end of the stream, or to when we left."""
    max_gap_ms: Milliseconds | None = None
    """The longest silence after the headers: no byte, no heartbeat."""
    max_event_gap_ms: Milliseconds | None = None
    """The longest time between two events, heartbeats left aside."""
    max_token_gap_ms: Milliseconds | None = None
    """The longest time between two tokens; null without any."""

    event_count: Count | None = None
    """Events, as a browser would dispatch them; with `lenient` also those whose frames end in backslash and n."""
    types: dict[str, Count] | None = None
    """Type -> number of events; at most 50 types."""
    order: list[str] | None = None
    """The types in their order, equal neighbours listed once, heartbeats left out: `[sources, token, done]`."""
    heartbeats: Count | None = None
    """Comments, and events of the heartbeat types."""
    terminated: bool | None = None
    """Whether an event that ends the stream came, and came last."""
    terminal: str | None = None
    """The type of the event that ended the stream."""
    after_terminal: Count | None = None
    """Events after the one that ended the stream, heartbeats left aside."""
    closed_cleanly: bool | None = None
    """Whether the server ended the body as HTTP wants it; null where we left first."""
    left: bool | None = None
    """Whether we left on purpose."""
    error_text: str | None = None
    """What the server reports as an error, in an event of the type `error` or in a field `error` of any event, also
    where the stream goes on: its message, or JSON."""
    finish_reason: str | None = None
    """Why the model stopped, as the server names it: `stop`, `length`, `tool_calls`, `end_turn` and so on."""
    usage: JsonValue = None
    """The usage that the server reports, as an object of numbers."""
    last_event: str | None = None
    """The data of the last event, at most 2 000 characters."""

    json_valid: bool | None = None
    """Whether the data of every event is JSON (that of `terminal_data` aside)."""
    bad_json_count: Count | None = None
    """Events whose data is not JSON."""
    json_detail: str | None = None
    """The data of the first event that is not JSON, at most 200 characters."""
    tokens: Count | None = None
    """Events that carry a token with text."""
    token_rate_tps: Annotated[float, Ge(0), Timed()] | None = None
    """Tokens a second from the first token to the last; null where all came in one read."""
    text: str | None = None
    """All tokens, joined; at most 65 536 characters."""
    tokens_without_text: Count | None = None
    """Token events whose text is empty or missing: the first one of OpenAI's streams carries a role only."""
    repeated_tokens: Count | None = None
    """Tokens with a letter in them that equal the one before."""
    done_tokens: int | None = None
    """How many tokens the last event claims (its field `tokens`)."""
    token_count_difference: Count | None = None
    """How far `done_tokens` is from the number of token events, with and without text."""
    done_latency_ms: Milliseconds | None = None
    """How long the stream took by its last event (its field `latency_ms`)."""
    sources: list[str] | None = None
    """The names of the sources that the answer cites, of the first event that has any (`sources`, `citations`)."""
    reasoning_text: str | None = None
    """What the model thought before it answered, joined; at most 65 536 characters."""
    reasoning_tokens: Count | None = None
    """Events that carry reasoning; they count as no tokens."""
    tool_calls: JsonValue = None
    """The tool calls, put together from their pieces: `[{name, arguments}]`, with the arguments as text."""
    done: JsonValue = None
    """The JSON data of the event that ended the stream."""
    events: Annotated[JsonValue, Needs("keep_events")] = None
    """The first events, heartbeats left out, as a list of `{type, data, is_json}`; null without `keep_events`."""

    bytes: Bytes | None = None
    """Bytes of the body, decompressed."""
    max_event_bytes: Bytes | None = None
    """The size of the largest event's data."""
    arrivals: Count | None = None
    """Reads of the socket that brought events."""
    max_events_per_arrival: Count | None = None
    """The most events that one read brought."""
    buffered: bool | None = None
    """Whether five or more events came in fewer than five reads, on average five or more in one, or twenty or more in
    any number of reads: something held them back."""
    framing_faults: list[str] | None = None
    """Faults of framing by name. Of server-sent events: literal_newline, unterminated_frame, incomplete_last_block,
    unknown_field, invalid_utf8, bom_inside, nul_in_id, bad_retry, event_without_data, line_too_long, data_too_long. Of
    NDJSON: incomplete_last_line, invalid_utf8, line_too_long."""
    framing_fault_counts: dict[str, Count] | None = None
    """Fault -> how often."""
    unknown_fields: list[str] | None = None
    """The unknown fields, at most 20."""
    last_event_id: str | None = None
    """The id of the last event; empty where no event had one."""
    id_count: Count | None = None
    """Events that brought an id."""
    ids_in_order: bool | None = None
    """Whether no id came twice and ids that are numbers ascend; null where fewer than two events brought one."""
    retry_ms: Milliseconds | None = None
    """The reconnection time that the server asked for."""
