"""The schedule of an open load: how many arrivals, and when."""

from __future__ import annotations

import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.checkers.load._generator.arrivals import Arrivals, Randomness, Stage


def times(*stages: Stage) -> list[float]:
    arrivals = Arrivals(stages)
    found = list(arrivals)
    assert len(found) == arrivals.count
    return found


def test_a_constant_rate_is_evenly_spaced() -> None:
    """50 a second for 2 s are 100, the first at once, 20 ms apart, none at the very end."""
    found = times(Stage(50, 50, 2))
    assert len(found) == 100
    assert found == pytest.approx([number / 50 for number in range(100)])


@pytest.mark.parametrize("rate", [0.1, 0.3, 1 / 3, 0.7, 7, 50, 99.9, 20_000])
def test_the_count_is_rate_times_duration(rate: float) -> None:
    """No arrival is gained or lost by the rounding of floats."""
    for seconds in (1, 3, 7, 10):
        expected = rate * seconds
        count = Arrivals([Stage(rate, rate, seconds)]).count
        assert expected - 1e-3 <= count < expected + 1, (rate, seconds)


def test_steps_follow_one_another() -> None:
    """A step keeps its rate for its time, and the next begins where it ends."""
    found = times(Stage(10, 10, 1), Stage(100, 100, 1), Stage(20, 20, 0.5))
    assert [sum(low <= at < low + 1 for at in found) for low in (0, 1, 2)] == [10, 100, 10]


def test_a_ramp_has_the_area_under_it() -> None:
    """From 0 to 100 in 10 s are 500; half of them in the last 29 % of the time, for the number grows as its square."""
    found = times(Stage(0, 100, 10))
    assert len(found) == 500
    assert found[250] == pytest.approx(10 * 0.5**0.5)
    assert times(Stage(100, 0, 10))[250] == pytest.approx(10 - 10 * 0.5**0.5)


def test_what_is_left_over_goes_into_the_next_stage() -> None:
    """A hundred stages of half an arrival each are fifty, not none and not a hundred."""
    found = times(*[Stage(5, 5, 0.1)] * 100)
    assert len(found) == 50
    assert found == pytest.approx([number / 5 for number in range(50)])


def test_nothing_arrives_at_rate_zero() -> None:
    """A pause between two steps is one."""
    found = times(Stage(10, 10, 1), Stage(0, 0, 5), Stage(10, 10, 1))
    assert len(found) == 20
    assert not [at for at in found if 1 <= at < 6]
    assert times(Stage(0, 0, 5)) == []
    assert times() == []


def test_the_rate_of_a_moment_is_known() -> None:
    """The planned rate of now can be shown beside the reached rate."""
    arrivals = Arrivals([Stage(10, 10, 1), Stage(10, 30, 2)])
    assert [arrivals.rate_at(at) for at in (-1, 0, 1, 2, 2.5, 3, 9)] == [0, 10, 10, 20, 25, 0, 0]
    assert arrivals.duration_s == 3


stages = st.lists(st.builds(Stage, st.floats(0, 500), st.floats(0, 500), st.floats(0.01, 3)), min_size=1, max_size=5)


@given(stages)
def test_any_schedule_is_in_order_and_within_its_time(some: list[Stage]) -> None:
    """Arrivals never go back, stay within their stages, and are as many as the area under the rate."""
    found = times(*some)
    assert all(before <= after for before, after in pairwise(found))
    assert all(0 <= at <= sum(stage.for_s for stage in some) + 1e-9 for at in found)
    area = sum((stage.from_rps + stage.to_rps) / 2 * stage.for_s for stage in some)
    assert area - 1e-3 <= len(found) < area + 1


def by_chance(shape: float, *stages: Stage, seed: int = 1) -> list[float]:
    return list(Arrivals(stages, Randomness(shape, seed)))


@pytest.mark.parametrize("shape", [0.25, 1, 4])
def test_distances_by_chance_have_the_mean_and_the_spread_of_their_distribution(shape: float) -> None:
    """A gamma distribution has a coefficient of variation of one over the root of its shape; 1 is a Poisson process."""
    found = by_chance(shape, Stage(100, 100, 1000))
    assert found == sorted(found)
    assert 0 < found[0] <= found[-1] < 1000
    gaps = [after - before for before, after in pairwise(found)]
    assert statistics.fmean(gaps) == pytest.approx(0.01, rel=0.03)
    assert statistics.stdev(gaps) / statistics.fmean(gaps) == pytest.approx(shape**-0.5, rel=0.03)


def test_counts_of_a_poisson_process_vary_as_much_as_their_mean() -> None:
    """Arrivals in one second of a Poisson process of rate 10: mean and variance are both 10; on a grid it is 0."""
    found = by_chance(1, Stage(10, 10, 5000))
    counts = [0] * 5000
    for at in found:
        counts[int(at)] += 1
    assert statistics.fmean(counts) == pytest.approx(10, rel=0.03)
    assert statistics.variance(counts) == pytest.approx(10, rel=0.1)


def test_chance_follows_the_rate_of_ramps_and_steps() -> None:
    """From 0 to 200 a second in 100 s a quarter comes in the first half; pauses stay empty."""
    found = by_chance(1, Stage(0, 200, 100), Stage(0, 0, 10), Stage(50, 50, 100))
    ramp = [at for at in found if at < 100]
    assert len(ramp) == pytest.approx(10_000, rel=0.04)
    assert sum(at < 50 for at in ramp) / len(ramp) == pytest.approx(0.25, abs=0.02)
    assert [at for at in found if 100 < at < 110] == []
    assert sum(at >= 110 for at in found) == pytest.approx(5_000, rel=0.06)


def test_a_seed_gives_the_same_arrivals_again() -> None:
    """And another seed others."""
    stage = Stage(50, 50, 10)
    assert by_chance(1, stage) == by_chance(1, stage)
    assert by_chance(1, stage) != by_chance(1, stage, seed=2)
