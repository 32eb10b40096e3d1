"""Reading one stream to its end, to a bound, or until it is time to leave."""

from __future__ import annotations

import asyncio
from time import perf_counter

from xnai_validate.checkers._streams.meaning import Meaning
from xnai_validate.checkers._streams.models import StreamFacts, StreamParams
from xnai_validate.kit import ErrorKind, JsonValue, bounded
from xnai_validate.wire.content import media_type, text_of
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient, HttpRequest, HttpStream
from xnai_validate.wire.http.connections.progress import Progress
from xnai_validate.wire.ndjson import NdjsonParser
from xnai_validate.wire.sse.parser import Event, SseParser

StreamParser = SseParser | NdjsonParser
BODY_CAP = 16 * 1024
LAST_EVENT_CAP = 2_000
BUFFERED = 5
"""Events a read, on average, from which on something held them back, where they came in fewer than this many reads."""
BUFFERED_LUMP = 20
"""The same for any number of reads. A busy machine sends and reads several events at once, but in many reads."""


def is_buffered(events: int, arrivals: int) -> bool:
    """Whether something held events back that came in this number of reads, by the rules of `buffered`."""
    return events >= (BUFFERED if arrivals < BUFFERED else BUFFERED_LUMP) * max(1, arrivals)


class Reading:
    """One stream, as far as it has come; `facts` may be asked at any time."""

    def __init__(self, params: StreamParams, parser: StreamParser | None = None) -> None:
        """`parser`: of the framing; by default that of server-sent events."""
        self._params = params
        self._parser: StreamParser = parser or SseParser()
        self._meaning = Meaning(params)
        self._stream: HttpStream | None = None
        self._failure: WireError | None = None
        self._progress = Progress()
        self._started = self._ended = perf_counter()
        self._last_byte = self._last_event = 0.0
        self._max_gap = self._max_event_gap = self._max_token_gap = 0.0
        self._first_event: float | None = None
        self._first_token: float | None = None
        self._first_output: float | None = None
        self._last_token = 0.0
        self._counted = 0
        self._left = False
        self._size = self._arrivals = self._most = 0
        self._last_read = -1
        """The number of the read of the socket that last brought events, and how many it has brought."""
        self._of_read = 0
        self._body = b""
        self._last_data: str | None = None

    async def run(self, client: HttpClient, request: HttpRequest) -> None:
        """Ask for the stream and read it; every failure becomes part of the facts."""
        loop = asyncio.get_running_loop()
        self._progress = Progress()
        self._started = self._progress.started
        begun = loop.time()
        deadline = begun + self._params.timeout
        leave = None if self._params.leave_after_time is None else begun + self._params.leave_after_time
        try:
            async with asyncio.timeout_at(deadline if leave is None else min(deadline, leave)) as limit:
                async with await client.send(request, self._progress) as stream:
                    self._stream = stream
                    self._last_byte = perf_counter()
                    await self._read(stream, limit, limit.when() or deadline)
        except TimeoutError:
            self._late(loop.time(), deadline, leave)
        except WireError as failure:
            self._failure = failure
        finally:
            self._ended = perf_counter()
            if self._stream is not None and not self._left:
                self._max_gap = max(self._max_gap, self._ended - self._last_byte)

    async def _read(self, stream: HttpStream, limit: asyncio.Timeout, deadline: float) -> None:
        """Feed the parser until the stream ends or is left; of a refusal, keep the beginning of its body."""
        loop = asyncio.get_running_loop()
        ok = stream.head.status == 200
        while not self._left:
            limit.reschedule(min(deadline, loop.time() + self._params.idle_timeout))
            piece = await stream.read()
            if not piece:
                if ok:
                    self._events(self._parser.close(), stream.arrivals)
                return
            self._count_bytes(piece)
            if ok:
                self._events(self._parser.feed(piece), stream.arrivals)
            elif len(self._body) < BODY_CAP:
                self._body += piece[:BODY_CAP]

    def _count_bytes(self, piece: bytes) -> None:
        """Count a piece and the gap before it. Raises WireError beyond the cap."""
        now = max(self._last_byte, self._progress.read_at)
        self._max_gap = max(self._max_gap, now - self._last_byte)
        self._last_byte = now
        self._size += len(piece)
        if self._size > self._params.max_bytes:
            raise WireError(ErrorKind.TOO_LARGE, f"the stream has more than {self._params.max_bytes} bytes")

    def _events(self, events: list[Event], read: int) -> None:
        """Take events in; `read` is the number of the read of the socket that brought the last byte of them."""
        if not events:
            return
        if read != self._last_read:
            self._last_read, self._of_read = read, 0
            self._arrivals += 1
        self._of_read += len(events)
        self._most = max(self._most, self._of_read)
        now = self._last_byte
        before = self._parser.events - len(events)
        for number, event in enumerate(events, start=before + 1):
            if number > self._params.max_events:
                raise WireError(ErrorKind.TOO_LARGE, f"the stream has more than {self._params.max_events} events")
            if self._meaning.take(event):
                self._time(now)
            self._last_data = event.data
            if number == self._params.leave_after:
                self._left = True
                return

    def _time(self, now: float) -> None:
        """Note when an event came, and whether it is the first one, or the first with output or with a token."""
        if self._first_event is None:
            self._first_event = now
        else:
            self._max_event_gap = max(self._max_event_gap, now - self._last_event)
        self._last_event = now
        if self._first_output is None and self._meaning.outputs:
            self._first_output = now
        if self._meaning.tokens > self._counted:
            self._counted = self._meaning.tokens
            if self._first_token is not None:
                self._max_token_gap = max(self._max_token_gap, now - self._last_token)
            self._first_token = self._first_token or now
            self._last_token = now

    def _late(self, now: float, deadline: float, leave: float | None) -> None:
        """Note why reading was given up: it was time to leave, or one of the time limits is over."""
        if leave is not None and now >= leave and leave < deadline:
            self._left = True
        elif self._stream is None:
            self._failure = WireError(
                ErrorKind.TIMEOUT, f"no response within {self._params.timeout:g} s: {self._progress.unfinished}"
            )
        elif now >= deadline:
            self._failure = WireError(
                ErrorKind.TIMEOUT, f"not at its end after {self._params.timeout:g} s and {self._parser.events} events"
            )
        else:
            self._failure = WireError(
                ErrorKind.TIMEOUT, f"silent for {self._params.idle_timeout:g} s after {self._parser.events} events"
            )

    def facts(self) -> StreamFacts:
        """Return the facts measured so far."""
        failure = self._failure
        error, detail = (None, None) if failure is None else (failure.kind, failure.detail)
        if self._stream is None:
            return StreamFacts(
                error=error, error_detail=detail, left=self._left, total_ms=self._since_start_ms(self._ended)
            )
        head = self._stream.head
        media = media_type(head.headers)
        about_events = self._about_events() if head.status == 200 else {}
        return StreamFacts(
            error=error,
            error_detail=detail,
            status=head.status,
            content_type=media.type,
            charset=media.charset,
            headers=head.headers,
            encoding=head.headers.get("content-encoding"),
            cache_control=head.headers.get("cache-control"),
            x_accel_buffering=head.headers.get("x-accel-buffering"),
            body=None if head.status == 200 else text_of(self._body, media.charset, BODY_CAP),
            first_byte_ms=self._stream.timing.first_byte_ms,
            total_ms=self._since_start_ms(self._ended),
            max_gap_ms=self._max_gap * 1000,
            closed_cleanly=None if self._left else self._stream.ended and failure is None,
            left=self._left,
            bytes=self._size,
            **about_events,  # type: ignore[arg-type]
        )

    def _about_events(self) -> dict[str, object]:
        """Return the facts of a stream that was answered with status 200: its events, tokens and framing."""
        parser, meaning = self._parser, self._meaning
        done = meaning.done if isinstance(meaning.done, dict) else {}
        claimed = done.get("tokens")
        done_tokens = claimed if isinstance(claimed, int) and not isinstance(claimed, bool) else None
        token_events = meaning.tokens + meaning.tokens_without_text
        return {
            "first_event_ms": self._since_start_ms(self._first_event),
            "first_token_ms": self._since_start_ms(self._first_token),
            "first_output_ms": self._since_start_ms(self._first_output),
            "max_event_gap_ms": self._max_event_gap * 1000,
            "max_token_gap_ms": self._max_token_gap * 1000 if self._first_token is not None else None,
            "event_count": meaning.count,
            "types": meaning.types,
            "order": meaning.order,
            "heartbeats": parser.comments + meaning.heartbeats,
            "terminated": meaning.terminal is not None and meaning.after_terminal == 0,
            "terminal": meaning.terminal,
            "after_terminal": meaning.after_terminal,
            "error_text": meaning.error_text,
            "finish_reason": meaning.finish_reason,
            "usage": bounded(meaning.usage),
            "reasoning_text": meaning.reasoning,
            "reasoning_tokens": meaning.reasoning_tokens,
            "tool_calls": bounded(meaning.tool_calls),
            "last_event": None if self._last_data is None else self._last_data[:LAST_EVENT_CAP],
            "json_valid": meaning.bad_json == 0,
            "bad_json_count": meaning.bad_json,
            "json_detail": meaning.bad_data,
            "tokens": meaning.tokens,
            "token_rate_tps": self._tokens_per_s(),
            "text": meaning.text,
            "tokens_without_text": meaning.tokens_without_text,
            "repeated_tokens": meaning.repeated_tokens,
            "done_tokens": done_tokens,
            "token_count_difference": None if done_tokens is None else abs(done_tokens - token_events),
            "done_latency_ms": _milliseconds(done.get("latency_ms")),
            "sources": meaning.sources,
            "done": bounded(meaning.done),
            "events": meaning.events,
            "max_event_bytes": meaning.largest,
            "arrivals": self._arrivals,
            "max_events_per_arrival": self._most,
            "buffered": is_buffered(meaning.count, self._arrivals),
            "framing_faults": [str(fault) for fault in parser.faults],
            "framing_fault_counts": {str(fault): times for fault, times in parser.faults.items()},
            "unknown_fields": parser.unknown_fields,
            **_about_ids(parser),
        }

    def _tokens_per_s(self) -> float | None:
        """Return the tokens per second from the first token to the last."""
        if self._first_token is None or self._last_token <= self._first_token:
            return None
        return (self._meaning.tokens - 1) / (self._last_token - self._first_token)

    def _since_start_ms(self, at: float | None) -> float | None:
        """Return the milliseconds from the start of the request to an instant."""
        return None if at is None else (at - self._started) * 1000


def _about_ids(parser: StreamParser) -> dict[str, object]:
    """Return the facts about ids and reconnection, which only server-sent events have."""
    if not isinstance(parser, SseParser):
        return {}
    return {
        "last_event_id": parser.last_event_id[:200],
        "id_count": parser.ids.count,
        "ids_in_order": parser.ids.in_order,
        "retry_ms": parser.retry_ms,
    }


def _milliseconds(value: JsonValue) -> float | None:
    """A number that can be a duration; None for anything else that a server claims."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return None
    return float(value)
