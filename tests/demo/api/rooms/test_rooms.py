"""WebSocket rooms (layout B): greetings, answers, broadcasts and statistics."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.demo.api.running import RedisServer, Running, running, settings


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
            first = await connect(room_url(stack, "lab", "did:one"))
            two = await connect(room_url(stack, "lab", "did:two"))
            for socket in (first, two):
                assert json.loads(await socket.recv())["type"] == "connected"
            assert (await exchange(first, {"type": "ping", "sender": "did:one"}))["type"] == "pong"
            assert (await exchange(first, "{not json"))["type"] == "error"
            assert (await exchange(first, {"type": "dance"}))["type"] == "warning"
            status = await exchange(first, {"type": "status"})
            assert (status["type"], status["stats"]["total_connections"]) == ("status_response", 2)
            ack = await exchange(first, {"type": "broadcast", "payload": {"text": "hello"}})
            assert (ack["type"], ack["delivered"]) == ("broadcast_ack", 1)
            received = json.loads(await two.recv())
            assert (received["type"], received["sender"], received["payload"]) == (
                "broadcast",
                "did:one",
                {"text": "hello"},
            )
            task = await exchange(two, {"type": "task", "payload": {"do": "something"}, "correlation_id": "c-1"})
            assert (task["type"], task["success"], task["correlation_id"]) == ("task_ack", True, "c-1")
            assert redis.entries("xnai:agent_bus")[-1]["sender"] == "did:two"
            stats = (await stack.client.get("/ws/stats")).json()
            assert stats == {
                "total_connections": 2,
                "total_rooms": 1,
                "rooms": {"lab": 2},
                "agents_connected": ["did:one", "did:two"],
            }
            await first.close()
            await two.close()
            await asyncio.sleep(0.2)
            assert (await stack.client.get("/ws/stats")).json()["total_rooms"] == 0

    asyncio.run(ask())
