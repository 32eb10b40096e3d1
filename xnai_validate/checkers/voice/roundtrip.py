"""`voice.roundtrip`: have a text spoken, examine the recording, and have the recording recognised as text again."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.checkers.voice._models import Roundtrip, RoundTripped
from xnai_validate.checkers.voice._recording import Recording, silence
from xnai_validate.checkers.voice._services import Heard, SpeechServers, Spoken
from xnai_validate.checkers.voice._words import match_ratio
from xnai_validate.kit import Context, ErrorKind, NotApplicable, checker
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient

TEXT_CAP = 2_000
"""Characters of a recognised text that are kept."""
GROWTH = 1.1
"""A longer text lasts more than this many times as long."""


@dataclass(slots=True)
class _Measured:
    """What has been measured so far, also when a request fails."""

    spoken: Spoken | None = None
    longer: Spoken | None = None
    heard: Heard | None = None
    oversize_status: int | None = None
    failure: WireError | None = None
    doing: str = ""


@checker("voice.roundtrip", expect={"error": None, "wav_valid": True})
async def measure_roundtrip(params: Roundtrip, ctx: Context) -> RoundTripped:
    """Have a text spoken, and have what was spoken recognised again.

    The server speaks OpenAI's audio API over HTTP (speaches, LocalAI, openedai-speech), or, under a url `tcp://` or
    `wyoming://`, the Wyoming protocol (Piper and Whisper of Home Assistant, which are two servers: see `recogniser`).
    A service that answers may still be silent, cut its recordings short, or understand the same words in every sound.
    So the recording is read sample by sample (RIFF/WAVE, PCM), its header is compared with the bytes that came, and the
    words that come back are counted. The recording goes back as it came, whether or not it is valid. With
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
    end_s = ctx.clock.monotonic() + params.timeout
    servers = SpeechServers(await ctx.shared(("http",), HttpClient), params, ctx, end_s)
    measured = _Measured()
    try:
        await _measure(servers, params, measured)
    except WireError as failure:
        measured.failure = WireError(failure.kind, f"{measured.doing}: {failure.detail}")
    except TimeoutError:
        detail = f"{measured.doing}: no answer within the {params.timeout:g} s for all requests"
        measured.failure = WireError(ErrorKind.TIMEOUT, detail)
    return _facts_of(params, measured)


async def _measure(servers: SpeechServers, params: Roundtrip, measured: _Measured) -> None:
    """Have the text spoken and recognised, step by step; each result is kept for the case that a later step fails."""
    measured.doing = "speaking the text"
    measured.spoken = spoken = await servers.speak(params.text, measured.doing)
    if params.longer_text is not None:
        measured.doing = "speaking the longer text"
        measured.longer = await servers.speak(params.longer_text, measured.doing)
    if params.recognise and spoken.recording is not None and spoken.sound:
        measured.doing = "having the recording recognised"
        measured.heard = await servers.hear(spoken.sound, measured.doing)
    if params.oversize is not None:
        measured.doing = "offering an oversized recording"
        measured.oversize_status = (await servers.hear(silence(params.oversize), measured.doing)).status


def _facts_of(params: Roundtrip, measured: _Measured) -> RoundTripped:
    """Return the facts of what was measured."""
    spoken, heard = measured.spoken, measured.heard
    recording = spoken.recording if spoken else None
    longer = measured.longer.recording if measured.longer else None
    return RoundTripped(
        error=measured.failure.kind if measured.failure else None,
        error_detail=measured.failure.detail if measured.failure else None,
        tts_status=spoken.status if spoken else None,
        content_type=spoken.content_type if spoken else None,
        wav_valid=recording.problem is None if recording else None,
        wav_problem=recording.problem if recording else _refusal(spoken),
        sample_rate_hz=recording.sample_rate_hz if recording else None,
        channels=recording.channels if recording else None,
        duration_ms=recording.duration_ms if recording else None,
        level_dbfs=recording.level_dbfs if recording else None,
        silent=recording.silent if recording else None,
        longer_status=measured.longer.status if measured.longer else None,
        longer_duration_ms=longer.duration_ms if longer else None,
        duration_grows=_duration_grows(recording, longer),
        stt_status=heard.status if heard else None,
        text=heard.text[:TEXT_CAP] if heard and heard.text is not None else None,
        word_match_ratio=match_ratio(params.text, heard.text) if heard and heard.text is not None else None,
        oversize_status=measured.oversize_status,
        tts_ms=spoken.total_ms if spoken else None,
        stt_ms=heard.total_ms if heard else None,
    )


def _refusal(spoken: Spoken | None) -> str | None:
    """Why there is no recording: the status that the server answered with."""
    return None if spoken is None else f"the request to speak the text got status {spoken.status}"


def _duration_grows(recording: Recording | None, longer: Recording | None) -> bool | None:
    """Return whether the longer text makes a longer recording; None if that is unknown."""
    if recording is None or longer is None or recording.duration_ms is None or longer.duration_ms is None:
        return None
    return longer.duration_ms > GROWTH * recording.duration_ms
