"""A response that is sent as it is generated, and whose generation stops when its reader leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class EventStream(Response):
    """Send each piece of `body` as soon as it exists; close the generator at once when the client has left.

    The generator is always closed before the response ends, so what its `finally` releases is released: when the
    reader leaves in the middle, when it reads to the end, and when the server stops.
    """

    media_type = "text/event-stream"

    def __init__(self, body: AsyncGenerator[bytes, None], *, headers: Mapping[str, str] | None = None) -> None:
        self.pieces = body
        self.status_code = 200
        self.background = None
        self.init_headers({**(headers or {}), "content-type": f"{self.media_type}; charset=utf-8"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response over one ASGI connection, each piece as a body message with `more_body`."""
        sending = asyncio.create_task(self.send_pieces(send))
        leaving = asyncio.create_task(_client_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self.pieces.aclose()
        if not sending.cancelled() and (failure := sending.exception()) is not None:
            raise failure

    async def send_pieces(self, send: Send) -> None:
        """Send the head, every piece that is not empty, and the end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self.pieces:
            if piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _client_left(receive: Receive) -> None:
    """Return when the client has left; what is left of the request's body is discarded."""
    while (await receive())["type"] != "http.disconnect":
        pass
