"""Speech in small: text becomes tones in a WAV file, and such a file becomes the same text again.

Sixteen tones spell the four-bit halves of the UTF-8 bytes, 20 ms each, after a leading tone of 40 ms. The frequencies
are multiples of 1 / 20 ms, so that the tones are orthogonal over a symbol and a correlation distinguishes them exactly.
WAV: RIFF, format 1 (PCM), 16 bit, mono (Microsoft, "Multimedia Programming Interface and Data Specifications 1.0").
"""

from __future__ import annotations

import io
import math
import struct
import wave
from array import array
from dataclasses import dataclass
from operator import mul

RATE_HZ = 16_000
"""Sampling rate of synthesised speech."""
_SYMBOL = RATE_HZ // 50
_LEAD = 2 * _SYMBOL
_BASE_HZ, _STEP_HZ, _LEAD_HZ = 600, 100, 2600
_AMPLITUDE = 12_000
_QUIET = 200
"""Peak below which a recording is silence."""
_SPELLED_BYTES = 2000
"""Longest text that is recognised, in bytes."""


class NotAudio(ValueError):
    """The bytes are not a PCM recording in a WAV file."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A mono recording: samples of 16 bits."""

    rate_hz: int
    samples: array[int]

    @property
    def duration_ms(self) -> float:
        """Length in milliseconds."""
        return 1000 * len(self.samples) / self.rate_hz


@dataclass(frozen=True, slots=True)
class Heard:
    """What was recognised, with a confidence from 0 to 1."""

    text: str
    confidence: float


def _tone(hertz: int, samples: int) -> array[int]:
    """Return the samples of a sine wave."""
    step = 2 * math.pi * hertz / RATE_HZ
    return array("h", (int(_AMPLITUDE * math.sin(step * n)) for n in range(samples)))


_TONES = [_tone(_BASE_HZ + _STEP_HZ * n, _SYMBOL) for n in range(16)]
_LEAD_TONE = _tone(_LEAD_HZ, _LEAD)


def synthesise(text: str) -> bytes:
    """Speak a text: a WAV file whose length grows with the text, 40 ms a byte."""
    samples = array("h", _LEAD_TONE)
    for byte in text.encode():
        samples.extend(_TONES[byte >> 4])
        samples.extend(_TONES[byte & 15])
    return wav(samples)


def wav(samples: array[int]) -> bytes:
    """The samples as a WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def parse(raw: bytes) -> Recording:
    """Read a WAV file of 16-bit PCM; of several channels the first is kept. Raises NotAudio."""
    try:
        with wave.open(io.BytesIO(raw), "rb") as file:
            if file.getsampwidth() != 2 or file.getframerate() < 1000:
                raise NotAudio("only 16-bit PCM at 1 kHz or more is understood")
            frames = file.readframes(file.getnframes())
            if len(frames) < 2 * file.getnchannels() * file.getnframes():
                raise NotAudio("the recording is shorter than its header states")
            samples = array("h", frames)
            return Recording(file.getframerate(), samples[:: file.getnchannels()])
    except (wave.Error, EOFError, struct.error, ValueError) as error:
        raise NotAudio(str(error) or "no WAV file") from error


def recognise(recording: Recording) -> Heard:
    """Recognise a recording: what `synthesise` has spoken, word for word; silence is an empty text.

    Any other sound is heard as `(sound)`, with little confidence.
    """
    samples = recording.samples
    if not samples or max(max(samples), -min(samples)) < _QUIET:
        return Heard("", 0.0)
    if recording.rate_hz != RATE_HZ or not _begins_with_lead(samples):
        return Heard("(sound)", 0.2)
    spelled = bytearray()
    end = min(len(samples), _LEAD + 2 * _SYMBOL * _SPELLED_BYTES)
    for start in range(_LEAD, end - 2 * _SYMBOL + 1, 2 * _SYMBOL):
        spelled.append(_nearest(samples, start) << 4 | _nearest(samples, start + _SYMBOL))
    try:
        return Heard(spelled.decode(), 0.97)
    except UnicodeDecodeError:
        return Heard("(sound)", 0.2)


def _begins_with_lead(samples: array[int]) -> bool:
    """Whether a recording begins with the lead tone of our own speech, by correlation."""
    lead = samples[:_LEAD]
    likeness = sum(map(mul, lead, _LEAD_TONE))
    energy = math.sqrt(sum(map(mul, lead, lead)) * sum(map(mul, _LEAD_TONE, _LEAD_TONE)))
    return len(lead) == _LEAD and likeness > 0.8 * energy


def _nearest(samples: array[int], start: int) -> int:
    """The tone that a symbol resembles most."""
    symbol = samples[start : start + _SYMBOL]
    scores = [sum(map(mul, symbol, tone)) for tone in _TONES]
    return scores.index(max(scores))
