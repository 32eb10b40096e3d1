"""Places and marks on a scale of time."""

from __future__ import annotations

import pytest

from xnai_validate.report.html.scale import MARKS, THINNEST, Scale


@pytest.mark.parametrize(
    ("end_ms", "texts"),
    [
        (0.0, ["0"]),
        (7.0, ["0", "2 ms", "4 ms", "6 ms"]),
        (4_321.0, ["0", "1 s", "2 s", "3 s", "4 s"]),
        (222_000.0, ["0", "1 min", "2 min", "3 min"]),
        (5_400_000.0, ["0", "30 min", "60 min", "90 min"]),
    ],
)
def test_marks_are_at_round_times(end_ms: float, texts: list[str]) -> None:
    """As people count: 1, 2 or 5 of a unit, or halves of minutes and hours."""
    assert [text for _, text in Scale(end_ms).marks] == texts


@pytest.mark.parametrize("end_ms", [0.3, 1.0, 999.0, 61_000.0, 3.7e6, 9.0e8])
def test_marks_are_few_and_within_the_figure(end_ms: float) -> None:
    """Whatever the duration, from less than a millisecond to ten days."""
    marks = Scale(end_ms).marks
    assert len(marks) <= MARKS + 2
    assert all(0 <= place <= 100 for place, _ in marks)


@pytest.mark.parametrize("span", [(0.0, 0.0), (100.0, 100.0), (99.99, 100.0), (-5.0, 500.0)])
def test_a_bar_is_visible_and_stays_within_the_figure(span: tuple[float, float]) -> None:
    """Also an instant, one at the very end, and times beyond both ends."""
    bar = Scale(100.0).bar(*span, "pass", "a check")
    assert bar.width >= THINNEST
    assert bar.x >= 0
    assert bar.x + bar.width <= 100.001
