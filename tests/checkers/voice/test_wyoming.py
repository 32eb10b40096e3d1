"""`voice.roundtrip` over Wyoming, against a server that speaks and listens in its events."""

from __future__ import annotations

import asyncio
import io
import json
import wave

from tests.checkers.beside import tcp_server
from tests.checkers.sounds import tone
from tests.context import observe
from xnai_validate.kit import Target

TEXT = "Good morning, stack."
FORM: dict[str, object] = {"rate": 16_000, "width": 2, "channels": 1}


def samples_of(text: str) -> bytes:
    """PCM samples as long as the text: 20 ms a character."""
    with wave.open(io.BytesIO(tone(20 * len(text)))) as file:
        samples: bytes = file.readframes(file.getnframes())
    return samples


def event(kind: str, data: dict[str, object], payload: bytes = b"", *, apart: bool = False) -> bytes:
    """An event as it is sent; with `apart` its data follow the line, as newer servers send them."""
    more = json.dumps(data).encode() if apart else b""
    head: dict[str, object] = {"type": kind, "payload_length": len(payload), "data_length": len(more)}
    return json.dumps(head if apart else {**head, "data": data}).encode() + b"\n" + more + payload


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Speak a text in three chunks; answer a recording by the text that was spoken as long."""
    heard = b""
    while line := await reader.readline():
        head = json.loads(line)
        payload = await reader.readexactly(head.get("payload_length", 0))
        if head["type"] == "synthesize":
            samples = samples_of(head["data"]["text"])
            writer.write(event("audio-start", FORM, apart=True))
            for at in range(0, len(samples), 4096):
                writer.write(event("audio-chunk", FORM, samples[at : at + 4096]))
            writer.write(event("audio-stop", {}))
        elif head["type"] == "audio-chunk":
            heard += payload
        elif head["type"] == "audio-stop":
            writer.write(event("transcript", {"text": TEXT if heard == samples_of(TEXT) else "something else"}))
        await writer.drain()


def test_a_text_is_spoken_and_understood_over_wyoming() -> None:
    """The samples of the chunks are one recording, which goes back sample by sample; there is no status."""
    with tcp_server(serve) as port:
        seen = observe(
            "voice.roundtrip",
            Target("voice", f"tcp://127.0.0.1:{port}"),
            text=TEXT,
            expect={"silent": False, "word_match_ratio": {"min": 1}},
        )
    facts = seen.facts
    assert seen.held, facts
    assert (facts["tts_status"], facts["stt_status"], facts["text"]) == (None, None, TEXT)
    assert (facts["sample_rate_hz"], facts["duration_ms"]) == (16_000, 20 * len(TEXT))


def test_what_is_no_wyoming_is_an_error_of_the_protocol() -> None:
    """A server of another protocol, and one that hangs up in the middle, are errors that name the step."""

    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(event("audio-start", FORM))
        await writer.drain()

    for server, words in ((page, "no event of Wyoming"), (hang_up, "ended before audio-stop")):
        with tcp_server(server) as port:
            facts = observe("voice.roundtrip", Target("voice", f"wyoming://127.0.0.1:{port}"), text=TEXT).facts
        assert facts["error"] == "protocol"
        assert facts["error_detail"].startswith("speaking the text: ")
        assert words in facts["error_detail"]
