"""The reference breaker is acquitted, and every breaker that breaks a promise is convicted of it, from outside."""

from __future__ import annotations

import pytest

from tests.breaker.promises import CONVICTED, PROMISES
from tests.breaker.reference import Breaker
from tests.breaker.server import stack
from xnai_validate.kit import Observed, Target

RUNS = 100


def broken(seen: Observed) -> dict[str, object]:
    """The facts whose rules do not hold."""
    return {finding.fact: finding.actual for finding in seen.findings if not finding.held}


def acquit(redis: Target, promise: str) -> None:
    """The reference keeps the promise."""
    with stack(redis, workers=PROMISES[promise].workers) as running:
        assert broken(PROMISES[promise].kept(running)) == {}


def convict(redis: Target, mutant: type[Breaker]) -> None:
    """The mutant is convicted of what it breaks."""
    promise, fact = CONVICTED[mutant]
    with stack(redis, mutant, workers=PROMISES[promise].workers) as running:
        assert fact in broken(PROMISES[promise].kept(running))


@pytest.mark.parametrize("promise", PROMISES)
def test_the_reference_is_acquitted(redis: Target, promise: str) -> None:
    """A breaker that keeps every promise passes each check."""
    acquit(redis, promise)


@pytest.mark.parametrize("mutant", CONVICTED, ids=lambda one: one.__name__)
def test_every_mutant_is_convicted(redis: Target, mutant: type[Breaker]) -> None:
    """A breaker that breaks one promise fails the check of it, by the fact that tells so."""
    convict(redis, mutant)
