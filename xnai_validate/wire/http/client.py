"""The HTTP client of the checkers: httpx on a transport of our own, bodies within bounds, each stage timed.

httpx sends the request and answers Digest challenges; `transport` keeps the connections, `network` has the sockets.
Proxies and credentials are those of the request: never those of the environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import lru_cache
from time import perf_counter
from types import TracebackType
from typing import Self

import httpx

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.results.exchange import RECORDER
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.connections.destination import Destination, without_userinfo
from xnai_validate.wire.http.connections.progress import Progress
from xnai_validate.wire.http.connections.transport import EXCHANGE, Exchange, Transport
from xnai_validate.wire.http.content_coding import decoder
from xnai_validate.wire.http.cookies import CookieJar, KeptCookies
from xnai_validate.wire.http.head import Head
from xnai_validate.wire.http.recording import BEGIN, END, HttpRecording
from xnai_validate.wire.http.redirects import redirected
from xnai_validate.wire.http.request import UNAUTHORIZED, HttpRequest, Prepared, prepare
from xnai_validate.wire.http.upload import pieces_of

__all__ = ["BODY_CAP", "HttpAnswer", "HttpClient", "HttpRequest", "HttpStream", "Timing"]

BODY_CAP = 1024 * 1024
TURN = 256
"""Pieces of a body after which others may run: a server may send it byte by byte."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one exchange took, in milliseconds."""

    connect_ms: float | None
    """Name look-up and TCP handshake; None on a connection that was open already."""
    tls_ms: float | None
    """TLS handshake; None without TLS and on a connection that was open already."""
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

    def __init__(self, exchange: Exchange, response: httpx.Response, recording: HttpRecording) -> None:
        assert exchange.head is not None
        assert exchange.body is not None
        self.head = exchange.head
        self.recording = recording
        self.progress = exchange.progress
        self.begun_again = False
        """Whether the request was sent again after a login: its times are those of the last exchange."""
        self.timing = Timing(exchange.progress.connect_ms, exchange.progress.tls_ms, exchange.first_byte_ms)
        self._body = exchange.body
        self._response = response
        prepared = exchange.prepared
        codings = prepared.accepted_codings
        self._decoder = None if prepared.method == "HEAD" else decoder(self.head.headers, codings)
        self._read = 0
        self._reads = 0

    async def read(self) -> bytes:
        """The next piece of the body, decoded; empty at the end of the body.

        A piece is a part of what one read of the socket brought: `arrivals` counts those reads.
        Raises WireError: `reset` where the body was cut, `protocol` where it is malformed.
        """
        try:
            piece = await self._next_piece()
        except WireError as error:
            self.recording.failure = error.detail
            raise
        self._record_piece(piece)
        return piece

    def _record_piece(self, piece: bytes) -> None:
        """Record a piece of the body: its size, and the begin and end of the whole."""
        kept = self.recording
        kept.until = perf_counter()
        kept.size += len(piece)
        if len(kept.begin) < BEGIN:
            kept.begin += piece[: BEGIN - len(kept.begin)]
        kept.end = (kept.end + piece[-END:])[-END:]

    async def _next_piece(self) -> bytes:
        """Return the next piece of the decoded body; empty at its end."""
        while True:
            await self._let_others_run()
            if self._decoder is None:
                return await self._body.read()
            if not self._decoder.waiting:
                if self._body.ended:
                    return b""
                self._decoder.feed(await self._body.read())
            piece = self._decoder.take()
            if self._body.ended and not self._decoder.waiting:
                piece += self._decoder.finish()
            if piece:
                return piece

    async def _let_others_run(self) -> None:
        """Yield to other tasks after many pieces of one read: none of them waited for the socket."""
        if self._reads != self.progress.reads:
            self._reads, self._read = self.progress.reads, 0
        self._read += 1
        if self._read % TURN == 0:
            await asyncio.sleep(0)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, piece by piece, as `read` returns it."""
        while piece := await self.read():
            yield piece

    @property
    def arrivals(self) -> int:
        """Reads of the socket so far, those of the headers included."""
        return self.progress.reads

    @property
    def ended(self) -> bool:
        """Whether the server ended the body as HTTP wants: last chunk, declared length, or close without a length."""
        return self._body.ended

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Keep the connection where the body was read to its end, else close it: so a client leaves a stream."""
        await self._response.aclose()


