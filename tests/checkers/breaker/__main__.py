"""Acquit the reference and convict every mutant again and again: `python -m tests.checkers.breaker 25`: 25 times.

`python -m tests.checkers.breaker 25 concurrent` does only what is about that promise.

Each judgement that is wrong is a line on stdout; the last line is how many there were of how many. Where the check
itself reports that it could not judge (on a machine that was too busy for a recovery time of a second), with a line on
stderr, it runs again, at most twice: a checker that knows that it does not know is not wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

import pytest

from tests.checkers.breaker import faults
from tests.checkers.breaker.conftest import redis_with_pid
from tests.checkers.breaker.promises import CONVICTED, PROMISES, wrong_of_mutant, wrong_of_reference
from xnai_validate.errors import Unmeasurable

TRIALS = 3


def main(rounds: int, promises: Sequence[str]) -> None:
    """Some rounds of these promises, on a Redis of their own."""
    judged = wrong = 0
    with ExitStack() as stack:
        monkeypatch = stack.enter_context(pytest.MonkeyPatch.context())
        faults.use(monkeypatch)
        redis = stack.enter_context(redis_with_pid())
        for _ in range(rounds):
            found = [_judged(partial(wrong_of_reference, redis, promise)) for promise in promises]
            found += [
                _judged(partial(wrong_of_mutant, redis, mutant))
                for mutant, (broken, _) in CONVICTED.items()
                if broken in promises
            ]
            judged += len(found)
            for words in filter(None, found):
                wrong += 1
                print(words, flush=True)  # noqa: T201
    print(f"{wrong} of {judged}", flush=True)  # noqa: T201


def _judged(judge: Callable[[], str | None]) -> str | None:
    for _ in range(TRIALS):
        try:
            return judge()
        except Unmeasurable as why:
            print(f"runs again: {why}", file=sys.stderr, flush=True)  # noqa: T201
    return f"not judged in {TRIALS} trials"


main(int(sys.argv[1]), sys.argv[2:] or list(PROMISES))
