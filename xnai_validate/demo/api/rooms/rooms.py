"""WebSocket rooms in which agents meet (layout B), whichever worker they are connected to."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field, JsonValue, ValidationError
from redis.exceptions import RedisError

from xnai_validate.demo.api.failures import StoreUnavailable
from xnai_validate.demo.api.rooms.presence import Member, Message, Presence
from xnai_validate.demo.api.schemas import RoomStats
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

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
    """The agents and the rooms they are in. A room exists as long as an agent is in it."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._store = store
        self._here: dict[str, list[tuple[str, WebSocket]]] = {}
        """Room -> the agents that are connected to this worker."""
        self._presence = Presence(store, settings.worker, self._members_here)

    async def run(self) -> None:
        """Pass the broadcasts of other workers to the agents that are connected here, until cancelled."""
        await self._presence.publish()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._presence.publish_what_failed())
            async for message in self._presence.received():
                frame = Frame.model_validate(message["frame"])
                await self._send_here(str(message["room"]), str(message["agent"]), frame)

    @seam
    async def stats(self) -> RoomStats:
        """The connections at this moment, those to other workers too."""
        members = await self._all_members()
        return RoomStats(
            total_connections=len(members),
            total_rooms=len({room for room, _ in members}),
            rooms=dict(Counter(room for room, _ in members)),
            agents_connected=sorted({agent for _, agent in members}),
        )

    async def _all_members(self) -> list[Member]:
        """Return the members at all workers."""
        return [*self._members_here(), *await self._presence.elsewhere()]

    def _members_here(self) -> list[Member]:
        """Return the members at this worker."""
        return [(room, agent) for room, inside in self._here.items() for agent, _ in inside]

    async def serve(self, socket: WebSocket, room: str, agent: str) -> None:
        """Keep one agent's connection until it leaves."""
        await socket.accept()
        if len(self._members_here()) >= _CONNECTIONS_MOST:
            await socket.close(_TOO_MANY)
            return
        async with self._enter_room(room, agent, socket):
            with suppress(WebSocketDisconnect):
                await self._converse(socket, room, agent)

    async def _converse(self, socket: WebSocket, room: str, agent: str) -> None:
        """Greet an agent and answer its frames, until it leaves."""
        await socket.send_json(_reply("connected", room=room, agent_did=agent))
        while True:
            for answer in await self._answer(socket, room, agent, await socket.receive_text()):
                await socket.send_json(answer)

    @asynccontextmanager
    async def _enter_room(self, room: str, agent: str, socket: WebSocket) -> AsyncIterator[None]:
        """Keep an agent in a room until the end of the block."""
        self._here.setdefault(room, []).append((agent, socket))
        try:
            await self._presence.publish()
            yield
        finally:
            self.leave(room, agent, socket)
            await self._presence.publish()

    @seam
    def leave(self, room: str, agent: str, socket: WebSocket) -> None:
        """Forget an agent's connection, and its room when that is empty."""
        self._here[room].remove((agent, socket))
        if not self._here[room]:
            del self._here[room]

    async def _answer(self, socket: WebSocket, room: str, agent: str, text: str) -> list[Message]:
        """The answers to one frame."""
        try:
            if len(text) > _FRAME_LIMIT_CHARACTERS:
                return [_reply("error", message="The frame is too large.")]
            frame = Frame.model_validate_json(text)
        except ValidationError:
            return await self.answer_invalid(socket, agent)
        match frame.type:
            case "ping":
                return answer_ping(agent, frame)
            case "status":
                return [_reply("status_response", stats=json.loads((await self.stats()).model_dump_json()))]
            case "broadcast":
                return [_reply("broadcast_ack", delivered=await self.broadcast(room, agent, frame))]
            case "task":
                return [
                    _reply("task_ack", success=await self.queue_task(agent, frame), correlation_id=frame.correlation_id)
                ]
            case _:
                return [_reply("warning", message=f"Unknown message type: {frame.type}")]

    @seam
    async def answer_invalid(self, socket: WebSocket, agent: str) -> list[Message]:
        """The answer to a frame that is not valid."""
        return [_reply("error", message="The frame is not valid JSON of the expected form.")]

    @seam
    async def broadcast(self, room: str, agent: str, frame: Frame) -> int:
        """Pass a frame to every other agent in the room, at whichever worker; returns how many there are."""
        recipients = await self._send_here(room, agent, frame)
        elsewhere = [other for inside, other in await self._presence.elsewhere() if inside == room and other != agent]
        if elsewhere:
            await self._presence.pass_on({"room": room, "agent": agent, "frame": frame.model_dump(mode="json")})
        return recipients + len(elsewhere)

    async def _send_here(self, room: str, agent: str, frame: Frame) -> int:
        """Pass a frame to the other agents in the room at this worker; returns how many got it."""
        recipients = 0
        for other, socket in tuple(self._here.get(room, ())):
            if other == agent:
                continue
            with suppress(WebSocketDisconnect, RuntimeError):
                await socket.send_json(_message("broadcast", other, frame.payload, frame, sender=agent))
                recipients += 1
        return recipients

    @seam
    async def queue_task(self, agent: str, frame: Frame) -> bool:
        """Put a task on the bus of the agents; returns whether that worked."""
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
            await self._store.run(lambda redis: redis.xadd(_BUS, fields, maxlen=_BUS_KEPT, approximate=True))  # type: ignore[arg-type]
        except (StoreUnavailable, RedisError):
            return False
        return True


@seam
def answer_ping(agent: str, frame: Frame) -> list[Message]:
    """The answer to a ping."""
    return [_reply("pong")]


def _reply(kind: str, **fields: JsonValue) -> Message:
    """The answer to a frame, with what it reports."""
    return {"type": kind, **fields, "timestamp": _now()}


def _message(kind: str, target: str, payload: Message, frame: Frame | None, *, sender: str = "system") -> Message:
    """A frame to an agent, with the correlation id of the frame that it answers."""
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
