"""The figures of a run: their values, and whether their errors are what the values really scatter by."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable

import pytest

from tests.baseline.samples import histograms, latencies
from xnai_validate.baseline.figures import Figure, Missing, is_memory, latency_figures, long_run_variance, windows_of
from xnai_validate.model.histogram import Histogram

Make = Callable[[random.Random], list[list[int]]]


def independent(rng: random.Random) -> list[list[int]]:
    return [latencies(rng, 40) for _ in range(30)]


def dependent(rng: random.Random) -> list[list[int]]:
    """Windows that hang together, as those of a machine whose state changes slowly (AR(1), 0.7)."""
    state, found = 0.0, []
    for _ in range(30):
        state = 0.7 * state + rng.gauss(0, 0.1)
        found.append(latencies(rng, 40, median_ms=20 * math.exp(state)))
    return found


def figure(windows: list[list[int]], name: str) -> Figure:
    found = latency_figures(histograms(windows))[name]
    assert isinstance(found, Figure)
    return found


def test_the_value_is_the_quantile_of_all_requests() -> None:
    """Windows of any size count by their requests."""
    windows = [[1000 * n for n in range(1, 21)], *[[5000] * n for n in range(1, 12)]]
    everything = sorted(us for window in windows for us in window)
    assert figure(windows, "p50_ms").value == pytest.approx(everything[len(everything) // 2] / 1000, rel=0.01)


@pytest.mark.parametrize(("make", "least", "most"), [(independent, 0.85, 1.4), (dependent, 0.6, 1.1)])
def test_the_error_is_the_scatter(make: Make, least: float, most: float) -> None:
    """Over many runs the error that each run states is about the scatter of their medians, also where windows depend.

    With 30 windows a dependence that reaches far is seen in part only, and with three lags that is what is to be had.
    """
    rng = random.Random(7)
    found = [figure(make(rng), "p50_ms") for _ in range(120)]
    scatter = statistics.stdev(math.log(measured.value) for measured in found)
    stated = math.sqrt(statistics.fmean(measured.variance for measured in found))
    assert least <= stated / scatter <= most


def test_dependent_windows_have_a_larger_error() -> None:
    """Windows that influence each other are worth fewer requests: the variance is at least four times as large."""
    rng = random.Random(3)
    alone = statistics.fmean(figure(independent(rng), "p50_ms").variance for _ in range(20))
    together = statistics.fmean(figure(dependent(rng), "p50_ms").variance for _ in range(20))
    assert together > 4 * alone


def test_too_few_requests_are_not_compared() -> None:
    """A p99 wants 500 requests, a median ten, and both ten windows; the reason gives how many there are."""
    rng = random.Random(1)
    few = latency_figures(histograms([latencies(rng, 4) for _ in range(30)]))
    assert isinstance(few["p50_ms"], Figure)
    assert few["p99_ms"] == Missing("120 requests are too few: 500 are needed")
    lumped = latency_figures(histograms([latencies(rng, 900), *[[]] * 20]))
    assert lumped["p50_ms"] == Missing("requests in 1 of 21 windows are too few: 10 are needed")
    assert latency_figures([])["p50_ms"] == Missing("0 requests are too few: 10 are needed")
    zeros = latency_figures(histograms([[0] * 50] * 30))
    assert zeros["p50_ms"] == Missing("it is too short to be compared")


def test_one_stall_of_the_machine_moves_no_p99() -> None:
    """A moment in which everything waits is in one stretch of five; a stack that stalls all the time is in all."""
    rng = random.Random(9)
    calm = [latencies(rng, 40) for _ in range(30)]
    once = [[us + 500_000 for us in window] if number == 7 else window for number, window in enumerate(calm)]
    often = [[us + 500_000 for us in window] if number % 5 == 2 else window for number, window in enumerate(calm)]
    before = figure(calm, "p99_ms").value
    assert figure(once, "p99_ms").value == pytest.approx(before, rel=0.1)
    assert figure(often, "p99_ms").value > 10 * before
    assert figure(calm, "p50_ms").value == pytest.approx(figure(once, "p50_ms").value, rel=0.03)


def test_a_load_that_fades_away_has_no_p99() -> None:
    """Each fifth of a load must have requests enough."""
    rng = random.Random(9)
    fading = histograms([latencies(rng, 80 if number < 24 else 2) for number in range(30)])
    assert latency_figures(fading)["p99_ms"] == Missing("12 requests in a fifth of the load are too few: 50 are needed")


def test_long_run_variance_of_known_series() -> None:
    """That of a constant is zero, that of a trend larger than that of its terms, that of a zigzag no smaller."""
    assert long_run_variance([3.0] * 10) == 0
    assert long_run_variance([1.0]) == 0
    trend = [float(n) for n in range(30)]
    assert long_run_variance(trend) > 3 * statistics.variance(trend)
    zigzag = [1.0, -1.0] * 10
    assert long_run_variance(zigzag) == pytest.approx(statistics.variance(zigzag))


def test_which_facts_are_memory() -> None:
    """The resident memory of the stack is, growth and what was before the work are not."""
    facts = ["rss_mib", "tree_rss_mib", "rss_after_mib", "rss_before_mib", "rss_growth_mib", "memory_mib", "rss_ratio"]
    assert [fact for fact in facts if is_memory(fact)] == facts[:3]


def test_windows_are_read_as_a_load_writes_them() -> None:
    """What load kinds report comes back as histograms; anything else is refused with a reason."""
    histogram = Histogram()
    histogram.record(1500)
    length, windows = windows_of({"window_ms": 250, "windows": [histogram.to_json()]})  # type: ignore[list-item]
    assert (length, windows[0].count) == (250.0, 1)
    for broken in (None, {}, {"windows": [], "window_ms": 0}, {"windows": [{}], "window_ms": 1}, {"windows": 1}):
        with pytest.raises(ValueError, match=r"windows|window_ms|histogram"):
            windows_of(broken)  # type: ignore[arg-type]
