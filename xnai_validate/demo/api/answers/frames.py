"""Events as the frames of an event stream, with heartbeats while the model is silent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pydantic import JsonValue

from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

Event = dict[str, JsonValue]


@seam
def frames(
    settings: Settings, question: QueryRequest, events: AsyncGenerator[Event, None]
) -> AsyncGenerator[bytes, None]:
    """Each event as a frame, and a heartbeat whenever no event has come for `heartbeat_s`."""
    return _with_heartbeats(_encode(events), settings.times.heartbeat_s)


@seam
def heartbeat() -> bytes:
    """The comment that is sent while the model is silent."""
    return b": heartbeat\n\n"


def frame(event: Event) -> bytes:
    """One event on the wire: its JSON in one `data` line, ended by an empty line."""
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode("utf-8", "replace")


async def _encode(events: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes, None]:
    """Yield each event as a frame."""
    async with aclosing(events):
        async for event in events:
            yield frame(event)


async def _with_heartbeats(frames: AsyncGenerator[bytes, None], every_s: float) -> AsyncGenerator[bytes, None]:
    """Yield frames as they come, and a heartbeat whenever none has come for `every_s` seconds."""
    coming: asyncio.Task[bytes | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(frames))
            await asyncio.wait({coming}, timeout=every_s)
            if not coming.done():
                yield heartbeat()
                continue
            piece, coming = coming.result(), None
            if piece is None:
                return
            yield piece
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await frames.aclose()


async def _next(frames: AsyncGenerator[bytes, None]) -> bytes | None:
    """The next frame; None after the last."""
    return await anext(frames, None)
