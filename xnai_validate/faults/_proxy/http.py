"""A reverse proxy for HTTP/1.1 (RFC 9112) that changes a share of the answers; event streams pass without delay."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any
from urllib.parse import urlsplit

import h11

from xnai_validate.faults._proxy.answer_changes import AnswerChange, Unchanged, new_change
from xnai_validate.faults._proxy.httpside import HttpSide
from xnai_validate.faults._proxy.side import CHUNK, CONNECT_S, Cut, Side
from xnai_validate.faults._proxy.spread import Spread
from xnai_validate.faults._proxy.toxics import Unaffected, relay
from xnai_validate.kit import Tls
from xnai_validate.wire.net.names import tls_name
from xnai_validate.wire.net.tls import client_context

PIPELINE_CAP = 4 * CHUNK
"""Bytes of later requests that are read while an answer is on its way."""
ANSWER = b'{"detail":"answered by http.fault of xnai-validate"}'


@dataclass(frozen=True, slots=True)
class HttpSpec:
    """The settings of an HTTP proxy."""

    host: str
    port: int
    """The address of the target."""
    authority: str
    """The Host header of requests to the target."""
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
    """The TLS settings of the target; None for plain TCP."""


class HttpProxy:
    """Serves connections: counts the matching requests, and changes the answers of a share of them."""

    def __init__(self, spec: HttpSpec) -> None:
        self._spec = spec
        self._spread = Spread(spec.share, spec.seed)

    async def serve(self, client: Side) -> None:
        """Serve a connection to its end, request by request."""
        front = HttpSide(client, h11.SERVER)
        try:
            while await self._exchange(front):
                front.state.start_next_cycle()
        except* h11.ProtocolError:
            raise Cut(reset=False) from None

    async def _exchange(self, front: HttpSide) -> bool:
        """Serve a request; return whether another may follow."""
        request = await front.next()
        if not isinstance(request, h11.Request):
            return False
        change: AnswerChange = Unchanged()
        if self._matches(request) and self._spread.hit():
            if self._spec.do == "drop":
                raise Cut(reset=False)
            if self._spec.do == "status":
                return await self._answer(front)
            change = new_change(self._spec.do, self._spec.after, self._spec.remove)
        return await self._forward(front, request, change)

    def _matches(self, request: h11.Request) -> bool:
        """Whether a request has one of the methods and paths to which the fault applies."""
        method, path = request.method.decode(), urlsplit(request.target.decode("latin-1")).path
        methods, paths = self._spec.methods, self._spec.paths
        return (not methods or method in methods) and (
            not paths or any(fnmatchcase(path, pattern) for pattern in paths)
        )

    async def _answer(self, front: HttpSide) -> bool:
        """Answer instead of the target, after the request has been read."""
        while not front.state.they_are_waiting_for_100_continue:
            event = await front.next()
            if not isinstance(event, h11.Data):
                break
        headers = [(b"Content-Type", b"application/json"), (b"Content-Length", b"%d" % len(ANSWER))]
        if self._spec.retry_after_s is not None:
            headers.append((b"Retry-After", b"%d" % self._spec.retry_after_s))
        await front.send(h11.Response(status_code=self._spec.status, headers=headers))
        if self._spec.status not in (204, 304):
            await front.send(h11.Data(data=ANSWER))
        await front.send(h11.EndOfMessage())
        return _is_reusable(front)

    async def _forward(self, front: HttpSide, request: h11.Request, change: AnswerChange) -> bool:
        """Forward a request on a connection of its own, and its answer; return whether another may follow."""
        back = HttpSide(await self._connect(), h11.CLIENT)
        try:
            headers = [(n, v) for n, v in request.headers.raw_items() if n.lower() != b"host"]
            headers.insert(0, (b"Host", self._spec.authority.encode()))
            await back.send(h11.Request(method=request.method, target=request.target, headers=headers))
            async with asyncio.TaskGroup() as group:
                request_body = group.create_task(_forward_request(front, back))
                switched = await _forward_answer(back, front, change)
                request_body.cancel()
            if not switched:
                return _is_reusable(front)
            await back.side.send(front.state.trailing_data[0])
            await front.side.send(back.state.trailing_data[0])
            await relay(front.side, back.side, Unaffected(), Unaffected(), Random(0), Random(0))
            return False
        finally:
            back.side.close()

    async def _connect(self) -> Side:
        """Connect to the target, with TLS if it speaks TLS. Raises OSError and TimeoutError."""
        spec = self._spec
        tls = Tls(**spec.tls) if spec.tls is not None else None
        context = client_context(tls) if tls else None
        name = tls_name(tls.server_name or spec.host) if tls else None
        async with asyncio.timeout(CONNECT_S):
            return Side(
                *await asyncio.open_connection(spec.host, spec.port, limit=CHUNK, ssl=context, server_hostname=name)
            )


async def _forward_request(front: HttpSide, back: HttpSide) -> None:
    """Forward the body of a request, then raise Cut when the client disconnects, so that the target notices it too."""
    while not isinstance(event := await front.next(), h11.EndOfMessage):
        if not isinstance(event, h11.Data):
            raise Cut(reset=True)
        with suppress(OSError):  # a target may answer before it has read all, and close
            await back.send(event)
    with suppress(OSError):
        await back.send(event)
    kept = 0
    while kept < PIPELINE_CAP:
        data = await front.side.read()
        if not data:
            raise Cut(reset=True)
        front.state.receive_data(data)
        kept += len(data)


async def _forward_answer(back: HttpSide, front: HttpSide, change: AnswerChange) -> bool:
    """Forward an answer, each piece when it arrives; return whether another protocol follows (101)."""
    while True:
        event = await back.next()
        if isinstance(event, h11.InformationalResponse):
            await front.send(event)
            if event.status_code == 101:
                return True
        elif isinstance(event, h11.Response):
            headers = change.head(list(event.headers.raw_items()))
            await front.send(h11.Response(status_code=event.status_code, headers=headers, reason=event.reason))
        elif isinstance(event, h11.Data):
            data = change.body(bytes(event.data))
            await (front.side.send(data) if change.raw else front.send(h11.Data(data=data)))
            if change.is_over():
                raise Cut(reset=False)
        elif isinstance(event, h11.EndOfMessage):
            if change.raw:  # what was sent does not fit the headers: only the end of the connection ends it
                raise Cut(reset=False)
            await front.send(event)
            return False
        else:
            raise Cut(reset=True)


def _is_reusable(front: HttpSide) -> bool:
    """Whether both sides have finished their message, so that the connection can carry another."""
    return front.state.our_state is h11.DONE and front.state.their_state is h11.DONE
