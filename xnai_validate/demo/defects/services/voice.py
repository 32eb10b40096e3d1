"""A voice service that hears or speaks wrongly, or does not keep its limits."""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services import speech
from xnai_validate.demo.services.voice import (
    Refused,
    Voice,
    health_of,
    heard_in,
    is_limited,
    is_too_large,
    is_too_long,
    not_a_recording,
    session_lifetime_s,
    spoken,
    text_to_speak,
    too_many_calls,
)

DEGRADED = Defect(
    "voice-degraded",
    "Speech recognition could not be loaded; voice answers from templates.",
    checks=("voice/voice:health",),
).changes(
    health_of,
    lambda health: (
        health | {"status": "degraded", "stt_loaded": False, "degradation_level": 3, "level_name": "template"}
    ),
)

EMPTY_TEXT = Defect(
    "voice-empty-text", "Speech is recognised as an empty text.", checks=("voice/roundtrip:understood",)
).changes(heard_in, lambda heard: replace(heard, text=""))

WRONG_TEXT = Defect(
    "voice-wrong-text", "Every recording is recognised as the same words.", checks=("voice/roundtrip:understood",)
).changes(heard_in, lambda heard: replace(heard, text="Thank you for watching."))

SILENCE = Defect("voice-silence", "Synthesised speech is silence.", checks=("voice/roundtrip:audible",)).changes(
    spoken, lambda sound: speech.wav(array("h", bytes(len(sound) - 44)))
)

TRUNCATED = Defect(
    "voice-truncated", "Synthesised speech is shorter than its header states.", checks=("voice/roundtrip:whole",)
).changes(spoken, lambda sound: sound[: 44 + (len(sound) - 44) // 2])

FIXED_LENGTH = Defect(
    "voice-fixed-length",
    "Synthesised speech is as long for a paragraph as for a word.",
    checks=("voice/roundtrip:grows", "voice/roundtrip:understood", "voice/voice:speaks"),
)


@FIXED_LENGTH.wraps(spoken)
def speak_four_characters(speak: Callable[[str], bytes], /, text: str) -> bytes:
    return speak(text[:4].ljust(4))


NO_SIZE_LIMIT = (
    Defect("voice-no-size-limit", "Recordings above 10 MB are accepted.", checks=("voice/roundtrip:oversize",))
    .changes(is_too_large, lambda _: False)
    .changes(is_too_long, lambda _: False)
)

NO_RATE_LIMIT = Defect(
    "voice-no-rate-limit", "A session may call without limit.", checks=("voice/voice:rate-limit",)
).changes(is_limited, lambda _: False)

NO_RETRY_AFTER = Defect(
    "voice-no-retry-after",
    "A refusal for too many requests lacks the time to wait.",
    checks=("voice/voice:rate-limit",),
).changes(too_many_calls, lambda refused: Refused(refused.status, refused.category, refused.message))

ACCEPTS_ANYTHING = Defect(
    "voice-accepts-anything",
    "A body that is no recording is recognised all the same.",
    checks=("voice/voice:not-sound",),
)


@ACCEPTS_ANYTHING.wraps(not_a_recording)
def some_sound(_: Callable[[speech.NotAudio], Response], /, error: speech.NotAudio) -> Response:
    return JSONResponse({"text": "(sound)", "confidence": 0.4, "duration_ms": 0.0})


SPEAKS_NOTHING = Defect(
    "voice-speaks-nothing", "An empty text is synthesised instead of refused.", checks=("voice/voice:empty-text",)
)


@SPEAKS_NOTHING.wraps(text_to_speak)
def blank_for_nothing(text_to_speak: Callable[[object], str], /, sent: object) -> str:
    text = sent.get("text") if isinstance(sent, dict) else None
    return text_to_speak(sent) if text else " "


HEALTH_LIES = Defect(
    "voice-health-lies",
    "Health reports that the models are loaded while recognition answers 503.",
    checks=("voice/roundtrip:accepted",),
)


@HEALTH_LIES.wraps(Voice.recognise)
async def refuse(_: Callable[[Voice, Request], Awaitable[Response]], /, self: Voice, request: Request) -> Response:
    raise Refused(503, "voice_service", "Speech recognition is not available.", retry_after_s=30)


SESSION_FOREVER = Defect(
    "voice-session-forever", "Voice sessions in Redis never expire.", checks=("voice/voice:session-expires",)
).changes(session_lifetime_s, lambda _: None)

NO_SESSION = Defect(
    "voice-no-session", "Voice sessions are not kept in Redis.", checks=("voice/voice:session-expires",)
)


@NO_SESSION.wraps(Voice.remember)
async def remember_nothing(
    _: Callable[[Voice, str, int], Awaitable[None]], /, self: Voice, session: str, calls: int
) -> None:
    pass
