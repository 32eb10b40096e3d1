"""Recordings for tests of voice services."""

from __future__ import annotations

import io
import math
import wave
from array import array

RATE_HZ = 16_000


def wav(samples: bytes, *, width: int = 2, channels: int = 1, rate_hz: int = RATE_HZ) -> bytes:
    """A WAV file as the standard library writes it."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(samples)
    return out.getvalue()


def tone(ms: float, *, amplitude: int = 16_000) -> bytes:
    """A recording of a 500 Hz tone."""
    wave_form = (int(amplitude * math.sin(math.pi * n / 16)) for n in range(int(RATE_HZ * ms / 1000)))
    return wav(array("h", wave_form).tobytes())
