"""One Redis for all tests of the application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo.api.running import RedisServer, redis_server


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(shared_redis: RedisServer) -> RedisServer:
    """A Redis server with nothing in it."""
    shared_redis.client.flushall()
    return shared_redis
