"""The endpoints of the rooms (layout B)."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from xnai_validate.demo.api.rooms.rooms import Rooms
from xnai_validate.demo.api.schemas import RoomStats
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.seams import seam


@seam
async def answer_stats(rooms: Rooms) -> RoomStats:
    """The rooms and the agents in them."""
    return await rooms.stats()


def router(services: Services) -> APIRouter:
    """The endpoints, for one application."""
    routes = APIRouter()
    rooms = services.rooms

    @routes.get("/ws/stats", response_model=RoomStats, summary="Who is connected by WebSocket")
    async def stats() -> RoomStats:
        """The rooms and the agents in them."""
        return await answer_stats(rooms)

    @routes.websocket("/ws/{room}/{agent_did}")
    async def connect(socket: WebSocket, room: str, agent_did: str) -> None:
        """One agent in one room."""
        await rooms.serve(socket, room, agent_did)

    return routes
