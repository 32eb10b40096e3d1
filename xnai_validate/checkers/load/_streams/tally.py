"""What is counted of the streams of one phase of a load."""

from __future__ import annotations

from collections import Counter

from xnai_validate.checkers.load._generator.tally import US, Tally
from xnai_validate.kit import ErrorKind, Histogram


class StreamTally(Tally):
    """Counts and times of streams; the latency of a stream is the time to its first event."""

    __slots__ = (
        "buffered",
        "cut",
        "error_events",
        "events",
        "faults",
        "first_token",
        "gaps",
        "heads",
        "longest_gaps",
        "peak",
        "per_token",
        "terminated",
        "tokens",
        "totals",
        "unterminated",
        "usage_counted",
        "usage_prompt",
        "usage_reported",
        "usage_streams",
        "whole",
        "wrong_counts",
    )  # fmt: skip

    def __init__(self, begun: float, for_s: float, timeout_s: float) -> None:
        super().__init__(begun, for_s, timeout_s)
        self.heads: Counter[str] = Counter()
        """HTTP status -> responses, whole or not."""
        self.terminated = 0
        """Streams whose last event is one that ends them."""
        self.unterminated = 0
        """Streams that HTTP ended well, and no event did."""
        self.cut = 0
        """Streams that had begun and that HTTP did not end."""
        self.error_events = 0
        """Streams with an event of the type `error`."""
        self.buffered = 0
        """Streams that came in fewer pieces than they have events."""
        self.wrong_counts = 0
        """Streams whose last event claims another number of tokens than came."""
        self.events = 0
        self.tokens = 0
        self.usage_streams = self.usage_reported = self.usage_counted = self.usage_prompt = 0
        """Streams that report their tokens, what they report, what came in them, and reported tokens of prompts."""
        self.peak = 0
        """The most streams that were open at once."""
        self.faults: Counter[str] = Counter()
        """Fault of framing -> streams that had it."""
        self.first_token = Histogram()
        self.gaps = Histogram()
        """Times between two tokens of a stream."""
        self.longest_gaps = Histogram()
        """The longest time between two tokens of each stream."""
        self.totals = Histogram()
        """Times to the end of the streams that ended well."""
        self.per_token = Histogram()
        """Mean times between the tokens of a stream, one a stream."""

    def first_event(self, intended: float, sent: float, now: float) -> None:
        """Record the time to the first event, or, for a stream without events, how long it lasted."""
        window = int((intended - self.begun) * self._per_s)
        self.windows[window if window < self._last_window else self._last_window].record(int((now - intended) * US))
        self.service.record(int((now - sent) * US))

    def answered(self, status: str | int, intended: float, sent: float, now: float) -> None:
        """A stream has ended well."""
        self.statuses[status] += 1
        self.totals.record(int((now - intended) * US))
        self.last_at = now

    def timed_out(self, intended: float, sent: float, now: float) -> None:
        """Count a stream that exceeded its time limit; its line knows whether it had an event."""
        self.failed(ErrorKind.TIMEOUT, f"not at its end within {self._timeout_s:g} s", now)
