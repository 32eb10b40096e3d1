"""Records of layout B: transactions, audit trail and degradation, in Redis streams."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tests.demo.api.running import RedisServer, running, settings


def stream(redis: RedisServer, name: str) -> list[dict[str, str]]:
    """The entries of a Redis stream, oldest first."""
    return redis.entries(name)


def test_queries_and_streams_are_written_down(redis: RedisServer, tmp_path: Path) -> None:
    """Each leaves an initiated and a completed entry under its request id, and one in the audit trail."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, "B"), redis) as stack:
            ids = {}
            for kind in ("query", "stream"):
                headers = {"X-Session-ID": "session-1"}
                answer = await stack.client.post(f"/{kind}", json={"query": "What is Xoe-NovAi?"}, headers=headers)
                ids[kind] = answer.headers["x-request-id"]
            entries = [(entry["txn_id"], entry["path"], entry["status"]) for entry in stream(redis, "xnai_queries")]
            assert entries == [
                (ids[kind], f"/{kind}", status) for kind in ("query", "stream") for status in ("initiated", "completed")
            ]
            assert stream(redis, "xnai_queries")[-1]["status_code"] == "200"
            trail = stream(redis, "xnai_audit_trail")
            assert [entry["type"] for entry in trail] == ["query", "stream"]
            assert all(json.loads(entry["sources"]) == ["xoe-novai.md"] for entry in trail)
            assert trail[0]["response_preview"] == trail[1]["response_preview"]
            assert 0 < int(str(redis.client.ttl("xnai:session:session-1"))) <= 3600

    asyncio.run(ask())


def test_layout_a_writes_none_of_them(redis: RedisServer, tmp_path: Path) -> None:
    """Layout A has no such streams, rooms or search."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path), redis) as stack:
            await stack.client.post("/query", json={"query": "What is Xoe-NovAi?"})
            assert stream(redis, "xnai_queries") == []
            for path in ("/ws/stats", "/docs/search?query=redis", "/metrics"):
                assert (await stack.client.get(path)).status_code == 404

    asyncio.run(ask())
