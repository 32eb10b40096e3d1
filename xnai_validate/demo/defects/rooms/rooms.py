"""Rooms that do not answer, do not count, or do not pass on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import HTTPException, WebSocket, WebSocketDisconnect

from xnai_validate.demo.api.rooms.presence import Message
from xnai_validate.demo.api.rooms.rooms import Frame, Rooms, answer_ping
from xnai_validate.demo.api.rooms.routes import answer_stats
from xnai_validate.demo.api.schemas import RoomStats
from xnai_validate.demo.defects.defect import Defect

WITHOUT_PONG = Defect(
    "ws-without-pong", "A ping on the WebSocket gets no answer.", checks=("api/websocket:dialogue",), layout="B"
).changes(answer_ping, lambda answers: answers[:0])

TASK_LOST = Defect(
    "ws-task-lost",
    "A task is acknowledged as failed: the bus is not reached.",
    checks=("api/websocket:task",),
    layout="B",
)


@TASK_LOST.wraps(Rooms.queue_task)
async def queue_nothing(
    _: Callable[[Rooms, str, Frame], Awaitable[bool]], /, self: Rooms, agent: str, frame: Frame
) -> bool:
    """Queue no task, and report that the bus is not reached."""
    return False


BAD_JSON_CLOSES = Defect(
    "ws-bad-json-closes",
    "A frame that is not JSON ends the WebSocket connection.",
    checks=("api/websocket:bad-json",),
    layout="B",
)


@BAD_JSON_CLOSES.wraps(Rooms.answer_invalid)
async def close_connection(
    _: Callable[[Rooms, WebSocket, str], Awaitable[list[Message]]], /, self: Rooms, socket: WebSocket, agent: str
) -> list[Message]:
    """Close the connection with status 1011 for a frame that is not JSON."""
    await socket.close(1011)
    raise WebSocketDisconnect(1011)


STATS_MISSING = Defect(
    "ws-stats-missing",
    "The statistics of the WebSocket rooms are not served.",
    checks=("api/websocket:stats",),
    layout="B",
)


@STATS_MISSING.wraps(answer_stats)
async def answer_404(_: Callable[[Rooms], Awaitable[RoomStats]], /, rooms: Rooms) -> RoomStats:
    """Answer the request for the statistics with 404."""
    raise HTTPException(404)


STATS_FROZEN = Defect(
    "ws-stats-frozen",
    "The statistics of the WebSocket rooms are always zero.",
    checks=("api/websocket:counts",),
    layout="B",
)


@STATS_FROZEN.wraps(Rooms.stats)
async def count_nothing(_: Callable[[Rooms], Awaitable[RoomStats]], /, self: Rooms) -> RoomStats:
    """Return statistics of zero connections and rooms."""
    return RoomStats(total_connections=0, total_rooms=0, rooms={}, agents_connected=[])


STATS_KEEP_THE_GONE = Defect(
    "ws-stats-keep-the-gone",
    "The statistics of the WebSocket rooms count agents that have left.",
    checks=("api/websocket:counts",),
    layout="B",
)


@STATS_KEEP_THE_GONE.wraps(Rooms.leave)
def stay(
    _: Callable[[Rooms, str, str, WebSocket], None], /, self: Rooms, room: str, agent: str, socket: WebSocket
) -> None:
    """Keep an agent in its room although it has left."""


BROADCAST_EVERYWHERE = Defect(
    "ws-broadcast-everywhere",
    "A broadcast reaches the agents of every room.",
    checks=("api/websocket:broadcast",),
    layout="B",
)


@BROADCAST_EVERYWHERE.wraps(Rooms.broadcast)
async def broadcast_everywhere(
    broadcast: Callable[[Rooms, str, str, Frame], Awaitable[int]], /, self: Rooms, room: str, agent: str, frame: Frame
) -> int:
    """Send a frame to the agents of every room."""
    return sum([await broadcast(self, each, agent, frame) for each in (await self.stats()).rooms])


BROADCAST_LOST = Defect(
    "ws-broadcast-lost", "A broadcast reaches no agent.", checks=("api/websocket:broadcast",), layout="B"
)


@BROADCAST_LOST.wraps(Rooms.broadcast)
async def lose_broadcast(
    _: Callable[[Rooms, str, str, Frame], Awaitable[int]], /, self: Rooms, room: str, agent: str, frame: Frame
) -> int:
    """Send a frame to no agent."""
    return 0
