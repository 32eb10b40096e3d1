"""A speech server that hears or speaks wrongly."""

from __future__ import annotations

from array import array
from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services import speech
from xnai_validate.demo.services.voice import Refused, heard_in, not_a_recording, spoken, text_to_speak, transcription

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
    """Speak only the first four characters of a text, so that all speech is equally long."""
    return speak(text[:4].ljust(4))


ACCEPTS_ANYTHING = Defect(
    "voice-accepts-anything",
    "A body that is not a recording is recognised all the same.",
    checks=("voice/voice:not-sound",),
)


@ACCEPTS_ANYTHING.wraps(not_a_recording)
def some_sound(_: Callable[[speech.NotAudio], Response], /, error: speech.NotAudio) -> Response:
    """Answer a body that is not a recording with a recognised text."""
    return JSONResponse({"text": "(sound)"})


SPEAKS_NOTHING = Defect(
    "voice-speaks-nothing", "An empty text is synthesised instead of refused.", checks=("voice/voice:empty-text",)
)


@SPEAKS_NOTHING.wraps(text_to_speak)
def blank_for_nothing(text_to_speak: Callable[[object], str], /, sent: object) -> str:
    """Return a blank for an empty text, where an error is expected."""
    text = sent.get("input") if isinstance(sent, dict) else None
    return text_to_speak(sent) if text else " "


DEAF = Defect(
    "voice-deaf", "The server speaks, and every recording is answered with 503.", checks=("voice/roundtrip:accepted",)
)


@DEAF.wraps(transcription)
async def refuse(_: Callable[[Request], Awaitable[Response]], /, request: Request) -> Response:
    """Refuse every recording with 503."""
    raise Refused(503, "The recognition model could not be loaded.")
