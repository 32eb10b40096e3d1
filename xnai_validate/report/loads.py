"""The figures of the loads of a run: rates, percentiles, and how the latencies are distributed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from xnai_validate.model.histogram import Histogram
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import CheckResult
from xnai_validate.report.lists import counted

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
    """Errors, in the same windows; empty without any, and if that is not known."""

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


def percent_text(ratio: float) -> str:
    """Return a ratio as percent with three digits: `0.05 %`, `32.5 %`, `100 %`."""
    return f"{figure_text(100 * ratio)} %"


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


@dataclass(frozen=True, slots=True)
class Wait:
    """What the readers of streams waited for, and how long."""

    name: str
    percentiles_ms: tuple[float | None, ...]
    """Milliseconds, in the order of `STREAM_QUANTILES`; None where it was not measured."""


@dataclass(frozen=True, slots=True)
class Streams:
    """A check that opened streams under load, and what each of their readers got."""

    check: CheckResult
    waits: tuple[Wait, ...]
    """Without what no reader got."""
    sentences: tuple[str, ...]
    """What a user gets, then all streams together: `1200 streams, at most 100 at once, 48 cancelled`."""


STREAM_QUANTILES = ("p50", "p95", "p99", "max")
_WAITS = {
    "first_token": "first token",
    "token_gap": "gap between tokens",
    "stream_gap": "longest gap",
    "stream": "whole stream",
}
"""The beginning of the names of facts -> what a reader waited for."""


def streams_of(checks: Iterable[CheckResult]) -> Iterator[Streams]:
    """Yield the loads of streams that were measured, in their order; one that several checks share, once."""
    seen: list[JsonValue] = []
    for check in checks:
        facts = check.facts
        measured = facts.get("latency_windows")
        if "stream_tokens_per_s" not in facts or measured in seen or not facts.get("sent_count"):
            continue
        seen.append(measured)
        waits = (
            Wait(name, tuple(_number_of(facts, f"{fact}_{quantile}_ms") for quantile in STREAM_QUANTILES))
            for fact, name in _WAITS.items()
        )
        yield Streams(
            check,
            tuple(wait for wait in waits if any(ms is not None for ms in wait.percentiles_ms)),
            (*_describe_user(facts), ", ".join(_describe_streams(facts))),
        )


def _describe_user(facts: JsonObject) -> Iterator[str]:
    """Yield how many tokens a second a user gets; nothing where all tokens of a stream came at once."""
    median, slow = _number_of(facts, "stream_tokens_per_s"), _number_of(facts, "slow_stream_tokens_per_s")
    if median is not None:
        least = "" if slow is None else f"; 95 % get at least {figure_text(slow)}"
        yield f"the median user gets {figure_text(median)} tokens/s{least}"


def _describe_streams(facts: JsonObject) -> Iterator[str]:
    """Yield what is counted over all streams of a load."""
    yield counted(int(_number_of(facts, "sent_count") or 0), "stream")
    if peak := _number_of(facts, "peak_streams"):
        yield f"at most {peak:.0f} at once"
    if (cancelled := _number_of(facts, "cancelled_count")) is not None:
        yield f"{cancelled:.0f} cancelled"
    if (rate := _number_of(facts, "tokens_per_s")) is not None:
        yield f"{figure_text(rate)} tokens/s in all"
    goodput, good = _number_of(facts, "goodput_rps"), _number_of(facts, "good_ratio")
    if goodput is not None:
        share = "" if good is None else f" ({percent_text(good)} good)"
        yield f"goodput {figure_text(goodput)} streams/s{share}"


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
