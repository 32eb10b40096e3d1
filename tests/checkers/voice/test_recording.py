"""Recordings of every kind, whole and broken, loud and silent, as a voice service may send them."""

from __future__ import annotations

import math
import random
import struct
from array import array

import pytest

from tests.checkers.sounds import RATE_HZ, tone, wav
from xnai_validate.checkers.voice._recording import read, silence


def _sine(width: int) -> bytes:
    """500 Hz at full scale, in samples of `width` bytes."""
    full = (1 << (8 * width - 1)) - 1
    values = [round(full * math.sin(math.pi * n / 16)) for n in range(RATE_HZ)]
    if width == 1:
        return bytes(value + 128 for value in values)
    return b"".join(value.to_bytes(width, "little", signed=True) for value in values)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_the_level_is_the_same_in_every_width(width: int) -> None:
    """A sine of full scale is 3.01 dB below a square wave of full scale, in 8, 16, 24 and 32 bits."""
    recording = read(wav(_sine(width), width=width))
    assert (recording.problem, recording.duration_ms, recording.silent) == (None, 1000, False)
    assert recording.level_dbfs == pytest.approx(-3.01, abs=0.08)


def test_all_channels_are_heard() -> None:
    """Stereo with one silent channel is not silent: half the power, 3 dB less, and as long as it lasts."""
    mono = array("h", _sine(2))
    both = array("h", bytes(4 * len(mono)))
    both[1::2] = mono
    recording = read(wav(both.tobytes(), channels=2))
    assert (recording.problem, recording.channels, recording.duration_ms) == (None, 2, 1000)
    assert recording.level_dbfs == pytest.approx(-6.02, abs=0.08)


@pytest.mark.parametrize(
    ("samples", "silent"),
    [
        ([0] * 1000, True),
        ([9000] * 1000, True),
        ([-1, 1] * 500, True),
        ([9030, 8970] * 500, True),
        ([-40, 40] * 500, False),
        ([16_000, -16_000] * 500, False),
    ],
    ids=["zeros", "constant", "dither", "constant-and-dither", "faint", "loud"],
)
def test_silence_is_what_cannot_be_heard(samples: list[int], silent: bool) -> None:
    """Zeros, a constant, and noise of the last bit are silence; what is above -60 dBFS is not."""
    recording = read(wav(array("h", samples).tobytes()))
    assert (recording.problem, recording.silent) == (None, silent)
    assert (recording.level_dbfs is None) is silent


GOOD = tone(100)
SIZE = len(GOOD) - 44
LIST = b"LIST" + struct.pack("<I", 4) + b"INFO"


def _sized(raw: bytes, *, riff: int | None = None, data: int | None = None) -> bytes:
    """The file with other lengths in its header."""
    changed = bytearray(raw)
    for at, length in ((4, riff), (40, data)):
        if length is not None:
            struct.pack_into("<I", changed, at, length)
    return bytes(changed)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "the body is empty"),
        (b"RIFF", "it does not begin with a RIFF/WAVE header"),
        (GOOD[:12], "no data chunk"),
        (GOOD[:36], "no data chunk"),
        (GOOD[:44], f"claims {SIZE} bytes of samples, 0 came"),
        (GOOD[:-2], f"claims {SIZE} bytes of samples, {SIZE - 2} came"),
        (GOOD + bytes(100), f"a file of {len(GOOD)} bytes, {len(GOOD) + 100} came"),
        (_sized(GOOD, riff=36), "a file of 44 bytes"),
        (_sized(GOOD, riff=0xFFFFFFFF, data=0xFFFFFFFF), "leaves open how long it is"),
        (_sized(GOOD, riff=0, data=0), "leaves open how long it is"),
        (_sized(GOOD, data=SIZE - 1), "the samples end within a frame"),
        (wav(b""), "there are no samples"),
        (GOOD[:20] + b"\x03\x00" + GOOD[22:], "the header cannot be read: unknown format: 3"),
        (GOOD[:22] + b"\x00\x00" + GOOD[24:], "the header cannot be read: bad # of channels"),
        (GOOD[:24] + bytes(4) + GOOD[28:], "16 bits a sample at 0 Hz"),
        (GOOD[:34] + b"\x40\x00" + GOOD[36:], "64 bits a sample at 16000 Hz"),
        (
            _sized(GOOD[:12] + GOOD[36:], riff=len(GOOD) - 32),
            "the header cannot be read: data chunk before fmt chunk",
        ),
        (b"RIFF\x00\x10\x00\x00WAVE" + LIST * 100 + GOOD[12:], "no data chunk"),
    ],
)
def test_every_broken_recording_is_described(raw: bytes, problem: str) -> None:
    """Each way to be no whole recording has its own words."""
    assert problem in str(read(raw).problem)


def test_a_header_that_was_never_finished_hides_no_samples() -> None:
    """A recording with open lengths, as it is streamed, is not valid, and yet measured whole."""
    recording = read(_sized(GOOD, riff=0xFFFFFFFF, data=0xFFFFFFFF))
    assert (recording.duration_ms, recording.silent) == (100, False)


@pytest.mark.parametrize(
    "raw",
    [
        GOOD,
        _sized(GOOD[:36] + LIST + GOOD[36:], riff=len(GOOD) - 8 + len(LIST)),
        _sized(GOOD + LIST, riff=len(GOOD) - 8 + len(LIST)),
        wav(b"\x00\xff\x00", width=1),
        wav(b"\x00\xff\x00", width=1) + b"\x00",
        b"".join(silence(1000).pieces()),
    ],
    ids=["plain", "chunk-before", "chunk-after", "odd", "odd-and-padded", "silence"],
)
def test_whole_recordings_are_valid(raw: bytes) -> None:
    """Further chunks around the samples, and a pad byte after an odd length, are as they should be."""
    assert read(raw).problem is None


def test_an_extensible_header_of_pcm_is_read() -> None:
    """`WAVE_FORMAT_EXTENSIBLE` with the PCM subformat holds samples like any other; with another it does not."""
    pcm = bytes.fromhex("0100000000001000800000aa00389b71")
    fmt = struct.pack("<HHIIHHHHI", 0xFFFE, 1, RATE_HZ, 2 * RATE_HZ, 2, 16, 22, 16, 4)
    rest = b"data" + struct.pack("<I", SIZE) + GOOD[44:]

    def file(subformat: bytes) -> bytes:
        chunks = b"WAVEfmt " + struct.pack("<I", 40) + fmt + subformat + rest
        return b"RIFF" + struct.pack("<I", len(chunks)) + chunks

    recording = read(file(pcm))
    assert (recording.problem, recording.duration_ms, recording.silent) == (None, 100, False)
    assert "the header cannot be read: unknown" in str(read(file(b"\x03" + pcm[1:])).problem)


def test_no_bytes_from_a_server_raise() -> None:
    """Every beginning of a file, and thousands of files with bytes changed, are read or refused in words."""
    small = wav(array("h", [5, -5] * 20).tobytes(), channels=2)
    for end in range(len(small)):
        assert read(small[:end]).problem
    chance = random.Random(7)
    for _ in range(5000):
        spoiled = bytearray(small)
        for _ in range(chance.randint(1, 4)):
            spoiled[chance.randrange(60)] = chance.choice((0, 1, 255, chance.randrange(256)))
        recording = read(bytes(spoiled))
        assert recording.problem or recording.duration_ms
