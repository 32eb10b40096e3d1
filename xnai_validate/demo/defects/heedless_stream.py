"""An event stream that does not notice when its reader leaves."""

from __future__ import annotations

from contextlib import aclosing

from starlette.types import Receive, Scope, Send

from xnai_validate.demo.event_stream import EventStream


class HeedlessEventStream(EventStream):
    """A stream that is generated to its end whether its reader is still there or not."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response, and do not notice when the client leaves."""
        async with aclosing(self.pieces):
            await self.send_pieces(send)
