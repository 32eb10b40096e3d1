"""Speech over Wyoming, the protocol of Home Assistant's Piper and Whisper servers.

An event is one line of JSON, `{"type", "data", "data_length", "payload_length"}`, followed by that many bytes of more
data (JSON) and of payload (PCM samples): https://github.com/OHF-Voice/wyoming.
"""

from __future__ import annotations

import io
import json
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from xnai_validate.kit import ErrorKind, JsonValue
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.connection import Pipe, dial

LINE_CAP = 64 * 1024
CHUNK_BYTES = 32 * 1024
SCHEMES = ("wyoming", "tcp")


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the protocol."""

    type: str
    data: Mapping[str, JsonValue]
    payload: bytes = b""


async def speak(host: str, port: int, text: str, cap_bytes: int) -> bytes:
    """Synthesize a text and return a WAV file. Raises WireError, too_large for more samples than `cap_bytes`."""
    async with _open_events(host, port, cap_bytes) as events:
        events.send(Event("synthesize", {"text": text}))
        audio_format: Mapping[str, JsonValue] = {}
        samples = bytearray()
        async for event in events:
            if event.type == "audio-start":
                audio_format = event.data
            elif event.type == "audio-chunk":
                audio_format = audio_format or event.data  # each chunk repeats the format of its samples
                samples += event.payload
                if len(samples) > cap_bytes:
                    raise WireError(ErrorKind.TOO_LARGE, f"more than {cap_bytes} bytes of samples")
            elif event.type == "audio-stop":
                return _wav(audio_format, bytes(samples))
    raise WireError(ErrorKind.PROTOCOL, "the connection ended before audio-stop")


async def hear(host: str, port: int, recording: bytes, cap_bytes: int) -> str | None:
    """Have a WAV file recognised; returns the text, None where the transcript has none. Raises WireError."""
    with wave.open(io.BytesIO(recording), "rb") as file:
        audio_format: dict[str, JsonValue] = {
            "rate": file.getframerate(),
            "width": file.getsampwidth(),
            "channels": file.getnchannels(),
        }
        samples = file.readframes(file.getnframes())
    async with _open_events(host, port, cap_bytes) as events:
        events.send(Event("transcribe", {}))
        events.send(Event("audio-start", audio_format))
        for at in range(0, len(samples), CHUNK_BYTES):
            events.send(Event("audio-chunk", audio_format, samples[at : at + CHUNK_BYTES]))
        events.send(Event("audio-stop", {}))
        async for event in events:
            if event.type == "transcript":
                text = event.data.get("text")
                return text if isinstance(text, str) else None
    raise WireError(ErrorKind.PROTOCOL, "the connection ended before a transcript came")


class _Events:
    """The events on one connection."""

    def __init__(self, pipe: Pipe, cap_bytes: int) -> None:
        self._pipe = pipe
        self._cap_bytes = cap_bytes
        self._buffer = b""

    def send(self, event: Event) -> None:
        """Send an event."""
        head: dict[str, JsonValue] = {"type": event.type, "data": dict(event.data)}
        if event.payload:
            head["payload_length"] = len(event.payload)
        self._pipe.write(json.dumps(head).encode() + b"\n" + event.payload)

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (line := await self._line()) is not None:
            yield await self._read_event(line)

    async def _read_event(self, line: bytes) -> Event:
        """Read the event whose header is `line`: its data and its payload follow it. Raises WireError."""
        try:
            head = json.loads(line)
            kind, data = head["type"], head.get("data") or {}
            more, size = int(head.get("data_length") or 0), int(head.get("payload_length") or 0)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise WireError(ErrorKind.PROTOCOL, f"no event of Wyoming: {line[:80]!r}") from error
        if not 0 <= more <= LINE_CAP or not 0 <= size <= self._cap_bytes:
            raise WireError(ErrorKind.TOO_LARGE, f"an event of {more + size} bytes")
        extra = await self._read_exactly(more)
        try:
            data = {**data, **(json.loads(extra) if extra else {})}
        except (ValueError, TypeError) as error:
            raise WireError(ErrorKind.PROTOCOL, f"the data of {kind} is not a JSON object") from error
        event = Event(str(kind), data, await self._read_exactly(size))
        if event.type == "error":
            raise WireError(ErrorKind.PROTOCOL, str(event.data.get("text", "the server reports an error"))[:200])
        return event

    async def _line(self) -> bytes | None:
        """The next line without its end; None at the end of the connection."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LINE_CAP:
                raise WireError(ErrorKind.TOO_LARGE, f"a line of more than {LINE_CAP} bytes")
            read = await self._pipe.read()
            if not read:
                return None
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    async def _read_exactly(self, count: int) -> bytes:
        """Read this number of bytes. Raises WireError if the connection ends before."""
        while len(self._buffer) < count:
            read = await self._pipe.read()
            if not read:
                raise WireError(ErrorKind.PROTOCOL, "the connection ended within an event")
            self._buffer += read
        found, self._buffer = self._buffer[:count], self._buffer[count:]
        return found


@asynccontextmanager
async def _open_events(host: str, port: int, cap_bytes: int) -> AsyncIterator[_Events]:
    """Connect and yield the events of the connection."""
    dialled = await dial(host, port)
    try:
        yield _Events(dialled.pipe, cap_bytes)
    finally:
        dialled.pipe.abort()


def _wav(audio_format: Mapping[str, JsonValue], samples: bytes) -> bytes:
    """Return the samples as a WAV file. `audio_format` has their rate, width and channels, from audio-start."""
    try:
        rate, width, channels = (int(str(audio_format[name])) for name in ("rate", "width", "channels"))
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(width)
            file.setframerate(rate)
            file.writeframes(samples)
    except (KeyError, ValueError, wave.Error) as error:
        raise WireError(ErrorKind.PROTOCOL, "audio-start names no rate, width and channels of PCM samples") from error
    return out.getvalue()
