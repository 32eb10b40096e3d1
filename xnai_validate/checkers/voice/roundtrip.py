"""`voice.roundtrip`: a text is spoken, the recording examined, and given back to be understood."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import dataclass

from xnai_validate.checkers.voice._models import Roundtrip, RoundTripped
from xnai_validate.checkers.voice._recording import Recording, read, silence
from xnai_validate.checkers.voice._words import match_ratio
from xnai_validate.kit import Context, ErrorKind, JsonValue, NotApplicable, checker
from xnai_validate.wire.content import json_of, media_type
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest
from xnai_validate.wire.http.upload import Body

ANSWER_CAP = 64 * 1024
"""Bytes of an answer of speech to text."""
TEXT_CAP = 2_000
"""Characters of a recognised text that are kept."""
GROWTH = 1.1
"""A longer text lasts more than this many times as long."""


@dataclass(frozen=True, slots=True)
class _Spoken:
    answer: HttpAnswer
    recording: Recording | None
    """None where the answer is no success."""


@dataclass(frozen=True, slots=True)
class _Heard:
    answer: HttpAnswer
    text: str | None
    confidence: float | None


@dataclass(slots=True)
class _Seen:
    """What has been measured so far, also when a request fails."""

    spoken: _Spoken | None = None
    longer: _Spoken | None = None
    heard: _Heard | None = None
    oversize_status: int | None = None
    failure: WireError | None = None


@checker("voice.roundtrip", expect={"error": None, "tts_status": 200, "wav_valid": True})
async def measure_roundtrip(params: Roundtrip, ctx: Context) -> RoundTripped:
    """Have a text spoken, and have what was spoken recognised again.

    A service that answers 200 may still be silent, cut its recordings short, or understand the same words in every
    sound. So the recording is read sample by sample (RIFF/WAVE, PCM), its header is compared with the bytes that came,
    and the words that come back are counted. The recording goes back as it came, whether or not it is valid. With
    `longer_text` a second text is spoken; with `oversize` a recording that is too large is offered. Requests follow one
    another; a connection that fails ends them.

        kind: voice.roundtrip
        target: voice
        with: {text: "The stack listens and answers.", timeout: 30s}
        expect: {silent: false, word_match_ratio: {min: 0.8}}
        warn: {tts_ms: {max: 2000}, stt_ms: {max: 5000}}
    """
    target = ctx.target
    if target.url is None:
        raise NotApplicable(f"target {target.name} has no url")
    service = _Service(await ctx.shared(("http",), HttpClient), params, ctx, ctx.clock.monotonic() + params.timeout)
    seen = _Seen()
    try:
        await _measure(service, params, seen)
    except WireError as failure:
        seen.failure = failure
    return _facts(params, seen)


@dataclass(frozen=True, slots=True)
class _Service:
    """The two things a voice service is asked, within the time that is left."""

    client: HttpClient
    params: Roundtrip
    ctx: Context
    end: float

    async def speak(self, text: str, doing: str) -> _Spoken:
        body = json.dumps({self.params.text_field: text}, ensure_ascii=False).encode("utf-8", "surrogatepass")
        cap = self.params.recording_cap
        answer = await self._post(self.params.tts_path, body, "application/json", cap, doing)
        if not 200 <= answer.head.status < 300:
            return _Spoken(answer, None)
        return _Spoken(answer, await asyncio.to_thread(read, answer.body))

    async def hear(self, recording: Body, doing: str) -> HttpAnswer:
        return await self._post(self.params.stt_path, recording, "audio/wav", ANSWER_CAP, doing)

    async def _post(self, path: str, body: Body, content_type: str, cap: int, doing: str) -> HttpAnswer:
        target, params = self.ctx.target, self.params
        self.ctx.progress(doing)
        left = self.end - self.ctx.clock.monotonic()
        if left <= 0:
            raise WireError(ErrorKind.TIMEOUT, f"{doing}: the {params.timeout:g} s for all requests are over")
        request = HttpRequest.of(
            target.join(path), "POST", headers=params.headers, body=body, content_type=content_type, target=target
        )
        try:
            answer = await self.client.fetch(request, timeout_s=left, body_cap=cap)
        except WireError as failure:
            raise WireError(failure.kind, f"{doing}: {failure.detail}") from failure
        if answer.failure is not None:
            raise WireError(answer.failure.kind, f"{doing}: {answer.failure.detail}") from answer.failure
        return answer


async def _measure(service: _Service, params: Roundtrip, seen: _Seen) -> None:
    seen.spoken = await service.speak(params.text, "speaking the text")
    if params.longer_text is not None:
        seen.longer = await service.speak(params.longer_text, "speaking the longer text")
    if params.recognise and seen.spoken.recording is not None and seen.spoken.answer.body:
        answer = await service.hear(seen.spoken.answer.body, "having the recording recognised")
        seen.heard = _heard(answer, params)
    if params.oversize is not None:
        answer = await service.hear(silence(params.oversize), "offering an oversized recording")
        seen.oversize_status = answer.head.status


def _heard(answer: HttpAnswer, params: Roundtrip) -> _Heard:
    document, _ = json_of(answer.body)
    if not 200 <= answer.head.status < 300 or not isinstance(document, dict):
        return _Heard(answer, None, None)
    text = document.get(params.heard_field)
    return _Heard(answer, text if isinstance(text, str) else None, _number(document.get("confidence")))


def _number(value: JsonValue) -> float | None:
    """A number of a JSON document that is one; JSON has numbers of any size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _facts(params: Roundtrip, seen: _Seen) -> RoundTripped:
    spoken, heard = seen.spoken, seen.heard
    recording = spoken.recording if spoken else None
    longer = seen.longer.recording if seen.longer else None
    return RoundTripped(
        error=seen.failure.kind if seen.failure else None,
        error_detail=seen.failure.detail if seen.failure else None,
        tts_status=spoken.answer.head.status if spoken else None,
        content_type=media_type(spoken.answer.head.headers).type if spoken else None,
        wav_valid=recording.problem is None if recording else None,
        wav_problem=recording.problem if recording else None,
        sample_rate_hz=recording.sample_rate_hz if recording else None,
        channels=recording.channels if recording else None,
        duration_ms=recording.duration_ms if recording else None,
        level_dbfs=recording.level_dbfs if recording else None,
        silent=recording.silent if recording else None,
        longer_status=seen.longer.answer.head.status if seen.longer else None,
        longer_duration_ms=longer.duration_ms if longer else None,
        duration_grows=_grows(recording, longer),
        stt_status=heard.answer.head.status if heard else None,
        text=heard.text[:TEXT_CAP] if heard and heard.text is not None else None,
        word_match_ratio=match_ratio(params.text, heard.text) if heard and heard.text is not None else None,
        confidence=heard.confidence if heard else None,
        oversize_status=seen.oversize_status,
        tts_ms=spoken.answer.total_ms if spoken else None,
        stt_ms=heard.answer.total_ms if heard else None,
    )


def _grows(recording: Recording | None, longer: Recording | None) -> bool | None:
    if recording is None or longer is None or recording.duration_ms is None or longer.duration_ms is None:
        return None
    return longer.duration_ms > GROWTH * recording.duration_ms
