"""The test of a change: known answers, and its rates on runs that are generated."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.baseline.figures import MEMORY, P50, Figure
from xnai_validate.baseline.judging import ALPHA, PRIOR_RUNS, Change, change, holm


def runs(rng: random.Random, count: int, *, log: float = 0.0, spread: float = 0.02) -> list[Figure]:
    return [Figure(20 * math.exp(log + rng.gauss(0, spread)), 0.0001) for _ in range(count)]


def test_a_change_by_hand() -> None:
    """With one run on each side the error is the assumed spread; four runs that agree make it smaller."""
    found = change([Figure(10.0)], [Figure(11.0)], P50)
    assert found.ratio == pytest.approx(1.1)
    assert found.degrees == PRIOR_RUNS
    assert found.error == pytest.approx(math.sqrt(2) * P50.spread)
    more = change([Figure(10.0)] * 4, [Figure(11.0)], P50)
    assert more.degrees == PRIOR_RUNS + 3
    assert more.error == pytest.approx(P50.spread * math.sqrt(PRIOR_RUNS / 6 * (1 + 1 / 4)))


def test_scatter_beyond_the_error_within_is_that_between_runs() -> None:
    """Runs that differ by what their own error explains add nothing; others do."""
    calm = [Figure(10 * math.exp(x), 0.02**2) for x in (-0.02, 0.02)]
    wild = [Figure(10 * math.exp(x), 0.02**2) for x in (-0.2, 0.2)]
    assert change(wild, [Figure(10.0, 0.0004)], P50).error > 4 * change(calm, [Figure(10.0, 0.0004)], P50).error


def test_the_interval_has_the_ratio_in_it_and_fits_the_test() -> None:
    """Its lower end is at no change exactly where the probability of chance is what it leaves on a side."""
    found = Change(log=0.1, error=0.03, degrees=8)
    low, high = found.interval()
    assert low < found.ratio < high
    tail = found.p_worse()
    assert found.interval(tail)[0] == pytest.approx(1.0)
    assert found.p_better() == pytest.approx(1 - tail)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_rejects_no_more_than_without_and_no_less_than_bonferroni(values: list[float]) -> None:
    """It lies between the two, and never rejects a larger probability than one it does not."""
    rejected = holm(values, 0.05)
    for value, out in zip(values, rejected, strict=True):
        assert not out or value <= 0.05
        assert out or value > 0.05 / len(values)
    if any(rejected) and not all(rejected):
        assert max(v for v, out in zip(values, rejected, strict=True) if out) <= min(
            v for v, out in zip(values, rejected, strict=True) if not out
        )


def test_holm_by_hand() -> None:
    """The example of a textbook: 0.01, 0.04, 0.03, 0.005 at 5 % reject the first and the last."""
    assert holm([0.01, 0.04, 0.03, 0.005], 0.05) == [True, False, False, True]


@pytest.mark.parametrize(("before", "after"), [(1, 1), (3, 1), (5, 1), (5, 3), (10, 1)])
def test_false_alarms_are_rare(before: int, after: int) -> None:
    """On identical runs with the assumed spread or less about 1 % at most seem worse (40 of 2 000 is twice that)."""
    rng = random.Random(11)
    found = [change(runs(rng, before), runs(rng, after), P50).p_worse() <= ALPHA for _ in range(2000)]
    assert sum(found) <= 40


def test_a_shift_is_found_and_one_below_the_band_is_not_ruled_out_alone() -> None:
    """With five runs before, 15 % on a spread of 2 % is found nearly always."""
    rng = random.Random(5)
    found = 0
    for _ in range(500):
        comparison = change(runs(rng, 5), runs(rng, 1, log=math.log(1.15)), P50)
        found += comparison.p_worse() <= ALPHA and comparison.ratio >= 1 + P50.least
    assert found >= 0.9 * 500


def test_memory_has_no_error_within() -> None:
    """A reading of memory is one number; five runs that agree distinguish 5 %."""
    before = [Figure(100 + x) for x in (0, 0.2, -0.1, 0.1, 0.3)]
    assert change(before, [Figure(106.0)], MEMORY).p_worse() < ALPHA
    assert change(before, [Figure(100.5)], MEMORY).interval()[1] < 1 + MEMORY.least
