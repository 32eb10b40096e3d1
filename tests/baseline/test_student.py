"""Student's t: known values, and the laws of a distribution."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnai_validate.baseline.student import incomplete_beta, quantile, upper_tail


@pytest.mark.parametrize(
    ("tail", "degrees", "value"),
    [  # as printed in tables of the distribution, to three decimals
        (0.10, 1, 3.078), (0.05, 1, 6.314), (0.01, 1, 31.821), (0.001, 1, 318.309),
        (0.05, 5, 2.015), (0.01, 5, 3.365), (0.025, 10, 2.228), (0.001, 10, 4.144),
        (0.01, 30, 2.457), (0.05, 100, 1.660), (0.01, 100, 2.364),
    ],
)  # fmt: skip
def test_quantiles_of_the_table(tail: float, degrees: float, value: float) -> None:
    """Critical values agree with a printed table to its last digit."""
    assert quantile(tail, degrees) == pytest.approx(value, abs=6e-4)


@given(st.floats(-50, 50), st.just(1.0) | st.just(2.0))
def test_closed_forms(t: float, degrees: float) -> None:
    """With one degree of freedom it is the Cauchy distribution, and with two it has a closed form as well."""
    exact = 0.5 - math.atan(t) / math.pi if degrees == 1 else 0.5 - t / (2 * math.sqrt(2 + t * t))
    assert upper_tail(t, degrees) == pytest.approx(exact, abs=1e-12)


@given(st.floats(1e-6, 0.5), st.floats(0.5, 500))
def test_the_quantile_is_the_inverse_of_the_tail(tail: float, degrees: float) -> None:
    """What the quantile gives is exceeded with the probability that was asked for."""
    assert upper_tail(quantile(tail, degrees), degrees) == pytest.approx(tail, rel=1e-6)


@given(st.floats(0.01, 0.99), st.floats(0.1, 200), st.floats(0.1, 200))
def test_the_beta_function_is_a_distribution(x: float, a: float, b: float) -> None:
    """It lies between 0 and 1 and has its symmetry."""
    value = incomplete_beta(x, a, b)
    assert -1e-12 <= value <= 1 + 1e-12
    assert value == pytest.approx(1 - incomplete_beta(1 - x, b, a), abs=1e-9)


def test_nonsense_is_refused() -> None:
    """No degrees of freedom, and tails that are not probabilities."""
    with pytest.raises(ValueError, match="above 0, not 0"):
        upper_tail(1, 0)
    for tail in (0, 0.6):
        with pytest.raises(ValueError, match="a tail lies between"):
            quantile(tail, 3)
    assert (upper_tail(math.inf, 3), upper_tail(-math.inf, 3)) == (0.0, 1.0)
