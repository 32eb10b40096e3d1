"""An upstream for tests of the gateway: a small application that stands in for every part behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket


class Upstream:
    """Echoes requests, streams, fails on demand, and counts the streams that are running."""

    def __init__(self) -> None:
        self.running = 0
        self.broke_off = 0
        self.calls = 0
        self.app = Starlette(
            routes=[
                Route("/ticks", self.ticks),
                Route("/xnai/api/v1/ticks", self.ticks),
                Route("/silence", self.silence),
                Route("/refuse", self.refuse),
                WebSocketRoute("/xnai/api/v1/ws", self.echo_frames),
                Route("/{path:path}", self.echo, methods=["GET", "POST", "HEAD"]),
            ]
        )

    async def echo(self, request: Request) -> Response:
        """Answer with what arrived."""
        self.calls += 1
        body = await request.body()
        received = {
            "target": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
            "port": request.url.port,
            "headers": dict(request.headers),
            "length": len(body),
            "calls": self.calls,
        }
        request_id = request.headers.get("x-request-id", "req_made-by-upstream")
        return JSONResponse(received, headers={"X-Request-ID": request_id})

    async def ticks(self, request: Request) -> Response:
        """An event stream of `n` frames, one every `every` seconds."""
        count = int(request.query_params.get("n", "20"))
        every = float(request.query_params.get("every", "0.05"))
        return StreamingResponse(self._frames(count, every), media_type="text/event-stream")

    async def _frames(self, count: int, every: float) -> AsyncIterator[str]:
        self.running += 1
        try:
            for number in range(count):
                yield f"data: {number}\n\n"
                await asyncio.sleep(every)
        except asyncio.CancelledError:
            self.broke_off += 1
            raise
        finally:
            self.running -= 1

    async def silence(self, _request: Request) -> Response:
        """Answer after a while."""
        await asyncio.sleep(0.4)
        return JSONResponse({})

    async def refuse(self, _request: Request) -> Response:
        """The stack's refusal while a breaker is open."""
        return JSONResponse({"category": "circuit_open"}, 503, {"Retry-After": "7"})

    async def echo_frames(self, socket: WebSocket) -> None:
        """Send every text frame back."""
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)
