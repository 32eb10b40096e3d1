"""Metrics: the counters move by the requests of the test alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.demo.api.running import RedisServer, running, settings

MODEL = 'model="xnai-extract-1"'


def test_counters_move_by_exactly_the_requests(redis: RedisServer, tmp_path: Path) -> None:
    """Queries, streams, tokens, errors, latencies: each is counted once, and no session is left."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path), redis) as stack:
            before = await stack.metrics()
            for _ in range(3):
                await stack.client.post("/query", json={"query": "What is Xoe-NovAi?", "max_tokens": 5})
            for _ in range(2):
                question = {"query": "What is Xoe-NovAi?", "max_tokens": 4, "use_rag": False}
                await stack.client.post("/stream", json=question)
            await stack.client.post("/query", json={"query": ""})
            await stack.client.get("/health")
            for number in range(4):
                await stack.client.get(f"/nowhere/{number}")
            after = await stack.metrics()
            moved = {name: value - before.get(name, 0.0) for name, value in after.items()}
            assert moved["xnai_requests_total"] == 11
            assert moved['xnai_queries_processed_total{rag_enabled="true"}'] == 3
            assert moved['xnai_queries_processed_total{rag_enabled="false"}'] == 2
            assert moved[f"xnai_tokens_generated_total{{{MODEL}}}"] == 3 * 5 + 2 * 4
            assert moved['xnai_errors_total{component="api",error_type="validation"}'] == 1
            assert moved['xnai_errors_total{component="api",error_type="not_found"}'] == 4
            assert moved['xnai_response_latency_ms_count{endpoint="/query",method="POST"}'] == 4
            assert moved['xnai_response_latency_ms_count{endpoint="/stream",method="POST"}'] == 2
            assert moved['xnai_response_latency_ms_count{endpoint="unmatched",method="GET"}'] == 4
            assert moved["xnai_rag_retrieval_time_ms_count"] == 3
            assert after["xnai_active_sessions"] == 0
            assert after['xnai_memory_usage_bytes{component="process"}'] > 1_000_000
            states = {name: value for name, value in after.items() if name.startswith("xnai_circuit_breaker_state")}
            assert len(states) == 5
            assert set(states.values()) == {0}

    asyncio.run(ask())


def test_layout_b_serves_them_at_the_api_as_well(redis: RedisServer, tmp_path: Path) -> None:
    """`/metrics` at the API's root shows the same registry as text for Prometheus, and does not count itself."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, "B"), redis) as stack:
            await stack.client.get("/health")
            answers = [await stack.root.get("/metrics") for _ in range(2)]
            own = await stack.root.get(f"{stack.settings.url('metrics')}/metrics")
            for answer in (*answers, own):
                assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
                assert "xnai_requests_total 1.0" in answer.text.splitlines()
            handler = 'handler="/xnai/api/v1/health",method="GET",status="2xx"'
            assert f"http_requests_total{{{handler}}} 1.0" in own.text
            assert "http_request_duration_seconds_count" in own.text

    asyncio.run(ask())
