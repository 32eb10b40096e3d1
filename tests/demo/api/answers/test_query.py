"""`/query`: answers from documents, and without them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.demo.api.running import RedisServer, running, settings
from xnai_validate.demo.api.answers.corpus import CANARIES
from xnai_validate.demo.settings import Layout

QUESTION = "What is Xoe-NovAi?"
LONG = "Tell me everything about the circuit breakers and the degradation tiers in detail"


@pytest.mark.parametrize("layout", ["A", "B"])
def test_every_canary_is_answered_from_its_document(layout: Layout, redis: RedisServer, tmp_path: Path) -> None:
    """The bundled questions get the expected phrase, cite their document once, and report their true duration."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, layout), redis) as stack:
            for canary in CANARIES:
                started = time.perf_counter()
                answer = await stack.client.post("/query", json={"query": canary["question"], "not_known": 1})
                waited_ms = (time.perf_counter() - started) * 1000
                body = answer.json()
                assert answer.status_code == 200
                assert canary["expect"] in body["response"]
                assert canary["source"] in body["sources"]
                assert len(set(body["sources"])) == len(body["sources"])
                assert body["tokens_generated"] == len(body["response"].split())
                assert 0 < body["duration_ms"] <= waited_ms
                assert body["token_rate_tps"] > 0

    asyncio.run(ask())


def test_without_retrieval_and_without_a_hit_nothing_is_cited(redis: RedisServer, tmp_path: Path) -> None:
    """`use_rag: false`, and a question that the documents do not answer, give no sources."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path), redis) as stack:
            for question in ({"query": QUESTION, "use_rag": False}, {"query": "Who won the world cup in 1998?"}):
                body = (await stack.client.post("/query", json=question)).json()
                assert body["sources"] == []
                assert body["response"]

    asyncio.run(ask())
