"""Redis servers that the tests of the embedded stack share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo.api.running import RedisServer, redis_server
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


@pytest.fixture(scope="session")
def application_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server for the tests of the application, which can stop and start it."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(application_redis: RedisServer) -> RedisServer:
    """A Redis server with nothing in it."""
    application_redis.client.flushall()
    return application_redis
