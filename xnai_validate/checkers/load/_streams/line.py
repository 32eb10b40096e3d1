"""One stream of a load, among thousands: it reads its events as they come, and keeps a few numbers of them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from time import perf_counter

from xnai_validate.checkers._streams.params import EventReader, StreamedParams
from xnai_validate.checkers._streams.reading import is_buffered
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.tally import US, Tally
from xnai_validate.checkers.load._http.opener import Opener
from xnai_validate.checkers.load._http.pushed_response import PushedResponse
from xnai_validate.checkers.load._http.request_bytes import request_bytes, with_own_spans
from xnai_validate.checkers.load._objectives import Cancel, StreamObjectives
from xnai_validate.checkers.load._streams.tally import StreamTally
from xnai_validate.checkers.load._streams.usage import usage_of
from xnai_validate.kit import ErrorKind, JsonObject, JsonValue
from xnai_validate.wire.http.request import Prepared
from xnai_validate.wire.ndjson import NdjsonParser
from xnai_validate.wire.sse.parser import Event, SseParser

HELD_CAP = 64 * 1024 * 1024
"""Bytes of events that have not ended, in all streams together."""
STREAM = "text/event-stream"
UNTERMINATED, ERROR_EVENT, STATUS, CONTENT_TYPE = "unterminated", "error_event", "status", "content_type"
"""Why a stream is an error that HTTP brought to its end."""


class Streams:
    """What the streams of a load have in common."""

    def __init__(
        self, params: StreamedParams, drive: Drive, prepared: Prepared, host: str, *, timeout_s: float, idle_s: float
    ) -> None:
        """`timeout_s`: how long a stream may take; `idle_s`: how long it may be silent."""
        self.drive = drive
        self.read = EventReader(params).read
        self.parser: Callable[[], SseParser | NdjsonParser] = SseParser
        self.media_types: tuple[str, ...] = (STREAM,)
        self.objectives: StreamObjectives | None = None
        self.choose: Callable[[], bytes] | None = None
        """Returns the request that is sent next, where they vary."""
        self.cancel: Cancel | None = None
        """Which streams are left before their end."""
        self.draw = random.Random(0)
        """Chooses them."""
        self.open: dict[StreamLine, None] = {}
        """The streams whose headers have come, in that order."""
        self.held = 0
        """Bytes of events that have not ended."""
        self.timeout_s = timeout_s
        self.idle_s = idle_s
        self._prepared, self._host, self._data = prepared, host, request_bytes(prepared)
        self._opener: Opener | None = None
        self._timer: asyncio.TimerHandle | None = None

    def line(self) -> StreamLine:
        """Another stream, to be sent."""
        if self._opener is None:
            self._opener = Opener(self.drive.tasks, self._prepared, self._data, self._host)
            self._opener.choose = with_own_spans(self._prepared, self.choose)
            self._watch()
        return StreamLine(self, self._opener)

    def close(self) -> None:
        """Look after silent streams no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _watch(self) -> None:
        """Give up streams that are silent for too long. One timer for all: one a stream would be set at every event."""
        if self._opener is not None:
            self._opener.pass_on()
        silent_since = perf_counter() - self.idle_s
        for line in [line for line in self.open if line.last_byte < silent_since]:
            line.silent(self.idle_s)
        every_s = min(0.25, max(0.01, self.idle_s / 10))
        self._timer = asyncio.get_running_loop().call_later(every_s, self._watch)


