"""A reverse proxy for HTTP/1.1 (RFC 9112) that spoils a share of the answers; event streams pass as they come."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any
from urllib.parse import urlsplit

import h11

from xnai_validate.faults._proxy.httpside import HttpSide
from xnai_validate.faults._proxy.side import CHUNK, DIAL_S, Cut, Side
from xnai_validate.faults._proxy.spoilers import Spoiler, Spoiling, Untouched
from xnai_validate.faults._proxy.spread import Spread
from xnai_validate.faults._proxy.toxics import Passing, relayed
from xnai_validate.kit import Tls
from xnai_validate.wire.net.tls import client_context

AHEAD = 4 * CHUNK
"""Bytes of later requests that are read while an answer is on its way."""
SAID = b'{"detail":"answered by http.fault of xnai-validate"}'


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """What an HTTP proxy is told."""

    host: str
    port: int
    """Where the target is."""
    authority: str
    """The Host that is asked for."""
    do: str
    status: int = 503
    retry_after_s: int | None = None
    after: int = 0
    remove: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    share: float = 1.0
    seed: int = 0
    tls: dict[str, Any] | None = None
    """How the target's TLS is spoken; None: it has none."""


class HttpProxy:
    """Serves connections; requests that are meant are counted, and a share of them is spoiled."""

    def __init__(self, spec: HttpSpec) -> None:
        self._spec = spec
        self._spread = Spread(spec.share, spec.seed)
        self._spoiling = Spoiling(spec.do, spec.after, tuple(spec.remove))

    async def serve(self, client: Side) -> None:
        """One connection to its end, request by request."""
        front = HttpSide(client, h11.SERVER)
        try:
            while await self._exchanged(front):
                front.state.start_next_cycle()
        except* h11.ProtocolError:
            raise Cut(reset=False) from None

    async def _exchanged(self, front: HttpSide) -> bool:
        """Serve a request; whether another may follow."""
        request = await front.next()
        if not isinstance(request, h11.Request):
            return False
        spoiler: Spoiler = Untouched()
        if self._is_meant(request) and self._spread.hit():
            if self._spec.do == "drop":
                raise Cut(reset=False)
            if self._spec.do == "status":
                return await self._answered(front)
            spoiler = self._spoiling.make()
        return await self._passed(front, request, spoiler)

    def _is_meant(self, request: h11.Request) -> bool:
        method, path = request.method.decode(), urlsplit(request.target.decode("latin-1")).path
        methods, paths = self._spec.methods, self._spec.paths
        return (not methods or method in methods) and (not paths or any(fnmatchcase(path, one) for one in paths))

    async def _answered(self, front: HttpSide) -> bool:
        """Answer in the target's place, after the request has been read."""
        while not front.state.they_are_waiting_for_100_continue:
            event = await front.next()
            if not isinstance(event, h11.Data):
                break
        headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(SAID))]
        if self._spec.retry_after_s is not None:
            headers.append((b"Retry-After", b"%d" % self._spec.retry_after_s))
        await front.send(h11.Response(status_code=self._spec.status, headers=headers))
        if self._spec.status not in (204, 304):
            await front.send(h11.Data(data=SAID))
        await front.send(h11.EndOfMessage())
        return _may_go_on(front)

    async def _passed(self, front: HttpSide, request: h11.Request, spoiler: Spoiler) -> bool:
        """Pass a request on by a connection of its own, and its answer back."""
        back = HttpSide(await self._dial(), h11.CLIENT)
        try:
            headers = [(n, v) for n, v in request.headers.raw_items() if n.lower() != b"host"]
            headers.insert(0, (b"Host", self._spec.authority.encode()))
            await back.send(h11.Request(method=request.method, target=request.target, headers=headers))
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(_asked(front, back))
                switched = await _told(back, front, spoiler)
                asking.cancel()
            if not switched:
                return _may_go_on(front)
            await back.side.send(front.state.trailing_data[0])
            await front.side.send(back.state.trailing_data[0])
            await relayed(front.side, back.side, Passing(), Passing(), Random(0), Random(0))
            return False
        finally:
            back.side.close()

    async def _dial(self) -> Side:
        spec = self._spec
        tls = Tls(**spec.tls) if spec.tls is not None else None
        context = client_context(tls) if tls else None
        name = (tls.server_name or spec.host) if tls else None
        async with asyncio.timeout(DIAL_S):
            return Side(
                *await asyncio.open_connection(spec.host, spec.port, limit=CHUNK, ssl=context, server_hostname=name)
            )


async def _asked(front: HttpSide, back: HttpSide) -> None:
    """Pass the body of a request on, then watch whether the client leaves: the target is to know it too."""
    while not isinstance(event := await front.next(), h11.EndOfMessage):
        if not isinstance(event, h11.Data):
            raise Cut(reset=True)
        with suppress(OSError):  # a target may answer before it has read all, and close
            await back.send(event)
    with suppress(OSError):
        await back.send(event)
    kept = 0
    while kept < AHEAD:
        data = await front.side.read()
        if not data:
            raise Cut(reset=True)
        front.state.receive_data(data)
        kept += len(data)


async def _told(back: HttpSide, front: HttpSide, spoiler: Spoiler) -> bool:
    """Pass an answer back, each piece when it comes; whether another protocol follows (101)."""
    while True:
        event = await back.next()
        if isinstance(event, h11.InformationalResponse):
            await front.send(event)
            if event.status_code == 101:
                return True
        elif isinstance(event, h11.Response):
            headers = spoiler.head(list(event.headers.raw_items()))
            await front.send(h11.Response(status_code=event.status_code, headers=headers, reason=event.reason))
        elif isinstance(event, h11.Data):
            data = spoiler.body(bytes(event.data))
            await (front.side.send(data) if spoiler.raw else front.send(h11.Data(data=data)))
            if spoiler.spent():
                raise Cut(reset=False)
        elif isinstance(event, h11.EndOfMessage):
            if spoiler.raw:
                raise Cut(reset=False)
            await front.send(event)
            return False
        else:
            raise Cut(reset=True)


def _may_go_on(front: HttpSide) -> bool:
    return front.state.our_state is h11.DONE and front.state.their_state is h11.DONE
