"""A container engine that answers as Docker or as Podman does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.containers import ContainerEngine, Kind, container_engine
from xnai_validate.faults.container import _subject as subject


@pytest.fixture(params=["docker", "podman"])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ContainerEngine]:
    kind: Kind = request.param
    monkeypatch.setattr(subject, "CALL_S", 60.0)  # a busy machine may take seconds to answer
    with container_engine(tmp_path, kind) as running:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{running.path}")
        yield running
