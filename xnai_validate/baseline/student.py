"""Student's t distribution, which the standard library lacks.

Its tail is a regularized incomplete beta function: P(T > t) = I(v / (v + t^2); v/2, 1/2) / 2 for t >= 0 (Abramowitz and
Stegun 26.7.1); that is evaluated by its continued fraction (DLMF 8.17.22) with the method of Lentz (1976).
"""

from __future__ import annotations

import math
from functools import lru_cache

_TINY = 1e-300
_STEPS = 500
_PRECISION = 1e-13


def upper_tail(t: float, degrees: float) -> float:
    """Return the probability that a t variable with `degrees` of freedom exceeds `t`."""
    if degrees <= 0:
        raise ValueError(f"degrees of freedom are above 0, not {degrees}")
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    square = t * t
    if square < degrees:  # near the middle the other tail of the beta function is the exact one
        half = (1 - incomplete_beta(square / (degrees + square), 0.5, degrees / 2)) / 2
    else:
        half = incomplete_beta(degrees / (degrees + square), degrees / 2, 0.5) / 2
    return half if t >= 0 else 1 - half


@lru_cache(maxsize=256)
def quantile(tail: float, degrees: float) -> float:
    """The value that a t variable exceeds with the probability `tail`, which lies between 0 and 0.5; by bisection."""
    if not 0 < tail <= 0.5:
        raise ValueError(f"a tail lies between 0 and 0.5, not at {tail}")
    low, high = 0.0, 1.0
    while upper_tail(high, degrees) > tail:
        low, high = high, high * 2
    while high - low > 1e-10 * high:
        middle = (low + high) / 2
        if upper_tail(middle, degrees) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I(x; a, b), for x from 0 to 1 and a, b above 0."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    # The fraction converges quickly below the mean; above it the symmetry I(x; a, b) = 1 - I(1 - x; b, a) serves.
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(1 - x, b, a)
    front = a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    return math.exp(front) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 1 + d1/(1 + d2/(1 + ...)) of DLMF 8.17.22."""
    value = upper = 1.0
    lower = 0.0
    for step in range(1, _STEPS):
        m = step // 2
        if step % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        lower = 1 / ((1 + d * lower) or _TINY)
        upper = (1 + d / upper) or _TINY
        value *= upper * lower
        if abs(upper * lower - 1) < _PRECISION:
            return value
    return value
