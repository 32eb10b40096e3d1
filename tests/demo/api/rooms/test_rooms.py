"""What only layout B has: records in Redis streams, rooms by WebSocket, the document search."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.demo.api.running import RedisServer, Running, running, settings


def stream(redis: RedisServer, name: str) -> list[dict[str, str]]:
    """The entries of a Redis stream, oldest first."""
    return redis.entries(name)


def test_queries_and_streams_are_written_down(redis: RedisServer, tmp_path: Path) -> None:
    """Each leaves an initiated and a completed entry under its request id, and one in the audit trail."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, "B"), redis) as stack:
            for kind in ("query", "stream"):
                headers = {"X-Request-ID": f"id-of-{kind}", "X-Session-ID": "session-1"}
                await stack.client.post(f"/{kind}", json={"query": "What is Xoe-NovAi?"}, headers=headers)
            entries = [(entry["txn_id"], entry["path"], entry["status"]) for entry in stream(redis, "xnai_queries")]
            assert entries == [
                (f"id-of-{kind}", f"/{kind}", status)
                for kind in ("query", "stream")
                for status in ("initiated", "completed")
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


async def exchange(socket: ClientConnection, frame: dict[str, Any] | str) -> dict[str, Any]:
    """Send a frame and read the answer."""
    await socket.send(frame if isinstance(frame, str) else json.dumps(frame))
    answer: dict[str, Any] = json.loads(await asyncio.wait_for(socket.recv(), 10))
    return answer


def room_url(stack: Running, room: str, agent: str) -> str:
    """Where an agent connects."""
    return f"ws://127.0.0.1:{stack.settings.ports['api']}/xnai/api/v1/ws/{room}/{agent}"


def test_rooms(redis: RedisServer, tmp_path: Path) -> None:
    """Every kind of frame gets its answer, bad JSON does not end the connection, and the statistics are true."""

    async def ask() -> None:
        async with running(settings(redis, tmp_path, "B"), redis) as stack:
            assert (await stack.client.get("/ws/stats")).json()["total_connections"] == 0
            one = await connect(room_url(stack, "lab", "did:one"))
            two = await connect(room_url(stack, "lab", "did:two"))
            for socket in (one, two):
                assert json.loads(await socket.recv())["type"] == "connected"
            pong = await exchange(one, {"type": "ping", "sender": "did:one", "correlation_id": "c-1"})
            assert (pong["type"], pong["correlation_id"]) == ("pong", "c-1")
            assert (await exchange(one, "{not json"))["type"] == "error"
            assert (await exchange(one, {"type": "dance"}))["type"] == "warning"
            status = await exchange(one, {"type": "status"})
            assert (status["type"], status["payload"]["total_connections"]) == ("status_response", 2)
            ack = await exchange(one, {"type": "broadcast", "payload": {"text": "hello"}})
            assert (ack["type"], ack["payload"]["recipients"]) == ("broadcast_ack", 1)
            heard = json.loads(await two.recv())
            assert (heard["type"], heard["sender"], heard["payload"]) == ("broadcast", "did:one", {"text": "hello"})
            task = await exchange(two, {"type": "task", "payload": {"do": "something"}})
            assert (task["type"], task["payload"]) == ("task_ack", {"success": True})
            assert stream(redis, "xnai:agent_bus")[-1]["sender"] == "did:two"
            stats = (await stack.client.get("/ws/stats")).json()
            assert stats == {
                "total_connections": 2,
                "total_rooms": 1,
                "rooms": {"lab": 2},
                "agents_connected": ["did:one", "did:two"],
            }
            await one.close()
            await two.close()
            await asyncio.sleep(0.2)
            assert (await stack.client.get("/ws/stats")).json()["total_rooms"] == 0

    asyncio.run(ask())


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
