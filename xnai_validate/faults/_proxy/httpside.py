"""One side of a proxied connection that speaks HTTP/1.1, by h11."""

from __future__ import annotations

import h11

from xnai_validate.faults._proxy.side import Side

Event = h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]


class HttpSide:
    """A side and its state in the protocol. Data that is not HTTP raises h11.RemoteProtocolError."""

    def __init__(self, side: Side, role: type[h11.CLIENT] | type[h11.SERVER]) -> None:
        self.side, self.state = side, h11.Connection(role)

    async def next(self) -> Event:
        """Return the next event (never NEED_DATA) as soon as it is there, also a piece of a body."""
        while True:
            event = self.state.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.state.receive_data(await self.side.read())

    async def send(self, event: h11.Event) -> None:
        """Send an event at once; the headers decide the framing of the body."""
        data = self.state.send(event)
        if data:
            await self.side.send(data)
