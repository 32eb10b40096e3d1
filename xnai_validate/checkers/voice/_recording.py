"""A WAV file as it came from a server: whether it is whole, how long it lasts, and how loud it is.

RIFF/WAVE with PCM samples of 8 to 32 bits (Microsoft and IBM, "Multimedia Programming Interface and Data Specifications
1.0", 1991), also under the extensible header (`WAVE_FORMAT_EXTENSIBLE`). Nothing in the header is believed: lengths are
compared with the bytes that came, and what is read is bounded by them.
"""

from __future__ import annotations

import io
import math
import struct
import sys
import wave
from array import array
from dataclasses import dataclass
from operator import mul

from xnai_validate.wire.http.upload import Padded

SILENT_DBFS = -60.0
"""What is not louder than this is silence: a thousandth of full scale, far below any speech."""
SILENCE_RATE_HZ = 48_000
_CHUNKS = 64
_OPEN_LENGTHS = (0, 0xFFFFFFFF)
"""What programs write that do not know the length yet and never come back to write it."""
_EXTENSIBLE = b"\xfe\xff"
_PCM = b"\x01\x00"
_PCM_SUBFORMAT = bytes.fromhex("0100000000001000800000aa00389b71")


@dataclass(frozen=True, slots=True)
class Recording:
    """What a WAV file holds, as far as it could be read."""

    problem: str | None
    """Why it is not a whole recording, in words."""
    sample_rate_hz: int | None = None
    channels: int | None = None
    duration_ms: float | None = None
    """Of the samples that came, whatever the header declares."""
    level_dbfs: float | None = None
    """The RMS of all samples without their mean; 0 is a square wave of full scale; None where it is silent."""

    @property
    def silent(self) -> bool | None:
        """Whether the recording is silent; None where no sample could be read."""
        return None if self.duration_ms is None else self.level_dbfs is None


def read(raw: bytes) -> Recording:
    """Read a WAV file from its bytes; what is wrong with it is in `problem`; never raises."""
    try:
        chunks = _chunks(raw)
    except _Unreadable as error:
        return Recording(str(error))
    problem = _length_problem(raw, chunks)
    try:
        with wave.open(io.BytesIO(_plain(raw, chunks)), "rb") as file:
            width, channels, rate_hz = file.getsampwidth(), file.getnchannels(), file.getframerate()
            frames = file.readframes(len(raw) // (width * channels))
    except (wave.Error, EOFError, RuntimeError) as error:  # RuntimeError: a chunk that leaves the file it stands in
        return Recording(problem or f"the header cannot be read: {error or 'it ends too early'}")
    if width > 4 or rate_hz == 0:
        return Recording(f"the header claims {8 * width} bits a sample at {rate_hz} Hz, which no player supports")
    surplus = len(frames) % (width * channels)
    frames = frames[: len(frames) - surplus]
    count = len(frames) // (width * channels)
    if surplus:
        problem = problem or "the samples end within a frame"
    if not count:
        problem = problem or "there are no samples"
    return Recording(problem, rate_hz, channels, 1000 * count / rate_hz, _level_dbfs(frames, width))


def silence(size_bytes: int) -> Padded:
    """A valid WAV file of silence with more than that many bytes of samples: mono, 16 bit, 48 kHz.

    The high rate keeps it short in time, so that it is its size that a service has to refuse.
    """
    samples = 2 * (size_bytes // 2 + 1)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, SILENCE_RATE_HZ, 2 * SILENCE_RATE_HZ, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", samples)
    return Padded(struct.pack("<4sI", b"RIFF", len(body) + samples) + body, b"\0", samples)


class _Unreadable(ValueError):
    """There is no way to the samples."""


def _chunks(raw: bytes) -> dict[bytes, tuple[int, int]]:
    """The chunks up to the samples, name -> where it begins and its declared length; raises _Unreadable."""
    if not raw:
        raise _Unreadable("there is no file: the body is empty")
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise _Unreadable(f"it does not begin with a RIFF/WAVE header, but with {raw[:12].decode('latin-1')!r}")
    chunks: dict[bytes, tuple[int, int]] = {}
    at = 12
    for _ in range(_CHUNKS):
        if at + 8 > len(raw):
            break
        name, size = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "little")
        chunks.setdefault(name, (at + 8, size))
        if name == b"data":
            return chunks
        at += 8 + size + size % 2
    raise _Unreadable("it has a header, and no data chunk with samples")


def _length_problem(raw: bytes, chunks: dict[bytes, tuple[int, int]]) -> str | None:
    """Describe an error in the lengths of the header; None if they are right."""
    start, size = chunks[b"data"]
    came = len(raw) - start
    riff = int.from_bytes(raw[4:8], "little")
    if size in _OPEN_LENGTHS and came > 1:
        return f"its header leaves open how long it is ({size} bytes of samples), {came} bytes of samples came"
    if came < size:
        return f"the header claims {size} bytes of samples, {came} came"
    # A pad byte after an odd length is not always counted, nor always sent.
    if riff + 8 != len(raw) and not (riff % 2 and riff + 9 == len(raw)):
        return f"the header claims a file of {riff + 8} bytes, {len(raw)} came"
    return None


def _plain(raw: bytes, chunks: dict[bytes, tuple[int, int]]) -> bytes:
    """The file with an extensible header of PCM samples as the equivalent plain one, for `wave` to read."""
    at = chunks.get(b"fmt ", (0, 0))[0]
    if raw[at : at + 2] == _EXTENSIBLE and raw[at + 24 : at + 40] == _PCM_SUBFORMAT:
        return raw[:at] + _PCM + raw[at + 2 :]
    return raw


def _level_dbfs(frames: bytes, width: int) -> float | None:
    """The RMS of samples without their mean, relative to full scale; None for silence."""
    samples = _samples(frames, width)
    count, total = len(samples), sum(samples)
    # Whole numbers, so that nothing is lost when the mean is large beside what is left of it.
    spread = count * sum(map(mul, samples, samples)) - total * total
    if not spread:
        return None
    full = 1 << (8 * samples.itemsize - 1)
    level = 20 * math.log10(math.sqrt(spread) / count / full)
    return round(level, 2) if level > SILENT_DBFS else None


def _samples(frames: bytes, width: int) -> array[int]:
    """Return the samples as integers; 24-bit samples are shifted left to 32 bits, 8-bit ones are unsigned."""
    if width == 3:  # `array` has no 24-bit type: each becomes the upper three bytes of 32 bits
        wide = bytearray(len(frames) // 3 * 4)
        first = 1 if sys.byteorder == "little" else 0
        for byte in range(3):
            wide[first + byte :: 4] = frames[byte::3]
        return array("i", wide)
    return array({1: "B", 2: "h", 4: "i"}[width], frames)
