"""One WebSocket session."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass, replace

from xnai_validate.checkers.websocket._connection import Closing, WebSocket, WebSocketClosed
from xnai_validate.checkers.websocket._handshake import Handshake, open_websocket
from xnai_validate.checkers.websocket._models import Frame, Message, SessionFacts, SessionParams, message_of
from xnai_validate.kit import Context, ErrorKind, JsonValue, Target, bounded, checker
from xnai_validate.wire.content import document_of
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient
from xnai_validate.wire.http.request import HttpRequest

_SCHEMES = {"ws": "http", "wss": "https"}
"""The handshake is an HTTP request (RFC 6455 section 4.1)."""
SKIPPED_CAP = 1_000
"""Messages that may be skipped while an answer is waited for."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A message from the server, as JSON or text; the frame is `none` if there was none in time."""

    document: JsonValue = None
    frame: Frame = "none"


class _Session:
    """A session as far as it has come."""

    def __init__(self, params: SessionParams) -> None:
        self.params = params
        self.handshake: Handshake | None = None
        self.socket: WebSocket | None = None
        self.failure: WireError | None = None
        self.closing: Closing | None = None
        self.greetings: list[_Answer] = []
        self.replies: list[_Answer] = []
        self.unanswered = 0
        self.roundtrip_ms: float | None = None
        self.skipped = 0
        self.survived: bool | None = None
        self.pong_ms: float | None = None

    async def run(self, target: Target, ctx: Context) -> None:
        """Everything from the handshake to the closing; every failure is kept."""
        params = self.params
        target = replace(target, url=_http_url(target.url), root=_http_url(target.root))
        url = target.join(params.path, at_root=params.root)
        request = HttpRequest.of(url, headers=params.headers, target=target)
        client = await ctx.shared(("http",), HttpClient)
        try:
            async with asyncio.timeout(params.timeout):
                self.handshake, self.socket = await open_websocket(
                    request, client, subprotocols=params.subprotocols, max_message=params.max_message
                )
                if self.socket is not None:
                    await self._talk(self.socket, ctx)
        except TimeoutError:
            self.failure = WireError(ErrorKind.TIMEOUT, f"the session was not over after {params.timeout:g} s")
        except WireError as failure:
            self.failure = failure
        finally:
            if self.socket is not None:
                self.closing = self.socket.closing
                self.socket.abort()

    async def _talk(self, socket: WebSocket, ctx: Context) -> None:
        """Read the greetings, send each message and read its reply, stay for a while, close."""
        planned = self.params.greetings + len(self.params.send)
        try:
            for _ in range(self.params.greetings):
                self.greetings.append(await self._answer(socket, ctx))
            for number, message in enumerate(self.params.send):
                if number and self.params.every:
                    await ctx.clock.sleep(self.params.every)
                started = ctx.clock.monotonic()
                socket.send(message_of(message))
                unanswered_before = self.unanswered
                self.replies.append(await self._answer(socket, ctx))
                if self.unanswered == unanswered_before:  # `_answer` counts a message without a reply
                    elapsed_ms = (ctx.clock.monotonic() - started) * 1000
                    self.roundtrip_ms = max(self.roundtrip_ms or 0.0, elapsed_ms)
            await self._stay(socket, ctx)
        except WebSocketClosed:
            self.survived = False
            # Greetings and messages that the session did not come to count as unanswered.
            self.unanswered += planned - len(self.greetings) - len(self.replies)
        except WireError:
            self.survived = False
            raise
        await socket.close()

    async def _answer(self, socket: WebSocket, ctx: Context) -> _Answer:
        """The next message whose type is not to be ignored."""
        try:
            async with asyncio.timeout(self.params.reply_timeout):
                while True:
                    answer = _read(await socket.receive())
                    if self._type(answer) not in self.params.ignore:
                        return answer
                    self.skipped += 1
                    if self.skipped > SKIPPED_CAP:
                        raise WireError(ErrorKind.TOO_LARGE, f"more than {SKIPPED_CAP} messages of ignored types")
        except TimeoutError:
            self.unanswered += 1
            return _Answer()

    async def _stay(self, socket: WebSocket, ctx: Context) -> None:
        """Keep the connection for `stay` seconds, then ping: the session survived if a pong comes."""
        if self.params.stay:
            try:
                async with asyncio.timeout(self.params.stay):
                    while True:  # reading on, so that the server's pings are answered
                        await socket.receive()
            except TimeoutError:
                pass
        try:
            async with asyncio.timeout(self.params.reply_timeout):
                self.pong_ms = await socket.ping()
                self.survived = True
        except TimeoutError:
            self.survived = False

    def _type(self, answer: _Answer) -> str:
        """The type in a message; empty without one."""
        document = answer.document
        type_ = document.get(self.params.type_field) if isinstance(document, dict) else None
        return type_[:100] if isinstance(type_, str) else ""

    def facts(self) -> SessionFacts:
        """Return the facts of the session, as far as it went."""
        error, detail = (None, None) if self.failure is None else (self.failure.kind, self.failure.detail)
        handshake = self.handshake
        if handshake is None:
            return SessionFacts(error=error, error_detail=detail)
        begun = SessionFacts(
            error=error,
            error_detail=detail,
            handshake_status=handshake.status,
            refusal=handshake.refusal,
            handshake_ms=handshake.elapsed_ms,
            subprotocol=handshake.subprotocol,
            headers=handshake.headers,
        )
        if self.socket is None:
            return begun
        closing = self.closing
        return begun.model_copy(
            update={
                "greetings": [bounded(greeting.document) for greeting in self.greetings],
                "greeting_frames": [greeting.frame for greeting in self.greetings],
                "greeting_types": [self._type(greeting) for greeting in self.greetings],
                "replies": [bounded(reply.document) for reply in self.replies],
                "reply_frames": [reply.frame for reply in self.replies],
                "reply_types": [self._type(reply) for reply in self.replies],
                "unanswered": self.unanswered,
                "roundtrip_ms": self.roundtrip_ms,
                "passed_over": self.skipped,
                "survived": self.survived,
                "pong_ms": self.pong_ms,
                "closed_by": closing.by if closing else None,
                "close_code": closing.code if closing else None,
                "close_reason": closing.reason if closing else None,
            }
        )


