"""`load.http`: the same request many times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated, Self

from xnai_validate.checkers._once import once
from xnai_validate.checkers._request import RequestParams
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.evidence import record_load
from xnai_validate.checkers.load._generator.figures import load_figures
from xnai_validate.checkers.load._generator.line import Line
from xnai_validate.checkers.load._generator.runner import Load, send
from xnai_validate.checkers.load._http.exchange import Exchange
from xnai_validate.checkers.load._http.request_bytes import request_bytes, verify, with_own_spans
from xnai_validate.checkers.load._models import LoadFacts, LoadParams, load_waits
from xnai_validate.checkers.load._prompts import Prompts, chosen_requests
from xnai_validate.kit import (
    BodyCap,
    Context,
    Count,
    Ge,
    Inner,
    Le,
    NotApplicable,
    Unmeasurable,
    Waits,
    checker,
    model_validator,
)
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import BODY_CAP, HttpClient
from xnai_validate.wire.http.connections.progress import Progress
from xnai_validate.wire.http.recording import HttpRecording
from xnai_validate.wire.http.request import Prepared, prepare
from xnai_validate.wire.http.session import authorized, renew_session
from xnai_validate.wire.net.connection import open_socket
from xnai_validate.wire.net.resolve import literal

BUFFER = 64 * 1024
"""Bytes that one read of a socket takes in at most."""
LOOK_S = 5.0
"""How long is looked for the address that answers."""


class HttpLoad(RequestParams, LoadParams):
    """The request, and how often it is made when."""

    success: list[Annotated[int, Ge(100), Le(599)]] | None = None
    """The statuses that are no error; by default 200 to 299."""
    body_cap: BodyCap = BODY_CAP
    """An answer of more bytes than this, on the wire, is an error: too_large."""
    prompts: Prompts | None = None
    """Texts of which each request has one, where `json` has `"{{prompt}}"`: `{words: {mean: 100}, seed: 1}`."""
    shared: bool = False
    """Whether checks with the same parameters share one measurement of the run, each judging figures of its own."""

    @model_validator(mode="after")
    def _verify_prompts(self) -> Self:
        """Raise ValueError if the body has no place for the prompts."""
        if self.prompts is not None:
            self.prompts.verify_body(self.json_)
        return self


class HttpLoadFacts(LoadFacts):
    """The figures of a load of HTTP requests."""

    retried_count: Count
    """Requests that were sent once more, since the server had closed the idle connection that they came on."""


def http_waits(params: HttpLoad, inner: Inner) -> Waits:
    """The times of a load, and whether equal checks share it."""
    return replace(load_waits(params, inner), shared="load.http" if params.shared else None)


@checker(
    "load.http",
    expect={"error_ratio": 0, "not_sent_count": 0, "ended_early": False},
    exclusive=True,
    extra="load",
    preload=("httptools",),
    waits=http_waits,
)
async def http(params: HttpLoad, ctx: Context) -> HttpLoadFacts:
    """Make an HTTP request many times, on a schedule or by virtual users, and measure how the stack performs.

    HTTP/1.1 with connections that are kept, without pipelining, redirections, proxies and cookies. Nothing else runs
    meanwhile. An idempotent request that came on an idle connection which the server had just closed is sent once more,
    on a new connection, if not one byte was answered; `retried_count` counts these. A time limit that holds although
    `too_slow_client` is true can be trusted; one that does not hold is an error then: this machine may be the cause.

        kind: load.http
        target: api
        timeout: 1m
        with: {path: /health, arrivals: {rate: 50}, for: 10s, warmup: 2s}
        expect: {error_ratio: {max: 0.001}, p99_ms: {max: 100}}
    """
    if params.shared:
        return await once("load.http", params, ctx, lambda: _measure(params, ctx))
    return await _measure(params, ctx)


async def _measure(params: HttpLoad, ctx: Context) -> HttpLoadFacts:
    """Prepare the request, run the load and return its figures."""
    target = ctx.target
    if not target.can_request(params.path):
        raise NotApplicable(f"target {target.name} has no url")
    request, client = params.request(target), await ctx.shared(("http",), HttpClient)
    await renew_session(request, client)
    prepared = prepare(await authorized(request, client))
    verify(prepared, "load.http")
    drive = Drive(params, ctx)
    success = frozenset(params.success if params.success is not None else range(200, 300))
    drive.wrong = lambda status: status not in success

    @asynccontextmanager
    async def lines() -> AsyncIterator[Callable[[], Line]]:
        try:
            from xnai_validate.checkers.load._http.httpline import HeadLine, HttpLine
        except ImportError as error:
            raise Unmeasurable("load.http needs httptools", hint="pip install 'xnai-validate[load]'") from error
        choose = await chosen_requests(params.prompts, params, target, client) if params.prompts else None
        choose = with_own_spans(prepared, choose)
        exchange = Exchange(prepared, request_bytes(prepared), await address(prepared), params.body_cap, choose)
        buffer = memoryview(bytearray(BUFFER))
        line = HeadLine if prepared.method == "HEAD" else HttpLine
        yield lambda: line(drive, exchange, buffer)

    await send(Load("load.http", params, ctx, drive, lines))
    record_load(drive, HttpRecording(request, prepared, Progress()))
    facts = HttpLoadFacts(**load_figures(drive), retried_count=drive.tally.retried)
    return facts.incomplete(drive.division.incomplete)


async def address(prepared: Prepared) -> str:
    """The address of the host that answers, so that no connection of the load waits for the resolver or tries another.

    It takes a connection to know that; the host itself where none comes about, for it may later.
    """
    if prepared.to.socket is not None or literal(prepared.to.host, prepared.to.port) is not None:
        return prepared.to.host
    try:
        async with asyncio.timeout(LOOK_S):
            sock, ip = await open_socket(prepared.to.host, prepared.to.port)
    except (WireError, TimeoutError):
        return prepared.to.host
    sock.close()
    return ip
