"""The voice service, as a stack offers it over HTTP.

* `GET /health` -> `{status, stt_loaded, tts_loaded, degradation_level, level_name, active_sessions}`; level 1 is full,
  2 direct LLM, 3 template, 4 emergency.
* `POST /stt`, a WAV file as the body -> `{text, confidence, duration_ms}`; 400 for what is no recording, 413 above
  10 MB or 300 s.
* `POST /tts` `{text}` -> `audio/wav`, as long as the text demands; 400 for an empty text or above 2000 characters.

What `/tts` speaks, `/stt` understands word for word. Errors are the stack's envelope, with category `voice_service` for
the service's own failures. `X-Session-ID` names a session, which may ask 10 times a minute: beyond that 429
`rate_limited` with Retry-After. A call without the header belongs to no session and is not limited. Sessions are in
Redis as `xnai:voice:session:{id}`, JSON `{session_id, calls, last_call}`, for 3600 s; without Redis it goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from array import array
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


class Voice:
    """Handlers of the voice service."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
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
        if self._settings.broken("voice-degraded"):
            return JSONResponse(
                {
                    "status": "degraded",
                    "stt_loaded": False,
                    "tts_loaded": True,
                    "degradation_level": 3,
                    "level_name": "template",
                    "active_sessions": len(self._calls),
                }
            )
        return JSONResponse(
            {
                "status": "healthy",
                "stt_loaded": True,
                "tts_loaded": True,
                "degradation_level": 1,
                "level_name": "full",
                "active_sessions": len(self._calls),
            }
        )

    async def stt(self, request: Request) -> Response:
        """POST /stt"""
        await self._count_call(request)
        if self._settings.broken("voice-health-lies"):
            raise Refused(503, "voice_service", "Speech recognition is not available.", retry_after_s=30)
        raw = await self._body(request)
        try:
            recording = speech.parse(raw)
        except speech.NotAudio as error:
            if self._settings.broken("voice-accepts-anything"):
                return JSONResponse({"text": "(sound)", "confidence": 0.4, "duration_ms": 0.0})
            raise Refused(400, "validation", "The body is not a PCM recording in a WAV file.") from error
        if recording.duration_ms > LONGEST_MS and not self._settings.broken("voice-no-size-limit"):
            raise Refused(413, "validation", "The recording is longer than 300 seconds.")
        heard = await asyncio.to_thread(speech.recognise, recording)
        text = heard.text
        if self._settings.broken("voice-empty-text"):
            text = ""
        if self._settings.broken("voice-wrong-text"):
            text = "Thank you for watching."
        return JSONResponse(
            {"text": text, "confidence": heard.confidence, "duration_ms": round(recording.duration_ms, 2)}
        )

    async def tts(self, request: Request) -> Response:
        """POST /tts"""
        await self._count_call(request)
        try:
            wanted: object = json.loads(await self._body(request))
        except ValueError as error:
            raise Refused(400, "validation", "The body is not JSON.") from error
        text = wanted.get("text") if isinstance(wanted, dict) else None
        if self._settings.broken("voice-speaks-nothing") and not text:
            text = " "
        elif not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_TEXT:
            raise Refused(400, "validation", f"text must have 1 to {_LONGEST_TEXT} characters.")
        assert isinstance(text, str)
        return Response(await asyncio.to_thread(self._spoken, text), media_type="audio/wav")

    def _spoken(self, text: str) -> bytes:
        """The WAV file of a text, as the stack's defects have it."""
        if self._settings.broken("voice-fixed-length"):
            text = text[:4].ljust(4)
        sound = speech.synthesise(text)
        if self._settings.broken("voice-silence"):
            sound = speech.wav(array("h", bytes(len(sound) - 44)))
        if self._settings.broken("voice-truncated"):
            sound = sound[: 44 + (len(sound) - 44) // 2]
        return sound

    async def _body(self, request: Request) -> bytes:
        """The request's body, refused as soon as it is too long."""
        pieces = bytearray()
        async for piece in request.stream():
            pieces += piece
            if len(pieces) > LARGEST_BYTES and not self._settings.broken("voice-no-size-limit"):
                raise Refused(413, "validation", "The recording is larger than 10 MB.")
            if len(pieces) > 4 * LARGEST_BYTES:
                raise Refused(413, "validation", "The recording is far too large.")
        return bytes(pieces)

    async def _count_call(self, request: Request) -> None:
        """Note a call of a session and refuse it when there were too many in the last minute."""
        session = request.headers.get("x-session-id", "")[:100]
        if not session:
            return
        now = time.monotonic()
        if len(self._calls) >= _SESSIONS and session not in self._calls:
            del self._calls[next(iter(self._calls))]
        calls = self._calls.setdefault(session, deque(maxlen=CALLS_A_MINUTE))
        is_full = len(calls) == CALLS_A_MINUTE and now - calls[0] < 60
        if is_full and not self._settings.broken("voice-no-rate-limit"):
            wait_s = max(1, int(60 - (now - calls[0])) + 1)
            without = self._settings.broken("voice-no-retry-after")
            raise Refused(429, "rate_limited", "Too many requests of this session.", None if without else wait_s)
        calls.append(now)
        if not self._settings.broken("voice-no-session"):
            await self._remember(session, len(calls))

    async def _remember(self, session: str, calls: int) -> None:
        entry = json.dumps({"session_id": session, "calls": calls, "last_call": time.time()})
        lifetime = None if self._settings.broken("voice-session-forever") else SESSION_S
        with contextlib.suppress(RedisError, OSError):
            await self._redis.set(f"xnai:voice:session:{session}", entry, ex=lifetime)


async def _envelope(_request: Request, error: Exception) -> Response:
    """The stack's one shape of an error."""
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
