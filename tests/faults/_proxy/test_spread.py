"""A share is spread evenly."""

from __future__ import annotations

import pytest

from xnai_validate.faults._proxy.spread import Spread


@pytest.mark.parametrize("share", [0.01, 0.25, 1 / 3, 0.5, 0.9, 1.0])
def test_a_share_is_kept_at_any_time(share: float) -> None:
    """Of any n in a row it is share * n, less than one more or less."""
    for seed in range(20):
        spread = Spread(share, seed)
        hits = [spread.hit() for _ in range(400)]
        for begin in range(0, 300, 7):
            for length in (1, 10, 100):
                assert abs(sum(hits[begin : begin + length]) - share * length) < 1 + 1e-6
