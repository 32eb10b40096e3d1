"""`redis.plant`: whatever the key was, it is that again; and what could not be restored is not touched."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis

from tests.checkers.redis_process import redis_server
from tests.context import check_context, planned_fault
from xnai_validate.kit import FaultEntry, Target, Unmeasurable

KEY = "circuit_breaker:rag_api"
Server = tuple[Target, redis.Redis]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running[1].flushall()
    return running


@asynccontextmanager
async def active(target: Target, entry: FaultEntry) -> AsyncIterator[None]:
    """A fault of a run while it is active."""
    async with check_context("redis.ping", target) as ctx, ctx.under(planned_fault(entry, target)):
        yield


def plant(server: Server, meanwhile: Any = lambda: None) -> dict[str, Any]:
    """Plant an open state and revert it; returns the fields of the key meanwhile."""
    planted: dict[str, Any] = {}
    settings = {"key": KEY, "fields": {"state": "open", "failure_count": 3}, "now": ["last_failure_time"]}
    disturbance = FaultEntry.model_validate({"fault": "redis.plant", "with": settings})

    async def scene() -> None:
        async with active(server[0], disturbance):
            planted.update(json.loads(str(server[1].get(KEY))), ttl=server[1].ttl(KEY))
            meanwhile()

    asyncio.run(scene())
    return planted


def test_other_fields_stay_and_the_time_is_that_of_the_server(server: Server) -> None:
    """Only the fields that are named change, and the key keeps its time to live."""
    server[1].set(KEY, '{"state": "closed", "total_calls": 7}', ex=100)
    planted = plant(server)
    assert (planted["state"], planted["failure_count"], planted["total_calls"]) == ("open", 3, 7)
    assert abs(planted["last_failure_time"] - time.time()) < 5
    assert 90 < planted["ttl"] <= 100


def test_a_key_that_was_not_there_is_gone_again(server: Server) -> None:
    """The planted key has a time to live, so it goes even if the tool dies before the revert."""
    assert 0 < plant(server)["ttl"] <= 600
    assert server[1].exists(KEY) == 0


def test_a_key_that_never_expires_does_not_expire_afterwards(server: Server) -> None:
    """It has no time to live while the fault is in force either."""
    server[1].set(KEY, '{"state": "closed"}')
    assert plant(server)["ttl"] == -1
    assert (server[1].get(KEY), server[1].ttl(KEY)) == ('{"state": "closed"}', -1)


def test_what_the_stack_wrote_meanwhile_is_replaced(server: Server) -> None:
    """The key has again the value it had before, also where the stack has written or deleted it."""
    for meanwhile in (lambda: server[1].set(KEY, '{"state": "half_open"}', ex=5), lambda: server[1].delete(KEY)):
        server[1].set(KEY, '{"state": "closed", "failure_count": 0}', ex=100)
        plant(server, meanwhile)
        assert server[1].get(KEY) == '{"state": "closed", "failure_count": 0}'
        assert 90 < int(str(server[1].ttl(KEY))) <= 100


def test_a_key_whose_time_is_over_is_not_brought_back(server: Server) -> None:
    """It would have expired meanwhile."""
    server[1].set(KEY, '{"state": "closed"}', px=200)
    plant(server, lambda: time.sleep(0.3))
    assert server[1].exists(KEY) == 0


@pytest.mark.parametrize("content", ["not json", "[1]", None])
def test_what_holds_no_object_is_not_touched(server: Server, content: str | None) -> None:
    """Text, a list, a key of another type: refused before anything happens."""
    if content is None:
        server[1].rpush(KEY, "an item")
    else:
        server[1].set(KEY, content)
    before = server[1].dump(KEY)
    with pytest.raises(Unmeasurable, match="does not hold a JSON object"):
        plant(server)
    assert server[1].dump(KEY) == before


def test_a_key_is_gone_and_back(server: Server) -> None:
    """As after an eviction; what the stack wrote in its place is replaced. A key that is not there is reported."""
    lost = FaultEntry.model_validate({"fault": "redis.plant", "with": {"key": KEY, "absent": True}})

    async def scene(meanwhile: bool) -> None:
        async with active(server[0], lost):
            assert server[1].exists(KEY) == 0
            if meanwhile:
                server[1].set(KEY, "{}")

    for meanwhile in (False, True):
        server[1].set(KEY, '{"state": "open"}', ex=100)
        asyncio.run(scene(meanwhile))
        assert server[1].get(KEY) == '{"state": "open"}'
        assert 90 < int(str(server[1].ttl(KEY))) <= 100
    server[1].delete(KEY)
    with pytest.raises(Unmeasurable, match="does not exist"):
        asyncio.run(scene(False))


def test_a_state_that_exists_already_is_not_planted(server: Server) -> None:
    """Nothing would change, and nothing would be proven."""
    server[1].set(KEY, '{"state": "open", "failure_count": 3}')
    with pytest.raises(Unmeasurable, match="holds these values already"):
        plant(server)


def test_a_large_key_is_not_touched(server: Server) -> None:
    """It would have to be kept in the undo record."""
    server[1].set(KEY, json.dumps({"state": "closed", "text": [str(number) for number in range(30_000)]}))
    with pytest.raises(Unmeasurable, match="too large"):
        plant(server)
