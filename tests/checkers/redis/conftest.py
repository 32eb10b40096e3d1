"""A Redis server that the tests of the family share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from tests.checkers.redis_process import redis_server
from xnai_validate.kit import Target

Server = tuple[Target, redis.Redis]


@pytest.fixture(scope="package")
def running() -> Iterator[Server]:
    with redis_server("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru") as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running[1].flushall()
    return running
