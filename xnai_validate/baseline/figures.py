"""The figures of one run that can be compared, latencies by quantile and memory, with what is known of their noise."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from xnai_validate.model.histogram import Histogram
from xnai_validate.model.json import JsonValue

LEAST_WINDOWS = 10
"""The smallest number of windows with requests from which their scatter is estimated."""
LEAST_BEYOND = 5
"""The smallest number of requests on either side of a quantile for which it is compared: a p99 needs 500 requests."""
STRETCHES = 5
"""Parts of a load, of each of which the high quantile is taken."""
LEAST_IN_STRETCH = 50
"""Requests in each of them, so that a load that fades away is not compared by its last ones."""
_TOO_SHORT = "it is too short to be compared"
_Z = 1.6449
"""Half the width of the interval by which the standard error of a quantile is found, in standard errors of its rank."""
_BUCKET = 0.0023
"""The standard deviation of a logarithm that is only known to lie in a bucket of 1/128."""


@dataclass(frozen=True, slots=True)
class Band:
    """How a kind of figure is judged."""

    least: float
    """The least change that counts, as a share: 0.1 is ten percent."""
    spread: float
    """How much it is taken to differ between identical runs before any were seen: a standard deviation, as a share."""
    at_least: float = 0.0
    """The least change that counts, in the unit of the figure, whatever share of it that is."""

    def counts_from(self, before: float) -> float:
        """The least change that counts of a figure that was `before`, as a share."""
        return max(self.least, self.at_least / before)


HALF_A_MS = 0.5
"""What a machine with two cores adds to the median of a page of 1 ms in one run of fifteen (`bench.samples`, quiet)."""
P50 = Band(0.10, 0.03, HALF_A_MS)
P99 = Band(0.20, 0.15, HALF_A_MS)
MEMORY = Band(0.05, 0.015)
_LATENCIES: Mapping[str, Band] = {"p50_ms": P50, "p99_ms": P99}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one run."""

    value: float
    """In the unit of its name, above 0."""
    variance: float = 0.0
    """Of its natural logarithm, estimated from the requests within the run; 0 for a single reading."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A figure that the run should have, and has not, or not so that it could be compared."""

    reason: str


Figures = dict[str, Figure | Missing]


def band_of(figure: str) -> Band:
    """How a figure of that name is judged."""
    return _LATENCIES.get(figure, MEMORY)


def is_memory(fact: str) -> bool:
    """Whether a fact is the resident memory of a part of the stack: `rss_mib`, `tree_rss_mib`, `rss_after_mib`."""
    return fact.endswith("_mib") and "rss" in fact and "growth" not in fact and "before" not in fact


def latency_figures(windows: Sequence[Histogram]) -> Figures:
    """The quantiles of the requests of a load, each with the variance of its logarithm.

    p50 is that of all requests. p99 is the median of the p99 of five stretches of the load: what disturbs a machine for
    a moment delays one request of a hundred for a whole run, but not in most of its parts, where a stack that has
    become slower is slower all the time (a median of blocks, as that of means in Lugosi and Mendelson 2019, Foundations
    of Computational Mathematics 19; on the runs of `bench.samples` it differs by 6 % from run to run, not by 17 %).
    """
    return {"p50_ms": _median(windows), "p99_ms": _high(windows, 0.99)}


def _too_few(windows: Sequence[Histogram], q: float) -> Missing | None:
    """Return why there are too few requests to compare the quantile `q`; None if there are enough."""
    count, filled = sum(window.count for window in windows), sum(window.count > 0 for window in windows)
    least = math.ceil(round(LEAST_BEYOND / min(q, 1 - q), 6))
    if count < least:
        return Missing(f"{count} requests are too few: {least} are needed")
    if filled < LEAST_WINDOWS:
        return Missing(f"requests in {filled} of {len(windows)} windows are too few: {LEAST_WINDOWS} are needed")
    return None


def _merge(windows: Sequence[Histogram]) -> Histogram:
    """Merge the histograms of all windows into one."""
    whole = Histogram()
    for window in windows:
        whole.merge(window)
    return whole


