"""Acquit the reference and convict every mutant again and again: `python -m tests.breaker 25` does it 25 times.

`python -m tests.breaker 25 concurrent` does only what is about that promise.

Each judgement that is wrong is a line on stdout; the last line is how many there were of how many.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from tests.breaker import faults
from tests.breaker.conftest import redis_with_pid
from tests.breaker.promises import CONVICTED, PROMISES, wrong_of_mutant, wrong_of_reference


def main(rounds: int, promises: Sequence[str]) -> None:
    """So many rounds of these promises, on a Redis of their own."""
    judged = wrong = 0
    with ExitStack() as stack:
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        faults.use(monkeypatch)
        redis = stack.enter_context(redis_with_pid())
        for _ in range(rounds):
            found = [wrong_of_reference(redis, promise) for promise in promises]
            found += [wrong_of_mutant(redis, mutant) for mutant, (broken, _) in CONVICTED.items() if broken in promises]
            judged += len(found)
            for words in filter(None, found):
                wrong += 1
                print(words, flush=True)  # noqa: T201
    print(f"{wrong} of {judged}", flush=True)  # noqa: T201


main(int(sys.argv[1]), sys.argv[2:] or list(PROMISES))
