"""HTTP/1.1 for checkers: requests with their timings, bodies within bounds, connections kept for the next request.

Built on asyncio alone, for a check must cost well under a millisecond: the pools of HTTP client libraries cost more
than the exchange itself, and grow quadratically with their connections. No proxies and no cookies,
on purpose: what is measured is the server that the target names.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from time import perf_counter
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.text import looks_secret
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.exchange import Exchange
from xnai_validate.wire.http.http1 import Head
from xnai_validate.wire.http.request import IDEMPOTENT, HttpRequest, Prepared, leads_somewhere, prepare, shown
from xnai_validate.wire.net.connection import dial
from xnai_validate.wire.net.tls import client_context

__all__ = ["BODY_CAP", "HttpAnswer", "HttpClient", "HttpRequest", "HttpStream", "Timing"]

BODY_CAP = 1024 * 1024
IDLE_CAP = 8
"""Connections kept open between requests, for each server."""
SERVERS_CAP = 32
IDLE_S = 30.0
REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one exchange took, in milliseconds."""

    connect_ms: float | None
    """Name look-up and TCP handshake; None on a connection that was there already."""
    tls_ms: float | None
    """TLS handshake; None without TLS and on a connection that was there already."""
    first_byte_ms: float
    """From the beginning of the request, connecting included, to the end of the response's headers."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A response, read to its end or to the bound."""

    head: Head
    body: bytes
    """Content as decoded; at most the cap."""
    timing: Timing
    total_ms: float
    """From the beginning of the (first) request to the end of the (last) body."""
    url: str
    """The url that gave this response; no url here carries user and password."""
    redirects: tuple[str, ...]
    """The urls that were followed, in order."""
    failure: WireError | None
    """Why the body is not whole: cut, too large, not in time, not decodable."""


class HttpStream:
    """A response whose body is still to be read: `async with await client.send(request) as stream`."""

    def __init__(self, exchange: Exchange, head: Head, timing: Timing) -> None:
        self.head = head
        self.timing = timing
        self._exchange = exchange
        self._closed = False

    async def read(self) -> bytes:
        """The next piece of the body, decoded: what one read of the socket gave; empty at the end of the body.

        Raises WireError: `reset` where the body was cut, `protocol` where it is malformed.
        """
        return await self._exchange.read()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, piece by piece, as `read` gives it."""
        while piece := await self._exchange.read():
            yield piece

    @property
    def ended(self) -> bool:
        """Whether the server ended the body as HTTP wants: last chunk, declared length, or close without a length."""
        return self._exchange.ended

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Keep the connection where the body was read to its end, else close it: so a client leaves a stream."""
        if not self._closed:
            self._closed = True
            self._exchange.close()