def _median(windows: Sequence[Histogram]) -> Figure | Missing:
    """The median of all requests.

    Requests that follow one another are not independent, so that the scatter is taken from the windows, as clusters:
    with `a` of the `n` requests of a window at or below the median, the deviations `a - n / 2` add up to the error of
    its rank (linearization of a ratio; Francisco and Fuller 1991, Annals of Statistics 19), and neighbouring windows
    may be alike (Newey and West 1987, Econometrica 55, with Bartlett weights). The error of the rank is turned into one
    of the value by reading the distribution at both ends of its interval (Woodruff 1952, Journal of the American
    Statistical Association 47).
    """
    why = _too_few(windows, 0.5)
    if why is not None:
        return why
    whole = _merge(windows)
    value_us = whole.quantile(0.5)
    if not value_us:
        return Missing(_TOO_SHORT)
    deviations = [window.at_most(value_us) - 0.5 * window.count for window in windows]
    error = math.sqrt(long_run_variance(deviations) * len(deviations)) / whole.count
    low, high = (whole.quantile(min(max(0.5 + side * _Z * error, 0.0), 1.0)) for side in (-1, 1))
    scatter = math.log((high or value_us) / max(low or 0.0, 1.0)) / (2 * _Z)
    return Figure(value_us / 1000, scatter**2 + _BUCKET**2)


def _high(windows: Sequence[Histogram], q: float) -> Figure | Missing:
    """The median of a high quantile over stretches of equal length.

    The variance of a median of n normal values is pi / 2 of that of their mean; the standard deviation of a value is
    taken from the mean distance to the median, of which it is the root of pi / 2.
    """
    why = _too_few(windows, q)
    if why is not None:
        return why
    bounds = [round(part * len(windows) / STRETCHES) for part in range(STRETCHES + 1)]
    stretches = [_merge(windows[start:end]) for start, end in pairwise(bounds)]
    fewest = min(stretch.count for stretch in stretches)
    if fewest < LEAST_IN_STRETCH:
        return Missing(f"{fewest} requests in a fifth of the load are too few: {LEAST_IN_STRETCH} are needed")
    values_us = [stretch.quantile(q) or 0.0 for stretch in stretches]
    if min(values_us) <= 0:
        return Missing(_TOO_SHORT)
    logs = [math.log(us) for us in values_us]
    middle = statistics.median(logs)
    distance = statistics.fmean(abs(value - middle) for value in logs)
    return Figure(math.exp(middle) / 1000, (math.pi / 2 * distance) ** 2 / STRETCHES + _BUCKET**2)


def long_run_variance(series: Sequence[float]) -> float:
    """Return the long-run variance of a series whose neighbours may be correlated.

    That of n independent terms is the variance of one; in general, n times it is the variance of their sum.

    By Newey and West, with as many lags as the cube root of the length; never below the variance of independent terms,
    since a few windows show a negative dependence by chance.
    """
    n = len(series)
    if n < 2:
        return 0.0
    mean = sum(series) / n
    centred = [value - mean for value in series]

    def product(lag: int) -> float:
        """Return the mean product of values that are `lag` places apart (the autocovariance)."""
        return sum(centred[i] * centred[i - lag] for i in range(lag, n)) / n

    alone = product(0)
    lags: int = round(n ** (1 / 3))
    together = alone + 2 * sum((1 - lag / (lags + 1)) * product(lag) for lag in range(1, lags + 1))
    return float(max(alone, together) * n / (n - 1))


def windows_of(fact: JsonValue) -> tuple[float, list[Histogram]]:
    """The length of a window in ms, and the windows, of a fact `latency_windows`; raises ValueError for another."""
    if not isinstance(fact, dict) or not isinstance(fact.get("windows"), list):
        raise ValueError("no windows of latencies")
    length = fact.get("window_ms")
    if isinstance(length, bool) or not isinstance(length, int | float) or not length > 0:
        raise ValueError("window_ms is not a length")
    windows = fact["windows"]
    assert isinstance(windows, list)
    return float(length), [Histogram.from_json(window) for window in windows]
