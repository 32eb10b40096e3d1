"""Calls of other clients through a breaker are not taken for what the breaker does."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.checkers.breaker.promises import params
from tests.checkers.breaker.server import Stack, stack
from tests.context import observe
from xnai_validate.checkers.breaker._driver import others
from xnai_validate.kit import NotApplicable, Target


@contextmanager
def other_client(running: Stack) -> Iterator[None]:
    """Another client of the stack, whose calls succeed all the time."""
    over = threading.Event()

    def call() -> None:
        while not over.wait(0.005):
            urllib.request.urlopen(f"{running.workers[0].url}/work", data=b"{}", timeout=10).close()

    client = threading.Thread(target=call)
    client.start()
    try:
        yield
    finally:
        over.set()
        client.join(30)


def test_nothing_is_judged_where_others_call_through_the_breaker(
    redis: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The successes of others make a breaker forget, and close it: the check is skipped, with what shows them."""
    monkeypatch.setattr(others, "QUIET_S", 0.5)
    with stack(redis) as running:
        with other_client(running), pytest.raises(NotApplicable, match="other clients call through the breaker"):
            observe("breaker.forgive", running.workers[0], others=(running.redis,), **params(running))
        seen = observe("breaker.forgive", running.workers[0], others=(running.redis,), **params(running))
        assert seen.held, seen.findings
