"""WebSocket rooms in which agents meet (layout B), and who is in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, JsonValue, ValidationError
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.schemas import RoomStats
from xnai_validate.demo.api.services import Services

Message = dict[str, JsonValue]

_FRAME_LIMIT_CHARACTERS = 65_536
_BUS = "xnai:agent_bus"
_BUS_KEPT = 10_000
_CONNECTIONS_MOST = 1000
_TOO_MANY = 1013


class Frame(BaseModel):
    """What an agent sends."""

    type: str = Field(min_length=1, max_length=64)
    sender: str = Field(default="", max_length=256)
    target: str | None = Field(default=None, max_length=256)
    payload: dict[str, JsonValue] = Field(default_factory=dict)
    correlation_id: str | None = Field(default=None, max_length=256)


class Rooms:
    """Who is connected where. A room exists as long as somebody is in it."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._members: dict[str, list[tuple[str, WebSocket]]] = {}

    def stats(self) -> RoomStats:
        """The connections at this moment."""
        frozen = self._services.settings.broken("ws-stats-frozen")
        members = {} if frozen else self._members
        return RoomStats(
            total_connections=sum(len(inside) for inside in members.values()),
            total_rooms=len(members),
            rooms={room: len(inside) for room, inside in members.items()},
            agents_connected=sorted({agent for inside in members.values() for agent, _ in inside}),
        )

    async def serve(self, socket: WebSocket, room: str, agent: str) -> None:
        """Keep one agent's connection until it leaves."""
        await socket.accept()
        if self.stats().total_connections >= _CONNECTIONS_MOST:
            await socket.close(_TOO_MANY)
            return
        with self._inside(room, agent, socket), suppress(WebSocketDisconnect):
            greeting: Message = {"room": room, "agent_did": agent, "connections": len(self._members[room])}
            await socket.send_json(_message("connected", agent, greeting, None))
            while True:
                for answer in await self._answer(socket, room, agent, await socket.receive_text()):
                    await socket.send_json(answer)

    @contextmanager
    def _inside(self, room: str, agent: str, socket: WebSocket) -> Iterator[None]:
        self._members.setdefault(room, []).append((agent, socket))
        try:
            yield
        finally:
            self._members[room].remove((agent, socket))
            if not self._members[room]:
                del self._members[room]

    async def _answer(self, socket: WebSocket, room: str, agent: str, text: str) -> list[Message]:
        """What is answered to one frame."""
        try:
            if len(text) > _FRAME_LIMIT_CHARACTERS:
                return [_message("error", agent, {"message": "The frame is too large."}, None)]
            frame = Frame.model_validate_json(text)
        except ValidationError:
            if self._services.settings.broken("ws-bad-json-closes"):
                await socket.close(1011)
                raise WebSocketDisconnect(1011) from None
            return [_message("error", agent, {"message": "The frame is not valid JSON of the expected form."}, None)]
        match frame.type:
            case "ping" if not self._services.settings.broken("ws-without-pong"):
                return [_message("pong", agent, {}, frame)]
            case "ping":
                return []
            case "status":
                return [_message("status_response", agent, json.loads(self.stats().model_dump_json()), frame)]
            case "broadcast":
                return [_message("broadcast_ack", agent, {"recipients": await self._tell(room, agent, frame)}, frame)]
            case "task":
                return [_message("task_ack", agent, {"success": await self._hand_over(agent, frame)}, frame)]
            case _:
                return [_message("warning", agent, {"message": f"Unknown type: {frame.type}"}, frame)]

    async def _tell(self, room: str, agent: str, frame: Frame) -> int:
        """Pass a frame to everybody else in the room; how many that were."""
        if self._services.settings.broken("ws-broadcast-lost"):
            return 0
        told = 0
        for other, socket in tuple(self._members.get(room, ())):
            if other == agent:
                continue
            with suppress(WebSocketDisconnect, RuntimeError):
                await socket.send_json(_message("broadcast", other, frame.payload, frame, sender=agent))
                told += 1
        return told

    async def _hand_over(self, agent: str, frame: Frame) -> bool:
        """Put a task on the agents' bus; whether that worked."""
        fields = {
            "type": "task",
            "sender": agent,
            "target": frame.target or "",
            "payload": json.dumps(frame.payload),
            "correlation_id": frame.correlation_id or "",
            "timestamp": _now(),
        }
        try:
            # redis-py's stub asks for a dict of a wider value type than it needs.
            await self._services.store.run(lambda redis: redis.xadd(_BUS, fields, maxlen=_BUS_KEPT, approximate=True))  # type: ignore[arg-type]
        except (StoreUnavailable, RedisError):
            return False
        return True


def router(services: Services) -> APIRouter:
    """The endpoints, for one application."""
    routes = APIRouter()
    rooms = Rooms(services)

    @routes.get("/ws/stats", response_model=RoomStats, summary="Who is connected by WebSocket")
    async def stats() -> RoomStats:
        """The rooms and the agents in them."""
        if services.settings.broken("ws-stats-missing"):
            raise HTTPException(404)
        return rooms.stats()

    @routes.websocket("/ws/{room}/{agent_did}")
    async def connect(socket: WebSocket, room: str, agent_did: str) -> None:
        """One agent in one room."""
        await rooms.serve(socket, room, agent_did)

    return routes


def _message(kind: str, target: str, payload: Message, frame: Frame | None, *, sender: str = "system") -> Message:
    """A frame to an agent; it carries the correlation id of the one it answers."""
    correlation = frame.correlation_id if frame else None
    return {
        "type": kind,
        "sender": sender,
        "target": target,
        "payload": payload,
        "correlation_id": correlation,
        "timestamp": _now(),
    }


def _now() -> str:
    """ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
