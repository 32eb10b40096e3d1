"""What is counted in one phase of a load: its warm-up, or the load itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from xnai_validate.kit import ErrorKind, Histogram

WINDOWS = 30
SHORTEST_S = 0.1
"""A window is at least this long; shorter ones would hold too little to be compared."""
US = 1e6


class Tally:
    """Counts and latencies; takes the same memory however long the load is."""

    __slots__ = (
        "_from",
        "_last_window",
        "_per_s",
        "_right",
        "_timeout_s",
        "_until",
        "_window",
        "_wrong",
        "abandoned",
        "begun",
        "cancelled",
        "error_detail",
        "errors",
        "errors_by_window",
        "for_s",
        "good",
        "kinds",
        "lag",
        "last_at",
        "not_sent",
        "objective_s",
        "retried",
        "sent",
        "service",
        "statuses",
        "windows",
    )

    def __init__(self, begun: float, for_s: float, timeout_s: float) -> None:
        """`begun` is a time of `perf_counter`; the phase lasts `for_s` seconds."""
        self.begun = begun
        self.for_s = for_s
        self.sent = 0
        self.not_sent = 0
        self.abandoned = 0
        self.cancelled = 0
        """Requests that this tool has ended as a user does who leaves."""
        self.retried = 0
        self.errors = 0
        """Requests without a whole answer."""
        self.kinds: Counter[str] = Counter()
        self.error_detail: str | None = None
        self.statuses: defaultdict[str | int, int] = defaultdict(int)
        """Whole answers by status; which of them are errors is decided at the end."""
        self.good: Counter[str | int] = Counter()
        """Of these, the ones that met their objectives."""
        self.objective_s: float | None = None
        """The time that a good answer comes within; None where that is no objective."""
        count = max(1, min(WINDOWS, int(for_s / SHORTEST_S)))
        self.windows = [Histogram() for _ in range(count)]
        """Latencies in us, by intended start."""
        self.errors_by_window = [0] * count
        """Requests that failed or were answered wrongly, by the time at which that was known."""
        self.service = Histogram()
        """Times from the real beginning, in us, where that is not the intended one."""
        self.lag = Histogram()
        """How late we were ourselves, in us."""
        self.last_at = begun
        """When the last request ended."""
        self._per_s = count / for_s if for_s else 0.0
        self._last_window = count - 1
        self._timeout_s = timeout_s
        self._window = self.windows[0]
        """The window of the last answer; most of the next ones are in it too."""
        self._wrong: Callable[[str | int], bool] = lambda status: False
        self._right: set[str | int] = set()
        """Statuses that were found to be no error: to look one up takes less time than to judge it."""
        self._from = self._until = begun

    def judge_by(self, wrong: Callable[[str | int], bool], objective_s: float | None) -> None:
        """Set which statuses count as errors, and the time that a good answer comes within."""
        self._wrong, self.objective_s = wrong, objective_s

    @property
    def window_s(self) -> float:
        """The length of a window."""
        return self.for_s / len(self.windows)

    @property
    def answered_count(self) -> int:
        """Whole answers."""
        return sum(self.statuses.values())

    def answered(self, status: str | int, intended: float, sent: float, now: float) -> None:
        """Count a whole answer; one that came after the time limit counts as a timeout."""
        service_s = now - sent
        if service_s > self._timeout_s:
            self.timed_out(intended, sent, now)
            return
        self.statuses[status] += 1
        if status not in self._right:
            self._judge(status, now)
        if self.objective_s is not None and now - intended <= self.objective_s:
            self.good[status] += 1
        if not self._from <= intended < self._until:
            self._enter_window(intended)
        self._window.record(int((now - intended) * US))
        if sent != intended:  # in a closed loop the two are one
            self.service.record(int(service_s * US))
        self.last_at = now

    def _judge(self, status: str | int, now: float) -> None:
        """Count a whole answer as an error of its window if its status is wrong."""
        if self._wrong(status):
            self._count_error(now)
        else:
            self._right.add(status)

    def _count_error(self, now: float) -> None:
        """Count an error in its window."""
        self.errors_by_window[max(0, min(self._last_window, int((now - self.begun) * self._per_s)))] += 1

    def failed(self, kind: str, detail: str, now: float) -> None:
        """Count a request without a whole answer; `kind` is an ErrorKind, or a reason of the kind of load."""
        self.errors += 1
        self._count_error(now)
        self.kinds[str(kind)] += 1
        self.last_at = now
        if self.error_detail is None:
            self.error_detail = detail

    def timed_out(self, intended: float, sent: float, now: float) -> None:
        """The time limit is over without a whole answer."""
        self._record_failed(intended, sent - intended + self._timeout_s)
        if sent != intended:
            self.service.record(int(self._timeout_s * US))
        self.failed(ErrorKind.TIMEOUT, f"no whole answer within {self._timeout_s:g} s", now)

    def never_sent(self, intended: float) -> None:
        """An arrival has waited for a connection until its time was over."""
        self.not_sent += 1
        self._record_failed(intended, self._timeout_s)

    def _record_failed(self, intended: float, waited_s: float) -> None:
        """Record the time of a request that got no response: without it the percentiles would be too good."""
        self.window_of(intended).record(int(waited_s * US))

    def window_of(self, intended: float) -> Histogram:
        """The latencies of requests that were to begin in the same window."""
        number = int((intended - self.begun) * self._per_s)
        return self.windows[number if number < self._last_window else self._last_window]

    def _enter_window(self, intended: float) -> None:
        """Enter the window of time in which a request was due."""
        self._window = self.window_of(intended)
        number = min(self._last_window, int((intended - self.begun) * self._per_s))
        self._from, self._until = (self.begun + (number + after) * self.window_s for after in (0, 1))

    @property
    def latency_text(self) -> str:
        """The median and the 99th percentile of late, for the progress: `, p50 12 ms, p99 80 ms`; empty without any.

        All windows would take 2 ms, in which no request is sent.
        """
        latency = Histogram()
        for window in [each for each in self.windows if each.count][-3:]:
            latency.merge(window)
        known = ((q, latency.quantile(q / 100)) for q in (50, 99))
        return "".join(f", p{q} {us / 1000:.{1 if us < 10_000 else 0}f} ms" for q, us in known if us is not None)

    def late(self, seconds: float) -> None:
        """Record that the load generator was late by this number of seconds."""
        self.lag.record(int(seconds * US))
