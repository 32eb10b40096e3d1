"""The histogram: its error, its bounds, putting two together, and its JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.model.histogram import FORMAT, LONGEST_US, Histogram

HOUR_US = 3_600_000_000
durations = st.one_of(
    st.integers(0, 300),
    st.integers(0, HOUR_US),
    st.floats(0, math.log2(HOUR_US)).map(lambda power: int(2**power)),
)
samples = st.lists(durations, min_size=1, max_size=300)
shares = st.one_of(st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0]), st.floats(0, 1))


def recorded(values: Iterable[int]) -> Histogram:
    histogram = Histogram()
    histogram.record_many(values)
    return histogram


@given(samples, st.integers(0, 1000).map(lambda thousandths: Fraction(thousandths, 1000)))
def test_a_quantile_is_within_half_a_percent_of_the_exact_one(values: list[int], share: Fraction) -> None:
    """For any samples and any share, the error of a quantile is at most half a percent."""
    exact = sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
    found = recorded(values).quantile(float(share))
    assert found is not None
    assert abs(found - exact) <= 0.005 * exact


@given(samples, shares, shares)
def test_quantiles_rise_and_lie_within_what_was_recorded(values: list[int], a: float, b: float) -> None:
    """A larger share never has a smaller quantile, and none is outside the shortest and longest duration."""
    histogram = recorded(values)
    low, high = histogram.quantile(min(a, b)), histogram.quantile(max(a, b))
    assert low is not None
    assert high is not None
    assert min(values) <= low <= high <= max(values)


@given(samples)
def test_count_sum_mean_shortest_and_longest_are_exact(values: list[int]) -> None:
    """Buckets round quantiles only; the quantiles 0 and 1 are the exact ends."""
    histogram = recorded(values)
    assert histogram.count == len(values)
    assert histogram.to_json()["sum"] == sum(values)
    assert histogram.mean_us == sum(values) / len(values)
    assert (histogram.min_us, histogram.max_us) == (min(values), max(values))
    assert (histogram.quantile(0), histogram.quantile(1)) == (min(values), max(values))


@given(st.lists(durations, max_size=100), st.lists(durations, max_size=100))
def test_merging_is_the_same_as_recording_all(first: list[int], second: list[int]) -> None:
    """Two merged histograms equal one that recorded the samples of both."""
    merged = recorded(first)
    merged.merge(recorded(second))
    assert merged.to_json() == recorded(first + second).to_json()


@given(st.lists(durations, max_size=200))
def test_json_gives_the_same_histogram_back(values: list[int]) -> None:
    """A histogram read from its JSON has the same quantiles, writes the same JSON, and goes on recording."""
    histogram = recorded(values)
    text = json.dumps(histogram.to_json())
    back = Histogram.from_json(json.loads(text))
    assert json.dumps(back.to_json()) == text
    assert [back.quantile(share) for share in (0.5, 0.95, 0.99)] == [
        histogram.quantile(share) for share in (0.5, 0.95, 0.99)
    ]
    back.record(7)
    histogram.record(7)
    assert back.to_json() == histogram.to_json()


def test_a_histogram_without_samples_claims_nothing() -> None:
    """Its count is 0; minimum, maximum, mean and quantiles are None."""
    histogram = Histogram()
    assert histogram.count == 0
    assert [histogram.min_us, histogram.max_us, histogram.mean_us, histogram.quantile(0.5)] == [None] * 4


def test_the_arrangement_of_the_buckets_is_that_of_the_format() -> None:
    """Stored baselines depend on it: another arrangement needs another name of the format."""
    document = recorded([0, 1, 255, 256, 257, 258, 1_000, 1_000_000, HOUR_US]).to_json()
    assert document == {
        "format": FORMAT,
        "unit": "us",
        "buckets": [[0, 1], [1, 1], [255, 1], [256, 2], [257, 1], [506, 1], [1780, 1], [3286, 1]],
        "min": 0,
        "max": HOUR_US,
        "sum": 0 + 1 + 255 + 256 + 257 + 258 + 1_000 + 1_000_000 + HOUR_US,
    }


def test_durations_beyond_the_buckets_are_counted_in_the_outermost() -> None:
    """The first bucket takes those below zero, the last those above the longest; the maximum stays exact."""
    histogram = recorded([-5, LONGEST_US, 10 * LONGEST_US])
    assert histogram.count == 3
    assert histogram.min_us == 0
    assert histogram.max_us == 10 * LONGEST_US
    assert histogram.to_json()["buckets"] == [[0, 1], [3455, 2]]
    assert LONGEST_US >= HOUR_US


def test_memory_is_bounded_whatever_is_recorded() -> None:
    """All that can be recorded takes less than 32 KiB, and what stays below 10 ms a third of that."""
    short = recorded(range(10_000))
    assert sys.getsizeof(short._counts) < 10 * 1024
    short.record_many(range(0, HOUR_US, HOUR_US // 100_000))
    short.record(100 * HOUR_US)
    most = sys.getsizeof(short._counts)
    assert most < 32 * 1024
    short.record_many(range(100_000))
    short.record(10**15)
    assert sys.getsizeof(short._counts) == most


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan, math.inf])
def test_a_quantile_beyond_0_and_1_is_refused(share: float) -> None:
    """A share below 0, above 1, infinite or NaN is an error."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        recorded([1]).quantile(share)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other/1"},
        {"format": None},
        {"unit": "ms"},
        {"buckets": None},
        {"buckets": {"5": 1}},
        {"buckets": [[5, 1]]},
        {"buckets": [[5, 1], [5, 1]]},
        {"buckets": [[9, 1], [5, 1]]},
        {"buckets": [[5, 1], [9, -1]]},
        {"buckets": [[5, 1], [9, 0]]},
        {"buckets": [[5, 1], [9, True]]},
        {"buckets": [[5, 1], [9, 1.0]]},
        {"buckets": [[5, 1], [9, 1 << 70]]},
        {"buckets": [[5, 1], [9, 1, 1]]},
        {"buckets": [[5, 1], [3456, 1]]},
        {"buckets": [[-1, 1], [9, 1]]},
        {"buckets": []},
        {"min": 4},
        {"min": None},
        {"min": "5"},
        {"max": 10},
        {"max": None},
        {"sum": 9},
        {"sum": 19},
        {"sum": None},
        {"sum": math.nan},
    ],
)
def test_json_of_others_is_refused(change: dict[str, object]) -> None:
    """Each single change that makes the document inconsistent or of another format is an error."""
    good = recorded([5, 9]).to_json()
    assert Histogram.from_json(good).count == 2
    with pytest.raises(ValueError, match="not a histogram"):
        Histogram.from_json({**good, **change})


@pytest.mark.parametrize("document", [None, [], "histogram", 5, {}])
def test_what_is_no_histogram_at_all_is_refused(document: object) -> None:
    """JSON of another type, and an empty object, are errors."""
    with pytest.raises(ValueError, match="not a histogram"):
        Histogram.from_json(document)
