"""The shares of a load together are the load."""

from __future__ import annotations

import pytest

from xnai_validate.checkers.load._generator.arrivals import Arrivals, Randomness, Stage
from xnai_validate.checkers.load._generator.share import Share


@pytest.mark.parametrize("of", [1, 2, 4, 7, 100])
@pytest.mark.parametrize("randomness", [None, Randomness(1.0, 3), Randomness(0.2, 3)])
def test_the_union_of_the_shares_is_the_schedule(of: int, randomness: Randomness | None) -> None:
    """Each arrival is in exactly one share, so a rate stays what it is whatever the number of workers."""
    arrivals = Arrivals([Stage(20, 20, 1), Stage(20, 60, 1)], randomness)
    shares = [list(Share(index, of).part(arrivals)) for index in range(of)]
    assert sorted(at for share in shares for at in share) == list(arrivals)
    assert [len(share) for share in shares] == [Share(index, of).count(len(list(arrivals))) for index in range(of)]


@pytest.mark.parametrize("whole", [0, 1, 3, 4, 5, 128])
def test_counts_add_up(whole: int) -> None:
    """Virtual users and connections are shared out whole, none twice and none left."""
    counts = [Share(index, 4).count(whole) for index in range(4)]
    assert sum(counts) == whole
    assert max(counts) - min(counts) <= 1
