"""One Redis for all tests of the application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.demo_api.running import RedisServer, redis_server


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server; each running stack empties it first."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server
