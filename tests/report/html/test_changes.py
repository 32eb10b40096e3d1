"""The change of a figure since its baseline, as a bar."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.report.pictured import FIGURES
from xnai_validate.report.html.changes import change_bar


def test_no_change_is_in_the_middle_and_worse_is_right() -> None:
    """The bar covers the interval, the point is the change itself."""
    worse, same, unknown = FIGURES
    bar = change_bar(worse)
    assert bar is not None
    assert bar.style == "fail"
    assert 50 < bar.x < bar.point < bar.x + bar.width < 100
    assert bar.label == "p50_ms: 40 then, 60 now: +50.0%, likely +40% to +60%"
    bar = change_bar(same)
    assert bar is not None
    assert (bar.style, bar.point) == ("skip", 50)
    assert change_bar(unknown) is None


@pytest.mark.parametrize(("ratio", "place"), [(0.001, 0), (0.5, 0), (2.0, 100), (1000.0, 100)])
def test_a_change_beyond_the_scale_is_at_its_edge(ratio: float, place: float) -> None:
    """Half and double are the ends."""
    bar = change_bar(replace(FIGURES[0], ratio=ratio, low=None, high=None))
    assert bar is not None
    assert bar.point == place
