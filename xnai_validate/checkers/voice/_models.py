"""Parameters and facts of `voice.roundtrip`."""

from __future__ import annotations

from typing import Annotated, Self

from xnai_validate.checkers._http_fields import HttpHeaders, HttpPath
from xnai_validate.checkers.voice._words import words
from xnai_validate.kit import (
    Count,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Le,
    Milliseconds,
    Needs,
    Params,
    Ratio,
    Size,
    model_validator,
)


class Roundtrip(Params):
    """What is spoken, and what is done with the recording."""

    text: str
    """What is spoken, and recognised again. Avoid numerals and abbreviations: recognition may spell them otherwise."""
    longer_text: str | None = None
    """A text of at least twice as many words, spoken too, to compare how long the two recordings last."""
    recognise: bool = True
    """Whether the recording of `text` is sent to be recognised."""
    oversize: Annotated[Size, Le(64 * 1024 * 1024)] | None = None
    """A valid recording of silence with more bytes than this is sent to be recognised, at most 64 MiB."""
    tts_path: HttpPath = "/v1/audio/speech"
    """Where text becomes speech : POST `{model, input, voice, response_format: wav}`, answered by a WAV file."""
    stt_path: HttpPath = "/v1/audio/transcriptions"
    """Where speech becomes text over HTTP: POST of a form with `file` and `model`, `{text}` is answered."""
    tts_model: str = "tts-1"
    """The model that speaks."""
    voice: str = "alloy"
    """Its voice; over Wyoming the server's own is taken."""
    stt_model: str = "whisper-1"
    """The model that listens."""
    recogniser: str | None = None
    """The target that listens, if it is another server, as with Wyoming; by default the one that speaks."""
    headers: HttpHeaders = Field(default_factory=dict)
    """Headers of every HTTP request; the content type is that of what is sent."""
    recording_cap: Size = 16 * 1024 * 1024
    """A recording of more bytes than this is not read: too_large."""
    timeout: Duration = 20.0
    """How long all requests together may take."""

    @model_validator(mode="after")
    def _verify_params(self) -> Self:
        """Raise ValueError for params by which a recording could not be judged."""
        spoken = len(words(self.text))
        if not spoken:
            raise ValueError("text has no word in it, so nothing of it could be recognised")
        if self.longer_text is not None and len(words(self.longer_text)) < 2 * spoken:
            raise ValueError(f"longer_text needs at least twice the words of text, that is {2 * spoken}")
        if any(name.lower() == "content-type" for name in self.headers):
            raise ValueError("headers are those of every request, and each has a content type of its own")
        return self


class RoundTripped(Facts):
    """What was spoken and what was understood; what was not reached is null."""

    error: ErrorKind | None
    """Why a request had no whole answer; the first that had none ends the measurement."""
    error_detail: str | None
    """The request and its error in words."""
    tts_status: Count | None
    """The status code of speaking `text`; null over Wyoming."""
    content_type: str | None
    """The media type of the recording, without parameters, in lower case."""
    wav_valid: bool | None
    """Whether the recording is a WAV file of PCM samples whose header declares what came; null without one."""
    wav_problem: str | None
    """Why the recording is not a valid WAV file, in words."""
    sample_rate_hz: Count | None
    """Samples a second, by its header."""
    channels: Count | None
    """Channels, by its header."""
    duration_ms: Milliseconds | None
    """How long the samples last that came, whatever the header declares."""
    level_dbfs: float | None
    """The RMS of all samples without their mean, in dB; 0 is a square wave of full scale; null where it is silent."""
    silent: bool | None
    """Whether the recording is not louder than -60 dBFS; null where no samples could be read."""
    longer_status: Annotated[Count | None, Needs("longer_text")]
    """The status code of speaking `longer_text`."""
    longer_duration_ms: Annotated[Milliseconds | None, Needs("longer_text")]
    """How long the recording of `longer_text` lasts."""
    duration_grows: Annotated[bool | None, Needs("longer_text")]
    """Whether it lasts more than a tenth longer than that of `text`; less can be chance in how a text is spoken."""
    stt_status: Annotated[Count | None, Needs("recognise")]
    """The status code of having the recording recognised; null over Wyoming."""
    text: Annotated[str | None, Needs("recognise")]
    """What was recognised, its first 2 000 characters; null where the answer has no such field."""
    word_match_ratio: Annotated[Ratio | None, Needs("recognise")]
    """The share of the words of the spoken text that were recognised, whatever their order and case.

    A word is a run of letters and digits, apostrophes left out; one spoken twice must be recognised twice; additional
    words do no harm.
    """
    oversize_status: Annotated[Count | None, Needs("oversize")]
    """The status code of having the oversized recording recognised."""
    tts_ms: Milliseconds | None
    """How long speaking `text` took, from connecting to the last byte of the recording."""
    stt_ms: Annotated[Milliseconds | None, Needs("recognise")]
    """How long recognising it took, from connecting to the last byte of the answer."""
