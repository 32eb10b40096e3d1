"""`/docs/search` and `/docs/concepts` (layout B)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.demo.api.running import RedisServer, running, settings


def test_the_documents_can_be_searched(redis: RedisServer, tmp_path: Path) -> None:
    """The search finds the right document first, keeps to its limit, and refuses limits beyond 50."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, "B"), redis) as stack:
            found = (await stack.client.get("/docs/search", params={"query": "voice recording", "limit": 1})).json()
            assert (found["query"], found["total"], len(found["results"])) == ("voice recording", 1, 1)
            assert found["results"][0]["source"] == "voice.md"
            refused: tuple[dict[str, str | int], ...] = (
                {"query": ""},
                {"query": "x", "limit": 0},
                {"query": "x", "limit": 51},
                {},
            )
            for wrong in refused:
                answer = await stack.client.get("/docs/search", params=wrong)
                assert (answer.status_code, answer.json()["error_code"]) == (400, "validation_validation")
            concepts = (await stack.client.get("/docs/concepts")).json()
            assert concepts["total"] == len(concepts["concepts"]) >= 8

    asyncio.run(ask())
