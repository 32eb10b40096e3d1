"""The WebSocket of layout B: agents in rooms."""

from __future__ import annotations

import json
from collections import defaultdict

from aiohttp import WSMsgType, web

_ROOMS: defaultdict[str, dict[str, web.WebSocketResponse]] = defaultdict(dict)


async def stats(_: web.Request) -> web.Response:
    """Return the numbers of connections and rooms."""
    rooms = {room: len(agents) for room, agents in _ROOMS.items() if agents}
    agents = sorted({agent for members in _ROOMS.values() for agent in members})
    return web.json_response(
        {
            "total_connections": sum(rooms.values()),
            "total_rooms": len(rooms),
            "rooms": rooms,
            "agents_connected": agents,
        }
    )


async def connect(request: web.Request) -> web.WebSocketResponse:
    """Serve one agent until it leaves."""
    room, agent = request.match_info["room"], request.match_info["agent"]
    socket = web.WebSocketResponse(max_msg_size=65_536)
    await socket.prepare(request)
    _ROOMS[room][agent] = socket
    try:
        await socket.send_json({"type": "connected", "sender": "hub", "payload": {"room": room, "agent": agent}})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_json(await _reply(message.data, room, agent))
    finally:
        if _ROOMS[room].get(agent) is socket:
            del _ROOMS[room][agent]
        if not _ROOMS[room]:
            del _ROOMS[room]
    return socket


async def _reply(text: str, room: str, agent: str) -> dict[str, object]:
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return {"type": "error", "sender": "hub", "payload": {"message": "not JSON"}}
    if not isinstance(frame, dict):
        return {"type": "error", "sender": "hub", "payload": {"message": "not an object"}}
    kind = frame.get("type")
    answer: dict[str, object] = {"sender": "hub", "correlation_id": frame.get("correlation_id"), "payload": {}}
    if kind == "ping":
        return answer | {"type": "pong"}
    if kind == "status":
        return answer | {"type": "status_response", "payload": {"room": room, "agents": sorted(_ROOMS[room])}}
    if kind == "task":
        target = str(frame.get("target") or "")
        delivered = target in _ROOMS[room] and await _send(room, target, frame | {"sender": agent})
        return answer | {"type": "task_ack", "success": delivered, "payload": {"success": delivered}}
    if kind == "broadcast":
        others = [name for name in list(_ROOMS[room]) if name != agent]
        count = [await _send(room, name, frame | {"sender": agent}) for name in others].count(True)
        return answer | {"type": "broadcast_ack", "payload": {"recipients": count}}
    return answer | {"type": "warning", "payload": {"message": "unknown type"}}


async def _send(room: str, agent: str, frame: dict[str, object]) -> bool:
    socket = _ROOMS[room].get(agent)
    if socket is None or socket.closed:
        return False
    try:
        await socket.send_json(frame)
    except ConnectionResetError:
        return False
    return True
