"""The voice service, as a stack offers it over HTTP.

* `GET /health` -> `{status, stt_loaded, tts_loaded, degradation_level, level_name, active_sessions}`; level 1 is full,
  2 direct LLM, 3 template, 4 emergency.
* `POST /stt`, a WAV file as the body -> `{text, confidence, duration_ms}`; 400 for another body, 413 above 10 MB or
  300 s.
* `POST /tts` `{text}` -> `audio/wav`, as long as the text demands; 400 for an empty text or above 2000 characters.

`/stt` understands word for word what `/tts` speaks. Errors are the stack's envelope, with category `voice_service` for
the service's own failures. `X-Session-ID` names a session, which may call 10 times a minute: beyond that 429
`rate_limited` with Retry-After. A call without the header belongs to no session and is not limited. Sessions are in
Redis as `xnai:voice:session:{id}`, JSON `{session_id, calls, last_call}`, for 3600 s; without Redis it goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services import speech
from xnai_validate.demo.services.reconnect import ONCE_MORE
from xnai_validate.demo.settings import Settings

LARGEST_BYTES = 10 * 1024 * 1024
LONGEST_MS = 300_000
CALLS_A_MINUTE = 10
SESSION_S = 3600
_SESSIONS = 1000
"""Sessions whose calls are remembered."""
_LONGEST_TEXT = 2000


class Refused(Exception):
    """An answer that is an error of the stack's envelope."""

    def __init__(self, status: int, category: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.retry_after_s = retry_after_s


@seam
def health_of(active_sessions: int) -> dict[str, object]:
    """The health report."""
    return {
        "status": "healthy",
        "stt_loaded": True,
        "tts_loaded": True,
        "degradation_level": 1,
        "level_name": "full",
        "active_sessions": active_sessions,
    }


@seam
def is_too_large(size_bytes: int) -> bool:
    """Whether a body is refused for its size."""
    return size_bytes > LARGEST_BYTES


@seam
def is_too_long(recording: speech.Recording) -> bool:
    """Whether a recording is refused for its duration."""
    return recording.duration_ms > LONGEST_MS


@seam
def heard_in(recording: speech.Recording) -> speech.Heard:
    """What is recognised in a recording."""
    return speech.recognise(recording)


@seam
def not_a_recording(error: speech.NotAudio) -> Response:
    """The response to a body that is no recording."""
    raise Refused(400, "validation", "The body is not a PCM recording in a WAV file.") from error


@seam
def spoken(text: str) -> bytes:
    """The WAV file of a text."""
    return speech.synthesise(text)


@seam
def text_to_speak(sent: object) -> str:
    """The text in the body of a request. Raises Refused."""
    text = sent.get("text") if isinstance(sent, dict) else None
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_TEXT:
        raise Refused(400, "validation", f"text must have 1 to {_LONGEST_TEXT} characters.")
    return text


@seam
def too_many_calls(wait_s: int) -> Refused:
    """The error for a session that calls too often."""
    return Refused(429, "rate_limited", "Too many requests of this session.", wait_s)


@seam
def is_limited(calls: deque[float], now: float) -> bool:
    """Whether a session with calls at these times must wait."""
    return len(calls) == CALLS_A_MINUTE and now - calls[0] < 60


@seam
def session_lifetime_s() -> int | None:
    """Seconds that a session is kept in Redis."""
    return SESSION_S


class Voice:
    """Handlers of the voice service."""

    def __init__(self, settings: Settings) -> None:
        self._calls: dict[str, deque[float]] = {}
        self._redis = Redis(
            port=settings.redis_port,
            password=settings.redis_password,
            retry=ONCE_MORE,
            socket_timeout=1.0,
            socket_connect_timeout=1.0,
        )

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Close the connection to Redis at the end."""
        yield
        await self._redis.aclose()

    async def health(self, _request: Request) -> Response:
        """GET /health"""
        return JSONResponse(health_of(len(self._calls)))

    async def stt(self, request: Request) -> Response:
        """POST /stt"""
        await self._count_call(request)
        return await self.recognise(request)

    @seam
    async def recognise(self, request: Request) -> Response:
        """Recognise the recording in a request. Raises Refused."""
        raw = await self._body(request)
        try:
            recording = speech.parse(raw)
        except speech.NotAudio as error:
            return not_a_recording(error)
        if is_too_long(recording):
            raise Refused(413, "validation", "The recording is longer than 300 seconds.")
        heard = await asyncio.to_thread(heard_in, recording)
        return JSONResponse(
            {"text": heard.text, "confidence": heard.confidence, "duration_ms": round(recording.duration_ms, 2)}
        )

    async def tts(self, request: Request) -> Response:
        """POST /tts"""
        await self._count_call(request)
        try:
            sent: object = json.loads(await self._body(request))
        except ValueError as error:
            raise Refused(400, "validation", "The body is not JSON.") from error
        return Response(await asyncio.to_thread(spoken, text_to_speak(sent)), media_type="audio/wav")

    async def _body(self, request: Request) -> bytes:
        """The request's body, refused as soon as it is too long."""
        pieces = bytearray()
        async for piece in request.stream():
            pieces += piece
            if is_too_large(len(pieces)):
                raise Refused(413, "validation", "The recording is larger than 10 MB.")
            if len(pieces) > 4 * LARGEST_BYTES:
                raise Refused(413, "validation", "The recording is far too large.")
        return bytes(pieces)

    async def _count_call(self, request: Request) -> None:
        """Count a call of a session. Raises Refused if there were too many in the last minute."""
        session = request.headers.get("x-session-id", "")[:100]
        if not session:
            return
        now = time.monotonic()
        if len(self._calls) >= _SESSIONS and session not in self._calls:
            del self._calls[next(iter(self._calls))]
        calls = self._calls.setdefault(session, deque(maxlen=CALLS_A_MINUTE))
        if is_limited(calls, now):
            raise too_many_calls(max(1, int(60 - (now - calls[0])) + 1))
        calls.append(now)
        await self.remember(session, len(calls))

    @seam
    async def remember(self, session: str, calls: int) -> None:
        """Keep a session in Redis."""
        entry = json.dumps({"session_id": session, "calls": calls, "last_call": time.time()})
        with contextlib.suppress(RedisError, OSError):
            await self._redis.set(f"xnai:voice:session:{session}", entry, ex=session_lifetime_s())


async def _envelope(_request: Request, error: Exception) -> Response:
    """The response to an error, in the shape that the stack has for all errors."""
    assert isinstance(error, Refused)
    request_id = f"req_{uuid4()}"
    headers = {"X-Request-ID": request_id}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    body = {
        "error_code": f"{error.category}_{'voice' if error.category == 'validation' else error.status}",
        "message": error.message,
        "category": error.category,
        "http_status": error.status,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "details": {},
        "recovery_suggestion": "Try again later." if error.retry_after_s else "Check the request and send it again.",
        "request_id": request_id,
    }
    return JSONResponse(body, error.status, headers)


def create(settings: Settings) -> Starlette:
    """The application on the port `voice`."""
    voice = Voice(settings)
    return Starlette(
        routes=[
            Route("/health", voice.health),
            Route("/stt", voice.stt, methods=["POST"]),
            Route("/tts", voice.tts, methods=["POST"]),
        ],
        exception_handlers={Refused: _envelope},
        lifespan=voice.lifespan,
    )
