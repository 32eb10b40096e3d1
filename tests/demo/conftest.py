"""A Redis server that the tests of single parts share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.serving import redis_running, reserved
from xnai_validate.demo.settings import Settings


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a healthy Redis."""
    with reserved(tmp_path_factory.mktemp("redis")) as settings, redis_running(settings):
        yield settings.redis_port


@pytest.fixture
def healthy(tmp_path: Path, shared_redis: int) -> Iterator[Settings]:
    """Settings of a layout A stack without defects, with the shared Redis."""
    with reserved(tmp_path, redis_port=shared_redis) as settings:
        yield settings
