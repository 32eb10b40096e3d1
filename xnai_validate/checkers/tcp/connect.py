"""Checks of plain TCP: is the port open, does the connection last, what does the server send first."""

from __future__ import annotations

import asyncio
from typing import Annotated

from xnai_validate.kit import (
    Context,
    Duration,
    ErrorKind,
    Facts,
    Ge,
    Le,
    Milliseconds,
    Needs,
    NotApplicable,
    Params,
    checker,
)
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.connection import Dialled, Pipe, dial

BANNER_CAP = 1024
"""Characters of a banner that are kept."""


class Connect(Params):
    """Where to connect, and what to wait for afterwards."""

    host: str | None = None
    """The host; by default that of the target's url."""
    port: Annotated[int, Ge(1), Le(65535)] | None = None
    """The port; by default that of the target's url, or the usual one of its scheme."""
    timeout: Duration = 5.0
    """How long connecting may take, name look-up included."""
    hold: Duration = 0.0
    """How long the connection is to stay open without a byte from us; see `held`."""
    banner: Duration = 0.0
    """How long to wait for the first bytes of the server; see `banner`."""


class Connected(Facts):
    """Whether a connection came about, and what became of it."""

    error: ErrorKind | None
    """Why there is no connection: refused, timeout, dns, unreachable."""
    error_detail: str | None
    """The error in words."""
    connected: bool
    """Whether the handshake was completed."""
    connect_ms: Milliseconds | None
    """Name look-up and TCP handshake."""
    address: str | None
    """The address that answered."""
    held: Annotated[bool | None, Needs("hold")]
    """Whether the connection stayed open for the time of `hold`; null where none was asked for."""
    banner: Annotated[str | None, Needs("banner")]
    """The first bytes of the server as text, at most 1 024 characters; null where it sent none or `banner` is 0."""


@checker("tcp.connect", expect={"error": None}, from_workers=True)
async def connect(params: Connect, ctx: Context) -> Connected:
    """Open a TCP connection, hold it if wanted, and close it again.

    Each address of a name is tried in the resolver's order. No byte is sent. That a port must be closed is written
    `expect: {error: refused}`.

        kind: tcp.connect
        target: redis
        with: {timeout: 1s, hold: 500ms}
        expect: {held: true}
        warn: {connect_ms: {max: 20}}
    """
    host, port = _host_and_port(params, ctx)
    try:
        async with asyncio.timeout(params.timeout):
            dialled = await dial(host, port)
    except TimeoutError:
        return _facts_of_failure(
            WireError(ErrorKind.TIMEOUT, f"no connection to {host}:{port} within {params.timeout:g} s")
        )
    except WireError as failure:
        return _facts_of_failure(failure)
    try:
        return await _hold_connection(dialled, params, ctx)
    finally:
        dialled.pipe.abort()


async def _hold_connection(dialled: Dialled, params: Connect, ctx: Context) -> Connected:
    """Keep the connection for `hold` seconds, read its banner, and return the facts."""
    async with asyncio.TaskGroup() as tasks:
        banner = tasks.create_task(_read_banner(dialled.pipe, params.banner)) if params.banner else None
        if params.hold:
            await ctx.clock.sleep(params.hold)
    return Connected(
        error=None,
        error_detail=None,
        connected=True,
        connect_ms=dialled.connect_ms,
        address=dialled.address,
        held=not dialled.pipe.ended if params.hold else None,
        banner=banner.result() if banner else None,
    )


async def _read_banner(pipe: Pipe, wait_s: float) -> str | None:
    """Return what the server sends first within the time; None if it sends no bytes."""
    try:
        async with asyncio.timeout(wait_s):
            first = await pipe.read()
    except (TimeoutError, WireError):
        return None
    return first.decode("utf-8", "replace")[:BANNER_CAP] if first else None


def _host_and_port(params: Connect, ctx: Context) -> tuple[str, int]:
    """Return the host and port to connect to. Raises NotApplicable."""
    if params.host is not None and params.port is not None:
        return params.host, params.port
    target = ctx.target
    host, port = params.host or target.host, params.port or target.port
    if not host or not port:
        raise NotApplicable(f"target {target.name} has no host and port to connect to")
    return host, port


def _facts_of_failure(failure: WireError) -> Connected:
    """Return the facts of a connection that failed."""
    return Connected(
        error=failure.kind,
        error_detail=failure.detail,
        connected=False,
        connect_ms=None,
        address=None,
        held=None,
        banner=None,
    )
