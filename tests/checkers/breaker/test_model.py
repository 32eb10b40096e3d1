"""The reference breaker is acquitted, and every breaker that breaks a promise is convicted of it, from outside."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.checkers.breaker.promises import CONVICTED, PROMISES, wrong_of_mutant, wrong_of_reference
from tests.checkers.breaker.reference import Breaker
from xnai_validate.kit import Target

RUNS, AT_ONCE = 100, 10


@pytest.mark.parametrize("promise", PROMISES)
def test_the_reference_is_acquitted(redis: Target, promise: str) -> None:
    """A breaker that keeps every promise passes each check."""
    assert wrong_of_reference(redis, promise) is None


@pytest.mark.parametrize("mutant", CONVICTED, ids=lambda mutant: mutant.__name__)
def test_every_mutant_is_convicted(redis: Target, mutant: type[Breaker]) -> None:
    """A breaker that breaks one promise fails the check of it, by the fact that shows it."""
    assert wrong_of_mutant(redis, mutant) is None


@pytest.mark.prove
def test_a_hundred_times_over() -> None:
    """In a hundred runs of all of that, no judgement is wrong. Takes twenty minutes, mostly waiting."""
    command = [sys.executable, "-m", "tests.checkers.breaker", str(RUNS // AT_ONCE)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(AT_ONCE)]
    output = "".join(process.communicate()[0] for process in running)
    judged = (len(PROMISES) + len(CONVICTED)) * RUNS // AT_ONCE
    assert output == f"0 of {judged}\n" * AT_ONCE
