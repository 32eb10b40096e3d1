"""The family `counting`, as another package brings it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checkers import counting
from xnai_validate import registry


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    counting.use(monkeypatch)
    yield
    monkeypatch.undo()
    registry.CHECKERS.forget()
