"""The toy family is provided as another package would provide it: through an entry point."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.config.home import Home
from xnai_validate import registry


@pytest.fixture(autouse=True)
def toy_family(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Provide the kinds `toy.*` for a test."""
    entry = EntryPoint("toy", "tests.config.toy", registry.CHECKERS.group)
    monkeypatch.setattr(registry.CHECKERS, "entry_points", lambda: (entry,))
    _forget()
    yield
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    registry.CHECKERS.forget()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty directory to write profiles and suites to, as the only place besides the bundled one."""
    return Home(tmp_path)
