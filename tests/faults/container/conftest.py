"""A container engine that answers as Docker or as Podman does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.containers import ContainerEngine, Kind, container_engine


@pytest.fixture(params=["docker", "podman"])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ContainerEngine]:
    kind: Kind = request.param
    with container_engine(tmp_path, kind) as running:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{running.path}")
        yield running
