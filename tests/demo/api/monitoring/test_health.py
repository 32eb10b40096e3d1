"""Health: each component is reported as it is, the status follows, and a hanging dependency does not delay it."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.demo.api.running import RedisServer, Running, redis_server, running, settings
from xnai_validate.demo.settings import Layout

COMPONENTS = {"embeddings", "vectorstore", "llm", "circuit_breakers_healthy", "health_memory", "health_redis"}


async def health(stack: Running) -> dict[str, Any]:
    """The health report."""
    answer = await stack.client.get("/health")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


def down(body: dict[str, Any]) -> set[str]:
    """The components that do not work."""
    return {name for name, up in body["components"].items() if up is False}


@pytest.mark.parametrize("layout", ["A", "B"])
def test_a_healthy_stack_is_reported_as_healthy(layout: Layout, redis: RedisServer, tmp_path: Path) -> None:
    """All components work, and the key in Redis expires after ten seconds; layout B reports the tier."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, layout), redis) as stack:
            body = await health(stack)
            extra = {"degradation_tier", "tier_name"} if layout == "B" else set()
            assert set(body) == {"status", "version", "memory_gb", "vectorstore_loaded", "components"}
            assert set(body["components"]) == COMPONENTS | extra
            assert (body["status"], down(body), body["vectorstore_loaded"]) == ("healthy", set(), True)
            assert body["version"]
            assert 0 < body["memory_gb"] < 10_000
            assert 0 < int(str(redis.client.ttl("xnai_health_check"))) <= 10
            if layout == "B":
                assert (body["components"]["degradation_tier"], body["components"]["tier_name"]) == (1, "Normal")

    asyncio.run(ask())


def test_without_the_model_it_is_degraded_and_recovers(redis: RedisServer, tmp_path: Path) -> None:
    """A model server that is gone is noticed within a moment, and so is its return."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path), redis) as stack:
            assert down(await health(stack)) == set()
            await stack.stop("llm")
            await asyncio.sleep(0.15)
            body = await health(stack)
            assert (body["status"], down(body)) == ("degraded", {"llm"})
            await stack.start("llm")
            assert (await health(stack))["status"] == "healthy"

    asyncio.run(ask())


def test_a_hanging_model_does_not_delay_health(redis: RedisServer, tmp_path: Path) -> None:
    """A model server that accepts and never answers makes health degraded, not slow."""

    async def ask() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            chosen = settings(redis, tmp_path)
            async with running(chosen, redis) as stack:
                await stack.stop("api")
                ports = chosen.ports | {"llm": int(silent.getsockname()[1])}
                stack.settings = replace(chosen, ports=ports)
                await stack.start("api")
                started = time.perf_counter()
                for _ in range(5):
                    body = await health(stack)
                assert time.perf_counter() - started < 5 * 2.5
                assert (body["status"], down(body)) == ("degraded", {"llm"})

    asyncio.run(ask())


def test_without_redis_it_is_degraded_and_questions_are_answered(tmp_path: Path) -> None:
    """A Redis that is gone is reported by health, costs no answer, and is used again when it is back."""

    async def ask(redis: RedisServer) -> None:
        async with running(settings(redis, tmp_path, monitor_interval_s=0.2), redis) as stack:
            redis.stop()
            body = await health(stack)
            assert (body["status"], down(body)) == ("degraded", {"health_redis"})
            for path in ("/query", "/stream"):
                answer = await stack.client.post(path, json={"query": "What is Xoe-NovAi?"})
                assert answer.status_code == 200
                assert "local" in answer.text
            redis.start()
            assert (await health(stack))["components"]["health_redis"] is True
            await asyncio.sleep(0.6)
            await stack.client.post("/query", json={"query": "What is Xoe-NovAi?"})
            assert stack.breaker("rag_api")["total_successes"] >= 1

    with redis_server(tmp_path) as own:
        asyncio.run(ask(own))


def test_an_empty_vector_store_is_partial(redis: RedisServer, tmp_path: Path) -> None:
    """Without documents the status is partial, and answers cite nothing."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path), redis, "vectorstore-empty") as stack:
            body = await health(stack)
            assert (body["status"], body["vectorstore_loaded"], down(body)) == ("partial", False, {"vectorstore"})
            answer = await stack.client.post("/query", json={"query": "What is Xoe-NovAi?"})
            assert answer.json()["sources"] == []

    asyncio.run(ask())


@pytest.mark.parametrize(("percent", "tier"), [(84.9, 1), (85, 2), (92, 3), (97, 4), (99, 4)])
def test_tiers_follow_the_memory_of_the_host(percent: float, tier: int, redis: RedisServer, tmp_path: Path) -> None:
    """The fuller the host, the fewer passages and the shorter the answers, and Redis has the tier."""

    async def ask() -> None:
        chosen = replace(settings(redis, tmp_path, "B"), memory_percent=percent)
        async with running(chosen, redis) as stack:
            body = await health(stack)
            assert body["components"]["degradation_tier"] == tier
            assert body["components"]["health_memory"] is (percent < 98)
            question = {"query": "Tell me everything about the degradation tiers of memory in detail"}
            answer = (await stack.client.post("/query", json=question)).json()
            assert answer["tokens_generated"] <= {1: 256, 2: 150, 3: 100, 4: 50}[tier]
            assert bool(answer["sources"]) is (tier < 4)
            assert redis.entries("xnai_degradation")[0]["tier"] == str(tier)

    asyncio.run(ask())
