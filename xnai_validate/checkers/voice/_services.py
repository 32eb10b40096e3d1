"""A server that speaks or listens: over HTTP as OpenAI's API has it, or over Wyoming."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from time import perf_counter
from uuid import uuid4

from xnai_validate.checkers.voice import _wyoming
from xnai_validate.checkers.voice._models import Roundtrip
from xnai_validate.checkers.voice._recording import Recording, read
from xnai_validate.kit import Context, ErrorKind, NotApplicable, Target
from xnai_validate.wire.content import json_of, media_type
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest
from xnai_validate.wire.http.upload import Body, Padded

ANSWER_CAP = 64 * 1024
"""Bytes of an answer of speech to text."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text that was spoken; `status` is None over Wyoming."""

    status: int | None
    content_type: str | None
    total_ms: float
    sound: bytes
    recording: Recording | None
    """None where the answer is not success."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A recording that was listened to; `status` is None over Wyoming."""

    status: int | None
    total_ms: float
    text: str | None


@dataclass(frozen=True, slots=True)
class SpeechServers:
    """The server that speaks and the one that listens, asked within the time that is left."""

    client: HttpClient
    params: Roundtrip
    ctx: Context
    end_s: float

    async def speak(self, text: str, doing: str) -> Spoken:
        """Have a text spoken. Raises WireError."""
        target, params = self.ctx.target, self.params
        if target.scheme in _wyoming.SCHEMES:
            begun = perf_counter()
            async with asyncio.timeout(self._seconds_left(doing)):
                sound = await _wyoming.speak(target.host, target.port, text, params.recording_cap)
            return Spoken(None, None, _ms_since(begun), sound, await asyncio.to_thread(read, sound))
        fields = {"model": params.tts_model, "input": text, "voice": params.voice, "response_format": "wav"}
        body = json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogatepass")
        answer = await self._post(target, params.tts_path, body, "application/json", params.recording_cap, doing)
        kind = media_type(answer.head.headers).type
        good = 200 <= answer.head.status < 300
        recording = await asyncio.to_thread(read, answer.body) if good else None
        return Spoken(answer.head.status, kind, answer.total_ms, answer.body, recording)

    async def hear(self, sound: Body, doing: str) -> Heard:
        """Have a recording recognised. Raises WireError; NotApplicable for an upload that Wyoming does not have."""
        target, params = self._listener, self.params
        if target.scheme in _wyoming.SCHEMES:
            if isinstance(sound, Padded):
                raise NotApplicable("Wyoming has no upload whose size could be refused")
            begun = perf_counter()
            async with asyncio.timeout(self._seconds_left(doing)):
                text = await _wyoming.hear(target.host, target.port, sound, ANSWER_CAP)
            return Heard(None, _ms_since(begun), text)
        form, content_type = as_form(sound, params.stt_model)
        answer = await self._post(target, params.stt_path, form, content_type, ANSWER_CAP, doing)
        return Heard(answer.head.status, answer.total_ms, _recognised_text(answer))

    @property
    def _listener(self) -> Target:
        """The target that recognises speech."""
        name = self.params.recogniser
        return self.ctx.target if name is None else self.ctx.target_named(name)

    def _seconds_left(self, doing: str) -> float:
        """Report the progress and return the seconds left. Raises WireError (`timeout`) if the time is over."""
        self.ctx.progress(doing)
        left_s = self.end_s - self.ctx.clock.monotonic()
        if left_s <= 0:
            raise WireError(ErrorKind.TIMEOUT, f"the {self.params.timeout:g} s for all requests are over")
        return left_s

    async def _post(
        self, target: Target, path: str, body: Body, content_type: str, cap_bytes: int, doing: str
    ) -> HttpAnswer:
        """Send a POST request and return its response. Raises WireError."""
        left_s = self._seconds_left(doing)
        request = HttpRequest.of(
            target.join(path), "POST", headers=self.params.headers, body=body, content_type=content_type, target=target
        )
        answer = await self.client.fetch(request, timeout_s=left_s, body_cap=cap_bytes)
        if answer.failure is not None:
            raise answer.failure
        return answer


def as_form(sound: Body, model: str) -> tuple[Body, str]:
    """A recording as `multipart/form-data` (RFC 7578) with the fields model and file, and its content type."""
    boundary = uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="speech.wav"\r\n'
        "Content-Type: audio/wav\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    content_type = f"multipart/form-data; boundary={boundary}"
    if isinstance(sound, Padded):
        return Padded(head + sound.head, sound.filler, sound.count, sound.tail + tail), content_type
    return head + sound + tail, content_type


def _recognised_text(answer: HttpAnswer) -> str | None:
    """Return the recognised text of a response; None if it has none."""
    document, _ = json_of(answer.body)
    if not 200 <= answer.head.status < 300 or not isinstance(document, dict):
        return None
    text = document.get("text")
    return text if isinstance(text, str) else None


def _ms_since(begun: float) -> float:
    """Return the milliseconds since an instant."""
    return (perf_counter() - begun) * 1000
