"""What tests of breakers share: a real Redis, and the faults of their stacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.checkers.breaker import faults
from tests.checkers.redis_process import redis_server
from xnai_validate import registry
from xnai_validate.kit import Target


@contextmanager
def redis_with_pid() -> Iterator[Target]:
    """A Redis whose process can be disturbed."""
    with redis_server() as (target, client):
        info: Any = client.info("server")
        yield replace(target, pid=info["process_id"])


@pytest.fixture(scope="module")
def redis() -> Iterator[Target]:
    with redis_with_pid() as target:
        yield target


@pytest.fixture(autouse=True)
def restarts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    faults.use(monkeypatch)
    yield
    monkeypatch.undo()
    registry.FAULTS.forget()
