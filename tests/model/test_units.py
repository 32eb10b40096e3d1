"""Quantities carry their units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.model.units import duration_s, format_ms, in_unit_of, size_bytes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2), ("1m30s", 90), ("1.5h", 5400), ("1 min 5 s", 65), ("2d", 172800), ("250us", 0.00025)],
)
def test_durations(text: str, seconds: float) -> None:
    """Numbers with units, added up."""
    assert duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "5", "s", "5 parsecs", "-5s", "5s5", "1e3s", "٣s", "5s,"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A bare number, a foreign digit, a sign: each is refused with the right form."""
    with pytest.raises(ValueError, match="500ms, 2s"):
        duration_s(text)


@pytest.mark.parametrize(
    ("text", "size"), [("512B", 512), ("64KiB", 65536), ("10MB", 10_000_000), ("2 GiB", 2**31), ("1.5kb", 1500)]
)
def test_sizes(text: str, size: int) -> None:
    """Decimal and binary units, in any case."""
    assert size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "5", "5TBs", "MB", "-1MB", "1MB1MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    """A number without a unit, and an unknown unit, are errors."""
    with pytest.raises(ValueError, match="64KiB"):
        size_bytes(text)


@pytest.mark.parametrize(
    ("fact", "text", "value"),
    [("total_ms", "2s", 2000), ("age_hours", "1d", 24), ("cert_days", "48h", 2), ("rss_mib", "1GiB", 1024)],
)
def test_a_quantity_is_in_the_unit_of_its_fact(fact: str, text: str, value: float) -> None:
    """The end of a fact's name is its unit."""
    assert in_unit_of(fact, text) == pytest.approx(value)


def test_a_fact_without_a_unit_takes_numbers() -> None:
    """Text for a number without a unit is refused."""
    with pytest.raises(ValueError, match="count has no unit"):
        in_unit_of("count", "2s")


@given(st.integers(0, 10**9))
def test_whole_milliseconds_survive(milliseconds: int) -> None:
    """What is written in milliseconds is the same number of milliseconds."""
    assert in_unit_of("x_ms", f"{milliseconds}ms") == pytest.approx(milliseconds)


@pytest.mark.parametrize(
    ("ms", "text"),
    [(0.44, "0.4 ms"), (12.3, "12 ms"), (1520, "1.52 s"), (125_000, "2 min 05 s"), (60_000, "1 min 00 s")],
)
def test_durations_for_people(ms: float, text: str) -> None:
    """Short, with a unit."""
    assert format_ms(ms) == text


@pytest.mark.parametrize("text", ["1001000d", "9" * 400 + "s", "1d" + "9" * 30 + "h"])
def test_a_duration_beyond_any_clock_is_refused(text: str) -> None:
    """A thousand years are the most: more would overflow a timer when the check runs."""
    with pytest.raises(ValueError, match="more than 1000 years"):
        duration_s(text)
    assert duration_s("365000d") == 365000 * 86400


@pytest.mark.parametrize("text", ["9" * 400 + "GiB", "5000000000GiB"])
def test_a_size_beyond_any_memory_is_refused(text: str) -> None:
    """It would be infinite, and no whole number."""
    with pytest.raises(ValueError, match="more than 4 EiB"):
        size_bytes(text)
