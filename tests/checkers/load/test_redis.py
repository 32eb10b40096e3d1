"""`load.redis` against a real Redis server."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import redis as client

from tests.checkers.redis_process import redis_server
from tests.context import call_checker, check_context, observe
from xnai_validate.kit import Target, Unmeasurable

Server = tuple[Target, client.Redis]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running[1].flushall()
    running[1].config_resetstat()
    return running


def load(target: Target, *, lasts: str = "500ms", **with_: Any) -> Any:
    with_["for"] = lasts
    return observe("load.redis", target, **with_).facts


def calls(connection: client.Redis, command: str) -> int:
    """How often the server has carried out a command."""
    stats: Any = connection.info("commandstats")
    return int(stats.get(f"cmdstat_{command}", {}).get("calls", 0))


def test_an_open_load_sends_exactly_what_is_planned(server: Server) -> None:
    """100 a second for half a second, counted by Redis itself; the warm-up only there."""
    target, redis = server
    facts = load(target, arrivals={"rate": 100}, warmup="200ms", command=["INCR", "visits"])
    assert int(redis.get("visits")) == calls(redis, "incr") == 70  # type: ignore[arg-type]
    assert facts["planned_count"] == facts["sent_count"] == facts["completed_count"] == 50
    assert facts["statuses"] == {"ok": 50}
    assert facts["error_count"] == facts["not_sent_count"] == 0
    assert 0 < facts["p50_ms"] <= facts["max_ms"]
    assert facts["commands_per_s"] == facts["throughput_rps"]


def test_a_template_is_filled_in(server: Server) -> None:
    """Keys in turn, a number for every command, a value of the size that is asked for."""
    target, redis = server
    command = ["SET", "load:{key}", "{n}-{value}", "EX", 60]
    load(target, arrivals={"rate": 50}, keys=10, value="4B", command=command)
    assert sorted(redis.keys("load:*")) == [f"load:{key}" for key in range(10)]
    assert redis.get("load:3") == "23-xxxx"
    assert 0 < redis.ttl("load:3") <= 60


def test_a_pipeline_is_one_request(server: Server) -> None:
    """Ten commands at once, answered when the last reply is there."""
    target, redis = server
    facts = load(target, callers=2, pipeline=10, command=["RPUSH", "list", "{n}"])
    assert redis.llen("list") == facts["completed_count"] * 10
    assert facts["commands_per_s"] == pytest.approx(facts["throughput_rps"] * 10)
    assert facts["connection_count"] == 2
    assert sorted(map(int, redis.lrange("list", 0, -1))) == list(range(facts["completed_count"] * 10))


def test_errors_of_redis_are_statuses(server: Server) -> None:
    """By their first word; the load ends early where half of the requests get one."""
    target, redis = server
    redis.set("text", "x")
    facts = load(target, arrivals={"rate": 40}, command=["LPUSH", "text", "1"], stop_at=None)
    assert facts["statuses"] == {"WRONGTYPE": 20}
    assert facts["error_kinds"] == {"status": 20}
    assert facts["error_detail"] == "answered WRONGTYPE"
    assert load(target, lasts="20s", callers=2, command=["LPUSH", "text", "1"])["ended_early"] is True


def test_a_pause_of_redis_is_seen_by_all_who_came_meanwhile(server: Server) -> None:
    """CLIENT PAUSE of 400 ms: the arrivals of that time wait, and their latency counts from when they were due."""
    target, redis = server

    async def run() -> Any:

        with_ = {"arrivals": {"rate": 50}, "for": "1s", "connections": 1, "command": ["PING"]}
        task = asyncio.create_task(_made(with_, target))
        await asyncio.sleep(0.3)
        redis.client_pause(400)
        return await task

    facts = asyncio.run(run())
    assert facts.completed_count == 50
    assert facts.max_ms > 300
    assert facts.p90_ms > 150
    assert facts.service_p50_ms < 100


async def _made(with_: Any, target: Target) -> Any:
    async with check_context("load.redis", target, **with_) as ctx:
        return await call_checker(ctx)


def test_what_takes_too_long_is_a_time_out_and_its_connection_ends(server: Server) -> None:
    """A blocking command; nothing of it stays in the server."""
    target, redis = server
    facts = load(target, arrivals={"rate": 10}, timeout="200ms", stop_at=None, command=["BLPOP", "nothing", 30])
    assert facts["sent_count"] == 5
    assert facts["error_kinds"] == {"timeout": 5}
    ended = time.monotonic() + 10
    while [client for client in redis.client_list() if client["cmd"] == "blpop"]:
        assert time.monotonic() < ended, "the server still has connections that the load made"
        time.sleep(0.02)


def test_a_wrong_password_and_a_closed_port_are_errors_by_their_kind(server: Server) -> None:
    """As everywhere in the family of redis."""
    target, _ = server
    wrong = Target("redis", target.url, password="wrong")
    assert load(wrong, callers=1, stop_at=None, command=["PING"])["error_kinds"].keys() == {"auth"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        gone = Target("redis", f"redis://127.0.0.1:{probe.getsockname()[1]}/0")
        assert load(gone, arrivals={"rate": 20}, stop_at=None, command=["PING"])["error_kinds"] == {"refused": 10}


def test_connections_that_are_killed_are_resets_and_replaced() -> None:
    """CLIENT KILL in the midst: those requests fail, the load goes on."""
    with redis_server() as (target, redis):

        async def run() -> Any:
            with_ = {"callers": 3, "for": "1s", "stop_at": None, "command": ["BLPOP", "nothing", 0.05]}
            task = asyncio.create_task(_made(with_, target))
            await asyncio.sleep(0.4)
            redis.client_kill_filter(_type="normal", skipme=True)
            return await task

        facts = asyncio.run(run())
    assert facts.error_kinds == {"reset": 3}
    assert facts.connection_count == 6
    assert facts.completed_count > 6


def test_a_load_that_is_cancelled_leaves_no_socket(server: Server) -> None:
    """Neither here nor in Redis."""
    target, redis = server

    async def run() -> list[Any]:

        task = asyncio.create_task(_made({"callers": 10, "for": "20s", "command": ["PING"]}, target))
        await asyncio.sleep(0.3)
        assert len(redis.client_list()) >= 11
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        ours = psutil.Process().net_connections("tcp")
        return [connection for connection in ours if connection.raddr and connection.raddr.port == target.port]

    assert len(asyncio.run(run())) == 1, "that of this test's own client"


def test_a_url_that_is_none_of_redis_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(Unmeasurable, match="not one of Redis"):
        load(Target("redis", "http://127.0.0.1:1"), callers=1, command=["PING"])
