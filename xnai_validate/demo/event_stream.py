"""A response that is sent as it is made, and stops being made when its reader leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send


class EventStream(Response):
    """Send each piece of `body` as soon as it exists; close the generator at once when the client has left.

    The generator is always closed before the response ends, so what its `finally` gives back is given back: the
    reader that leaves in the middle, the one that reads to the end and a server that stops all end there.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        body: AsyncGenerator[bytes, None],
        *,
        headers: Mapping[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        self._pieces = body
        self.status_code = 200
        self.background = None
        self.media_type = media_type or self.media_type
        self.init_headers({**(headers or {}), "content-type": self._content_type()})

    def _content_type(self) -> str:
        return f"{self.media_type}; charset=utf-8"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response over one ASGI connection, each piece as a body message with `more_body`."""
        sending = asyncio.create_task(self._send(send))
        watching = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({sending, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            sending.cancel()
            await asyncio.gather(sending, watching, return_exceptions=True)
            await self._pieces.aclose()
        if not sending.cancelled() and (failure := sending.exception()) is not None:
            raise failure

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for piece in self._pieces:
            if piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class HeedlessEventStream(EventStream):
    """A stream that is made to its end whether anybody reads it or not: what a defect needs, and nothing else."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and do not notice when the client leaves."""
        async with aclosing(self._pieces):
            await self._send(send)


async def _left(receive: Receive) -> None:
    """Return when the client has gone. What is left of the request's body is read past."""
    while (await receive())["type"] != "http.disconnect":
        pass