class HttpClient:
    """An HTTP client and its connections; that of the run is `await ctx.shared(("http",), HttpClient)`."""

    def __init__(self) -> None:
        self._idle: OrderedDict[object, list[Exchange]] = OrderedDict()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections that wait for a request."""
        idle = [exchange for kept in self._idle.values() for exchange in kept]
        self._idle.clear()
        async with asyncio.TaskGroup() as tasks:
            for exchange in idle:
                tasks.create_task(exchange.pipe.aclose())

    async def send(self, request: HttpRequest) -> HttpStream:
        """Send a request and read the response's headers; close what it returns. The caller bounds the time.

        An idempotent request may use a connection that was kept; if the server has closed that one meanwhile, the
        request is sent once more, on a new one. A request that may have an effect always has a new one, for it must not
        be sent twice (RFC 9110 section 9.2.2). Raises WireError; Unmeasurable for a request that HTTP does not allow.
        """
        started = perf_counter()
        prepared = prepare(request)
        kept = self._take(prepared) if prepared.method in IDEMPOTENT and not request.fresh else None
        if kept is not None:
            try:
                head = await kept.begin(prepared)
                return HttpStream(kept, head, Timing(None, None, (perf_counter() - started) * 1000))
            except WireError:
                if not kept.silent:
                    raise
        context = client_context(prepared.tls) if prepared.scheme == "https" else None
        dialled = await dial(prepared.host, prepared.port, context=context, server_name=prepared.tls.server_name)
        exchange = Exchange(dialled.pipe, self._keep)
        head = await exchange.begin(prepared)
        return HttpStream(exchange, head, Timing(dialled.connect_ms, dialled.tls_ms, (perf_counter() - started) * 1000))

    async def fetch(
        self, request: HttpRequest, *, timeout_s: float, body_cap: int = BODY_CAP, redirects: int = 0
    ) -> HttpAnswer:
        """Send a request and read the whole response, following at most `redirects` redirections, within `timeout_s`.

        A failure after the headers is part of the answer (`failure`), one before them raises WireError.
        """
        reading = _Reading(request, perf_counter())
        try:
            async with asyncio.timeout(timeout_s):
                await self._follow(reading, body_cap, redirects)
        except TimeoutError:
            late = WireError(
                ErrorKind.TIMEOUT, f"no whole answer within {timeout_s:g} s from {shown(reading.request.url)}"
            )
            if reading.stream is None:
                raise late from None
            reading.failure = late
        return reading.answer()

    async def _follow(self, reading: _Reading, body_cap: int, redirects: int) -> None:
        while True:
            stream = await self.send(reading.request)
            reading.stream, reading.size, reading.body = stream, 0, []
            try:
                await _read_all(reading, stream, body_cap)
            except WireError as failure:
                reading.failure = failure
            finally:
                stream.close()
            following = _next(reading.request, stream.head) if len(reading.followed) < redirects else None
            if following is None or reading.failure is not None:
                return
            reading.followed.append(shown(following.url))
            reading.request = following
            reading.stream = None

    def _take(self, prepared: Prepared) -> Exchange | None:
        kept = self._idle.get(prepared.server)
        while kept:
            exchange = kept.pop()
            if exchange.pipe.usable and perf_counter() - exchange.idle_since < IDLE_S:
                return exchange
            exchange.pipe.abort()
        return None

    def _keep(self, exchange: Exchange) -> None:
        """Called by an exchange that has ended and whose connection can serve another."""
        kept = self._idle.setdefault(exchange.server, [])
        if len(kept) >= IDLE_CAP:
            exchange.pipe.abort()
            return
        kept.append(exchange)
        if len(self._idle) > SERVERS_CAP:
            _, surplus = self._idle.popitem(last=False)
            for old in surplus:
                old.pipe.abort()


class _Reading:
    """What `fetch` knows so far, also when its time is over."""

    __slots__ = ("body", "failure", "followed", "request", "size", "started", "stream")

    def __init__(self, request: HttpRequest, started: float) -> None:
        self.request = request
        self.started = started
        self.stream: HttpStream | None = None
        self.body: list[bytes] = []
        self.size = 0
        self.followed: list[str] = []
        self.failure: WireError | None = None

    def answer(self) -> HttpAnswer:
        """The answer as far as it has come; there is a stream by now."""
        assert self.stream is not None
        return HttpAnswer(
            self.stream.head,
            b"".join(self.body),
            self.stream.timing,
            (perf_counter() - self.started) * 1000,
            shown(self.request.url),
            tuple(self.followed),
            self.failure,
        )


async def _read_all(reading: _Reading, stream: HttpStream, body_cap: int) -> None:
    while piece := await stream.read():
        room = body_cap - reading.size
        reading.body.append(piece[:room])
        reading.size += len(piece)
        if len(piece) > room:
            raise WireError(ErrorKind.TOO_LARGE, f"the body is larger than {body_cap} bytes")


def _next(request: HttpRequest, head: Head) -> HttpRequest | None:
    """The request that a redirection asks for (RFC 9110 section 15.4); None where it asks for none that we follow."""
    location = head.headers.get("location")
    if head.status not in REDIRECTS or not location:
        return None
    try:
        url = urljoin(request.url, location)
        here, there = urlsplit(request.url), urlsplit(url)
        same = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
    except ValueError:
        return None
    if there.scheme not in ("http", "https") or not leads_somewhere(url):
        return None
    following = replace(request, url=url)
    if head.status == 303 or (head.status in (301, 302) and request.method.upper() == "POST"):
        method = "HEAD" if request.method.upper() == "HEAD" else "GET"
        following = replace(following, method=method, body=b"", headers=_without(request.headers, ("content-type",)))
    if not same:  # what proves who we are is for the target alone
        own = ("cookie", "host", *(name.lower() for name, _ in request.headers if looks_secret(name)))
        tls = replace(request.tls, server_name=None, cert=None, key=None)
        following = replace(following, headers=_without(following.headers, own), tls=tls)
    return following


def _without(headers: tuple[tuple[str, str], ...], names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for pair in headers if pair[0].lower() not in names)
