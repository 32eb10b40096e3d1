"""How late this tool itself was, so that no time limit that breaks for that reason becomes a failure of the stack.

A process that waits for its turn, or computes, reads an answer later than it came: every time that it measures then is
too long. The event loop is therefore asked to call back every 10 ms, and how late it does is kept. A broken time limit
is not judged where the tool was late by at least what the measured time exceeds the limit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from time import monotonic
from typing import Any

from xnai_validate.model.judging.fact_types import FactType
from xnai_validate.model.judging.findings import Finding, describe_finding
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.units import format_ms

BEAT_S = 0.01
"""Seconds between two calls back."""
FLOOR_S = 0.002
"""Lateness below this is that of any process on an idle machine."""
KEPT = 20_000
"""Late calls that are kept, the newest; at every beat one, they are those of 200 s."""

Span = tuple[float, float]
"""Begin and end of a measurement, in seconds of `time.monotonic`."""


class Lateness:
    """The moments at which this process was late, in seconds of `time.monotonic`."""

    def __init__(self) -> None:
        self._late: deque[Span] = deque(maxlen=KEPT)
        """When a call back was due, and when it came."""
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Watch the running event loop, in real time also where checks have a clock of their own."""
        self._due = monotonic() + BEAT_S
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._note_call)

    def end(self) -> None:
        """Stop watching."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _note_call(self) -> None:
        """Note when the timer was due and when it came, and start it again."""
        self.add(self._due, monotonic())
        self.begin()

    def add(self, due: float, came: float) -> None:
        """Keep a call back that was due at one time and came at another, if it was late."""
        if came - due >= FLOOR_S:
            self._late.append((due, came))

    def longest_s(self, span: Span, window_s: float) -> float:
        """Return the most seconds of lateness within any `window_s` seconds of a measurement."""
        late = list(self.within(span))
        longest_s = whole_s = 0.0
        end = 0  # the first that is not whole in the window that begins with `first`
        for first, (due, came) in enumerate(late):
            while end < len(late) and late[end][1] <= due + window_s:
                whole_s += late[end][1] - late[end][0]
                end += 1
            cut_s = max(0.0, due + window_s - late[end][0]) if end < len(late) else 0.0
            longest_s = max(longest_s, whole_s + cut_s)
            if end > first:
                whole_s -= came - due
            else:
                end = first + 1
        return longest_s

    def total_s(self, span: Span) -> float:
        """Return the seconds of lateness in a whole measurement."""
        return sum(came - due for due, came in self.within(span))

    def within(self, span: Span) -> Iterable[Span]:
        """Yield the parts of a span in which this process was late."""
        begun, ended = span
        # A call back that is overdue comes only after the check that is now judged has given up its turn.
        overdue = [] if self._timer is None or monotonic() - self._due < FLOOR_S else [(self._due, monotonic())]
        for due, came in (*self._late, *overdue):
            if came > begun and due < ended:
                yield max(due, begun), min(came, ended)


LATENESS: ContextVar[Lateness | None] = ContextVar("LATENESS", default=None)
"""The lateness of this run; None outside a run: then every limit is judged."""


def late_limits(
    rules: Sequence[Rule],
    findings: Sequence[Finding],
    types: Mapping[str, FactType],
    facts: Mapping[str, Any],
    span: Span | None,
) -> dict[int, str]:
    """Return the index of each broken time limit that the lateness of this tool explains -> the reason, one sentence.

    Args:
        rules: the rules of a measurement.
        findings: their findings, in the same order.
        types: fact name -> type; only facts that are marked as `Timed` depend on the tool's own speed.
        facts: fact name -> value; `too_slow_client` of a load explains each of its times.
        span: when the facts were measured; None if that is not known.
    """
    late: dict[int, str] = {}
    for index, (rule, finding) in enumerate(zip(rules, findings, strict=True)):
        if finding.held or not _is_about_time(rule, types):
            continue
        if (why := _explanation(rule, finding, facts, span)) is not None:
            late[index] = f"{describe_finding(finding)}; could not be judged: {why}"
    return late


def _is_about_time(rule: Rule, types: Mapping[str, FactType]) -> bool:
    """Whether a rule is about a duration, which lateness of this tool may lengthen."""
    known = types.get(rule.fact)
    if known is not None and rule.path is not None:
        known = known.item
    return known is not None and known.timed and rule.of == "value"


def _explanation(rule: Rule, finding: Finding, facts: Mapping[str, Any], span: Span | None) -> str | None:
    """Why a broken limit of a time, a rate or a ratio of times does not judge the stack; None if it does."""
    actual, limit = finding.actual, finding.expected
    if not isinstance(actual, int | float) or not isinstance(limit, int | float):
        return None
    unit_s = {"ms": 0.001, "s": 1.0}.get(rule.fact.rpartition("_")[2])
    is_upper = finding.rule in ("max", "not min")
    if finding.rule not in ("min", "max", "not min", "not max") or (unit_s is not None and not is_upper):
        return None  # lateness makes no time shorter
    if facts.get("too_slow_client") is True:
        late_ms, cpu = facts.get("lag_p99_ms", 0.0), facts.get("own_cpu_ratio", 0.0)
        return f"the tool itself was late by {format_ms(late_ms)} and used {cpu:.0%} of a processor"
    lateness = LATENESS.get()
    if lateness is None or span is None:
        return None
    if unit_s is not None:
        late_s = lateness.longest_s(span, actual * unit_s)
        explained = late_s > 0 and late_s >= (actual - limit) * unit_s
    else:
        late_s = lateness.total_s(span)
        larger, smaller = max(actual, limit), min(actual, limit)
        explained = late_s > 0 and smaller > 0 and late_s >= (1 - smaller / larger) * (span[1] - span[0])
    return f"the tool itself was late by {format_ms(late_s * 1000)} meanwhile" if explained else None
