"""The figures of the loads of a run: rates, percentiles, and how the latencies are distributed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from xnai_validate.model.histogram import Histogram
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import CheckResult

BARS = " ▁▂▃▄▅▆▇█"
"""Characters of a bar, from none to full."""


@dataclass(frozen=True, slots=True)
class Load:
    """A check that measured under load, and what it measured."""

    check: CheckResult
    requests: int
    """Requests that were sent, or streams that were opened."""
    rate: float | None
    """Answers in a second."""
    error_ratio: float | None
    latency: Histogram
    """Latencies of all answers, from the intended start of each request."""
    window_s: float
    windows: tuple[Histogram, ...]
    """Latencies by intended start, in windows of equal length."""
    good_ratio: float | None = None
    """Requests that met objectives of their own; None where they had none."""
    errors: tuple[int, ...] = ()
    """Requests without a whole answer, in the same windows; empty if that is not known."""

    @property
    def streams(self) -> bool:
        """Whether it opened streams, whose latency is the time to the first event."""
        return "tokens" in self.check.facts

    @property
    def rate_text(self) -> str:
        """The rate as people read it: `48.2`, `1231`; empty if it is not known."""
        return "" if self.rate is None else figure_text(self.rate)

    def percentile_ms(self, q: float) -> float | None:
        """Return the latency in milliseconds that the share `q` of all answers does not exceed."""
        us = self.latency.quantile(q)
        return None if us is None else us / 1000

    def bars(self, count: int) -> str:
        """Return the distribution as `count` bars, from the shortest to the longest latency on a logarithmic scale."""
        shares = self.shares(count)
        top = max((share for _, share in shares), default=0.0)
        # Whatever is counted is visible, also one answer of a thousand.
        return "".join(BARS[math.ceil(share / top * 8) if share else 0] for _, share in shares) if top else ""

    def shares(self, count: int) -> list[tuple[float, float]]:
        """Return `count` ranges of equal width on a logarithmic scale, from the shortest latency to the longest.

        Each is its upper end in milliseconds and the share of the answers in it; none without answers.
        """
        shortest, longest = self.latency.min_us, self.latency.max_us
        if shortest is None or longest is None:
            return []
        low, high = math.log(max(shortest, 1)), math.log(max(longest, 2))
        ends = [math.exp(low + (high - low) * (step + 1) / count) for step in range(count - 1)] + [float(longest)]
        below = [0, *(self.latency.at_most(end) for end in ends)]
        return [(end / 1000, (below[step + 1] - below[step]) / self.latency.count) for step, end in enumerate(ends)]


def figure_text(number: float) -> str:
    """Return a number with three digits, and with every digit before the point: `0.0123`, `48.2`, `1231`."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"


def loads_of(checks: Iterable[CheckResult]) -> Iterator[Load]:
    """Yield the loads among the checks that were measured, in their order; one that several checks share, once."""
    seen: list[JsonValue] = []
    for check in checks:
        measured = check.facts.get("latency_windows")
        if measured is None or measured in seen:
            continue
        seen.append(measured)
        load = _load(check)
        if load is not None and load.latency.count:
            yield load


@dataclass(frozen=True, slots=True)
class Search:
    """A check that searched for the most load that holds."""

    check: CheckResult
    highest: float | None
    """The most that held; None where the search had to end before."""
    unit: str
    """What is counted: `/s`, or ` users`."""
    breaks_at: float | None
    """The lowest load that did not hold; None where each held."""
    breaks_by: str


def searches_of(checks: Iterable[CheckResult]) -> Iterator[Search]:
    """Yield the searches for the most load, in their order."""
    for check in checks:
        facts = check.facts
        if check.kind == "load.search" and "breaks_at" in facts:
            users = _number_of(facts, "highest_users")
            highest = _number_of(facts, "highest_rate") if users is None else users
            unit = "/s" if users is None else " users"
            yield Search(check, highest, unit, _number_of(facts, "breaks_at"), str(facts.get("breaks_by") or ""))


def _load(check: CheckResult) -> Load | None:
    """The figures of a check; None if its windows are not those of a load of this tool."""
    facts = check.facts
    measured = facts["latency_windows"]
    if not isinstance(measured, dict):
        return None
    try:
        windows = tuple(Histogram.from_json(window) for window in _list_or_empty(measured.get("windows")))
    except ValueError:  # written by another version
        return None
    latency = Histogram()
    for window in windows:
        latency.merge(window)
    return Load(
        check,
        int(_number_of(facts, "sent_count") or latency.count),
        _number_of(facts, "throughput_rps"),
        _number_of(facts, "error_ratio"),
        latency,
        (_number_of(measured, "window_ms") or 0.0) / 1000,
        windows,
        _number_of(facts, "good_ratio"),
        tuple([int(count) for count in _list_or_empty(measured.get("errors")) if isinstance(count, int)]),
    )


def _list_or_empty(value: JsonValue) -> list[JsonValue]:
    """Return the value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def _number_of(document: JsonObject, name: str) -> float | None:
    """Return a number of an object; None if it is absent."""
    value = document.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