def _http_url(url: str | None) -> str | None:
    """Return the url with the scheme of HTTP instead of WebSocket."""
    scheme, separator, rest = (url or "").partition("://")
    return f"{_SCHEMES.get(scheme, scheme)}{separator}{rest}" if url else None


def _read(message: Message) -> _Answer:
    """A message as JSON or text; a binary one that is not UTF-8 as `{base64: ...}`."""
    if isinstance(message, str):
        return _Answer(_json_or_text(message), "text")
    try:
        return _Answer(_json_or_text(message.decode("utf-8")), "binary")
    except UnicodeDecodeError:
        return _Answer({"base64": b64encode(message).decode()}, "binary")


def _json_or_text(text: str) -> JsonValue:
    """Return the JSON document of a text, else the text."""
    document, is_json = document_of(text)
    return document if is_json else text


@checker(
    "websocket.session",
    expect={"error": None, "handshake_status": 101, "unanswered": 0, "survived": True},
    extra="websocket",
    preload=("websockets.asyncio.client",),
    from_workers=True,
)
async def session(params: SessionParams, ctx: Context) -> SessionFacts:
    """Open a WebSocket, send messages one by one, wait for the answer to each, and close.

    RFC 6455. A message from the server answers the last one that was sent, unless its type is among those to ignore. At
    the end a ping shows whether the connection is still alive, then it is closed as the protocol requires::

        kind: websocket.session
        with: {path: /ws/lobby/did:xnai:probe, root: true, greetings: 1, send: [{type: ping}, "{not json"]}
        expect: {greeting_types: [connected], reply_types: [pong, error], roundtrip_ms: {max: 200ms}}
    """
    progress = _Session(params)
    await progress.run(ctx.target, ctx)
    return progress.facts()