class HttpClient:
    """An HTTP client and its connections; that of the run is `await ctx.shared(("http",), HttpClient)`."""

    def __init__(self) -> None:
        self.cookies = KeptCookies()
        self._client = httpx.AsyncClient(transport=Transport(), trust_env=False, timeout=None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections that wait for a request."""
        await self._client.aclose()

    async def send(self, request: HttpRequest, progress: Progress | None = None) -> HttpStream:
        """Send a request and read the response's headers; close what it returns. Bound the time outside.

        `progress` is kept up to date, also where no response comes. An idempotent request may use a connection that was
        kept open, and is sent once more where the server has closed that one meanwhile. Raises WireError; Unmeasurable
        for a request that HTTP does not allow, and where the login of its session fails.

        With a session, a request that gets status 401 is sent once more after a new login.
        """
        session, progress = request.session, progress or Progress()
        if session is None:
            return await self._exchange(request, progress)
        credentials = await session.credentials()
        progress.restart()
        stream = await self._exchange(request.with_credentials(credentials), progress)
        if stream.head.status != UNAUTHORIZED:
            return stream
        renewed = await session.renewed(credentials, request.name)
        if renewed is None:
            return stream
        await stream.aclose()
        progress.restart()
        again = await self._exchange(request.with_credentials(renewed), progress)
        again.begun_again = True
        if again.head.status == UNAUTHORIZED:
            session.still_refused(request.name)
        return again

    async def _exchange(self, request: HttpRequest, progress: Progress) -> HttpStream:
        """Send one request, with the cookies that its target keeps, and read the headers of its response."""
        if request.jar:  # the target keeps cookies
            request = self.cookies.added_to(request)
        prepared = prepare(request)
        exchange = Exchange(prepared, request.fresh, progress)
        recording = HttpRecording(request, prepared, exchange.progress)
        RECORDER.get().append(recording)
        auth = httpx.DigestAuth(prepared.digest.user, prepared.digest.secret) if prepared.digest else None
        try:
            response = await self._client.send(_as_httpx_request(prepared, exchange), stream=True, auth=auth)
        except httpx.HTTPError as error:
            recording.failure = f"{type(error).__name__}: {error}"
            raise WireError(ErrorKind.PROTOCOL, recording.failure) from error
        except WireError as error:
            recording.failure = error.detail
            raise
        if request.jar and exchange.head:
            self.cookies.take(request, exchange.head)
        recording.head, recording.first_byte_ms = exchange.head, exchange.first_byte_ms
        return HttpStream(exchange, response, recording)

    async def fetch(
        self, request: HttpRequest, *, timeout_s: float, body_cap: int = BODY_CAP, redirects: int = 0
    ) -> HttpAnswer:
        """Send a request and read the whole response, following at most `redirects` redirections, within `timeout_s`.

        A failure after the headers is part of the answer (`failure`), one before them raises WireError.
        """
        reading = _Reading(request)
        try:
            async with asyncio.timeout(timeout_s):
                await self._follow(reading, body_cap, redirects)
        except TimeoutError:
            url = without_userinfo(reading.request.url)
            detail = f"no whole answer within {timeout_s:g} s from {url}: {reading.progress.unfinished}"
            late = WireError(ErrorKind.TIMEOUT, detail)
            if reading.stream is None:
                raise late from None
            reading.failure = late
            reading.stream.recording.failure = detail
        return reading.answer()

    async def _follow(self, reading: _Reading, body_cap: int, redirects: int) -> None:
        """Make a request and follow at most `redirects` redirections; what comes back goes to `reading`."""
        jar = CookieJar() if reading.request.keeps_cookies else None
        while True:
            stream = await self.send(reading.request, reading.progress)
            reading.stream, reading.size, reading.body = stream, 0, []
            if stream.begun_again and not reading.followed:
                reading.started = stream.progress.started
            try:
                await _read_body(reading, stream, body_cap)
            except WireError as failure:
                reading.failure = failure
                stream.recording.failure = failure.detail
            finally:
                await stream.aclose()
            following = redirected(reading.request, stream.head) if len(reading.followed) < redirects else None
            if following is None or reading.failure is not None:
                return
            if jar is not None:
                jar.take(reading.request, stream.head)
                following = jar.added_to(following)
            reading.followed.append(without_userinfo(following.url))
            reading.request = following
            reading.progress = Progress()
            reading.stream = None


@dataclass(slots=True)
class _Reading:
    """What `fetch` knows so far, also when its time is over."""

    request: HttpRequest
    started: float = field(default_factory=perf_counter)
    progress: Progress = field(default_factory=Progress)
    stream: HttpStream | None = None
    body: list[bytes] = field(default_factory=list)
    size: int = 0
    followed: list[str] = field(default_factory=list)
    failure: WireError | None = None

    def answer(self) -> HttpAnswer:
        """Return the response received so far; the stream must have begun."""
        assert self.stream is not None
        return HttpAnswer(
            self.stream.head,
            b"".join(self.body),
            self.stream.timing,
            (perf_counter() - self.started) * 1000,
            without_userinfo(self.request.url),
            tuple(self.followed),
            self.failure,
        )


async def _read_body(reading: _Reading, stream: HttpStream, body_cap: int) -> None:
    """Read the whole body. Raises WireError if it exceeds the cap."""
    while piece := await stream.read():
        room = body_cap - reading.size
        reading.body.append(piece[:room])
        reading.size += len(piece)
        if len(piece) > room:
            raise WireError(ErrorKind.TOO_LARGE, f"the body is larger than {body_cap} bytes")


def _as_httpx_request(prepared: Prepared, exchange: Exchange) -> httpx.Request:
    """Return the request as httpx takes it: with all its headers, and a body that can be sent again."""
    return httpx.Request(
        prepared.method,
        _url(prepared.to),
        headers=prepared.headers,
        stream=_Upload(prepared),
        extensions={EXCHANGE: exchange},
    )


@lru_cache(maxsize=256)
def _url(to: Destination) -> httpx.URL:
    """Where a request leads, as httpx takes it; checks ask for the same again and again."""
    try:
        return httpx.URL(scheme=to.scheme, host=to.host, port=to.port, raw_path=to.target)
    except httpx.InvalidURL as error:
        raise Unmeasurable(f"a url cannot be read: {error}", hint="see the target's url") from error


class _Upload(httpx.AsyncByteStream):
    """The body of a request in pieces; httpcore puts the chunks around them where it is sent chunked."""

    def __init__(self, prepared: Prepared) -> None:
        self._body = prepared.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in pieces_of(self._body):
            yield piece