class StreamLine(PushedResponse):
    """A stream from being dialled to its end, as a line of a drive; each has a connection of its own."""

    __slots__ = (
        "_after_terminal", "_arrivals", "_claimed", "_error", "_first", "_first_token", "_held", "_last_token",
        "_leaving", "_longest_gap", "_sse", "_streams", "_terminal", "_tokens", "_usage_answer", "_usage_prompt",
        "_without_text", "intended",
        "last_byte", "sent", "tally",
    )  # fmt: skip

    tally: Tally
    intended: float
    sent: float

    def __init__(self, streams: Streams, opener: Opener) -> None:
        super().__init__(opener)
        self.last_byte = 0.0
        """When a byte of the body came last, at first when the headers came."""
        self._streams = streams
        self._sse: SseParser | NdjsonParser | None = None
        self._held = 0
        self._first = self._first_token = self._last_token = self._longest_gap = 0.0
        self._tokens = self._without_text = self._arrivals = 0
        self._terminal: str | None = None
        self._after_terminal = 0
        self._claimed: JsonValue = None
        """The number of tokens that the event that ended the stream claims."""
        self._usage_prompt: int | None = None
        self._usage_answer: int | None = None
        """Tokens of prompt and answer, as the server has reported them last."""
        self._leaving: asyncio.TimerHandle | None = None
        """What cancels the stream, where it is one of those that are."""
        self._error: str | None = None
        """The first error that the server reported within the stream."""

    stale = False
    """Whether another request may not go over it; none ever does."""

    def send(self) -> None:
        """Send the request; called by the drive."""
        self.begin()
        streams = self._streams
        if streams.cancel is not None and streams.draw.random() < streams.cancel.share:
            self._leaving = asyncio.get_running_loop().call_later(streams.cancel.after, self._cancel)

    def _cancel(self) -> None:
        """Leave, as a user who no longer waits."""
        if not self.over:
            self._leave()
            super().abort()
            self._streams.drive.cancelled(self)

    def details(self) -> JsonObject:
        """Return the fields of this stream in the record of all streams."""
        return {
            "status": self.status or None,
            "first_token_ms": (self._first_token - self.intended) * 1000 if self._tokens else None,
            "longest_gap_ms": self._longest_gap * 1000 if self._tokens > 1 else None,
            "tokens": self._tokens,
            "reported_tokens": self._usage_answer,
        }

    def silent(self, idle_s: float) -> None:
        """Give the stream up, for nothing came for so long."""
        if not self._first:
            self._stream_tally.first_event(self.intended, self.sent, perf_counter())
        self.fail(ErrorKind.TIMEOUT, f"silent for {idle_s:g} s {self._describe_progress()}")

    def _describe_progress(self) -> str:
        """Describe how far the stream came."""
        faults = f" ({', '.join(self._sse.faults)})" if self._sse and self._sse.faults else ""
        return f"after {self._sse.events if self._sse else 0} events{faults}"

    def abort(self) -> None:
        """End at once; called by the drive when the time limit is over, or everything is."""
        now = perf_counter()
        if not self.over and not self._first and now >= self.sent + self._streams.timeout_s:
            self._stream_tally.first_event(self.intended, self.sent, now)
        self._leave()
        super().abort()

    @property
    def _stream_tally(self) -> StreamTally:
        """The tally of the phase in which the stream began."""
        assert isinstance(self.tally, StreamTally)
        return self.tally

    # Calls by the response.

    def on_connecting(self) -> None:
        """Called when the connection is about to be opened; a virtual user begins only then."""
        self.sent = perf_counter()
        if self._streams.drive.closed_loop:
            self.intended = self.sent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._streams.drive.opened()
        super().connection_made(transport)

    def on_head(self) -> None:
        """Called when the headers have arrived."""
        tally, self.last_byte = self._stream_tally, self.read_at
        tally.heads[str(self.status)] += 1
        if self.status != 200:
            self._fail_at_once(STATUS, f"answered {self.status}")
        elif self.content_type.partition(";")[0].strip().lower() not in self._streams.media_types:
            expected = " or ".join(self._streams.media_types)
            self._fail_at_once(CONTENT_TYPE, f"got {self.content_type[:60] or 'no content type'}, expected {expected}")
        else:
            self._sse = self._streams.parser()
            opened = self._streams.open
            opened[self] = None
            tally.peak = max(tally.peak, len(opened))

    def _fail_at_once(self, kind: str, detail: str) -> None:
        """End the stream and count it as failed."""
        self._finish()
        self._fail(kind, detail)

    def on_piece(self, data: bytes) -> None:
        """Called with each piece of the stream."""
        assert self._sse is not None
        self.last_byte = self.read_at
        self._events(self._sse.feed(data), self.read_at)
        held = self._sse.held
        if held != self._held:
            self._hold(held)

    def _events(self, events: list[Event], now: float) -> None:
        """Count the events that one read brought at `now`, their tokens and how the stream ends."""
        if not events:
            return
        tally, read = self._stream_tally, self._streams.read
        self._arrivals += 1
        tally.events += len(events)
        for event in events:
            content, document, _ = read(event)
            if content.heartbeat:
                continue
            if isinstance(document, dict) and (usage := usage_of(document)) is not None:
                self._usage_prompt = self._usage_prompt if usage.prompt is None else usage.prompt
                self._usage_answer = self._usage_answer if usage.answer is None else usage.answer
            if not self._first:
                self._first = now
                tally.first_event(self.intended, self.sent, now)
            if content.text:
                self._count_token(tally, now)
            elif content.text is not None:
                self._without_text += 1
            if self._terminal is not None:
                self._after_terminal += 1
            elif content.terminal is not None:
                self._terminal = content.terminal
                self._claimed = document.get("tokens") if isinstance(document, dict) else None
            if content.error is not None and self._error is None:
                self._error = content.error[:200]

    def _count_token(self, tally: StreamTally, now: float) -> None:
        """Count a token, and record the gap before it or the time to the first one."""
        if self._tokens:
            gap = now - self._last_token
            tally.gaps.record(int(gap * US))
            if gap > self._longest_gap:
                self._longest_gap = gap
        else:
            self._first_token = now
            tally.first_token.record(int((now - self.intended) * US))
        self._last_token = now
        self._tokens += 1
        tally.tokens += 1

    def _hold(self, held: int) -> None:
        """Note how many bytes of an unfinished event this stream holds; fail if all streams together hold too much."""
        streams = self._streams
        streams.held += held - self._held
        self._held = held
        if streams.held > HELD_CAP and held >= HELD_CAP // max(1, len(streams.open)):
            self.fail(ErrorKind.TOO_LARGE, f"the streams hold more than {HELD_CAP} bytes of events that do not end")

    def on_end(self) -> None:
        """Called at the end of a complete stream."""
        if self._sse is not None:
            self._events(self._sse.close(), self.last_byte)
        if self._error is not None:
            self._fail(ERROR_EVENT, f"the stream reported an error: {self._error}")
        elif self._terminal is None:
            self._stream_tally.unterminated += 1
            self._fail(UNTERMINATED, f"the stream ended without an event that ends it, {self._describe_progress()}")
        elif self._after_terminal:
            self._stream_tally.unterminated += 1
            self._fail(UNTERMINATED, f"the stream went on after the event that ends it, {self._describe_progress()}")
        else:
            self._leave()
            if self._streams.objectives is not None and self._meets(self._streams.objectives):
                self.tally.good[200] += 1
            self._streams.drive.answered(self, 200, keep=False)

    def _meets(self, objectives: StreamObjectives) -> bool:
        """Whether a stream that has ended well is a good one."""
        return objectives.met(
            total_s=self.read_at - self.intended,
            first_s=self._first_token - self.intended if self._tokens else None,
            gap_s=self._longest_gap,
            mean_gap_s=(self._last_token - self._first_token) / max(1, self._tokens - 1),
        )

    def on_failure(self, kind: ErrorKind, detail: str) -> None:
        """Called when the stream is incomplete."""
        if self._sse is not None and kind not in (ErrorKind.TIMEOUT, ErrorKind.TOO_LARGE):
            self._stream_tally.cut += 1
            detail = f"{detail}, {self._describe_progress()}"
        self._fail(kind, detail)

    def _leave(self) -> None:
        """Count what is known only at the end, however it came; once."""
        sse, self._sse = self._sse, None
        if sse is None:
            return
        streams, tally = self._streams, self._stream_tally
        del streams.open[self]
        streams.held -= self._held
        tally.terminated += self._terminal is not None and not self._after_terminal
        tally.error_events += self._error is not None
        tally.buffered += is_buffered(sse.events, self._arrivals)
        if self._leaving is not None:
            self._leaving.cancel()
        if self._usage_answer is not None:
            tally.usage_streams += 1
            tally.usage_reported += self._usage_answer
            tally.usage_counted += self._tokens
            tally.usage_prompt += self._usage_prompt or 0
        claimed = self._claimed
        if isinstance(claimed, int) and not isinstance(claimed, bool):
            tally.wrong_counts += claimed != self._tokens + self._without_text
        if self._tokens > 1:
            tally.longest_gaps.record(int(self._longest_gap * US))
            tally.per_token.record(int((self._last_token - self._first_token) * US / (self._tokens - 1)))
        for fault in sse.faults:
            tally.faults[fault.value] += 1

    def _fail(self, kind: str, detail: str) -> None:
        """Count the stream as failed."""
        self._leave()
        self._streams.drive.failed(self, kind, detail, connecting=self.unconnected)

    def on_closed(self) -> None:
        """Called when the socket is closed."""
        self._streams.drive.closed(self)
