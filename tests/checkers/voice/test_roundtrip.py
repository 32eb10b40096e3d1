"""`voice.roundtrip` against services that speak and hear, well and badly."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pydantic import ValidationError

from tests.checkers.beside import tcp_server
from tests.checkers.sounds import RATE_HZ, tone
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, Scripted, ok, scripted
from xnai_validate.checkers.voice._models import Roundtrip
from xnai_validate.checkers.voice._recording import read
from xnai_validate.checkers.voice._words import match_ratio
from xnai_validate.errors import NotApplicable
from xnai_validate.kit import Target

TEXT = "Good morning, stack."
SPEECH, TRANSCRIPTIONS = "/v1/audio/speech", "/v1/audio/transcriptions"
LONGER = "Good morning, stack. Here is a text of many more words than that."


def spoken(text: str) -> bytes:
    """A recording as long as its text: 20 ms a character."""
    return tone(20 * len(text))


@contextmanager
def voice(
    speak: Callable[[str], bytes] = spoken, hears: object = TEXT, *, tts: str = "200 OK", stt: str = "200 OK"
) -> Iterator[tuple[Scripted, Target]]:
    """A voice service that speaks by `speak` and recognizes `hears`: a text, or any JSON document."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == SPEECH:
            body = speak(json.loads(request.body)["input"])
            return await ok(body, "Content-Type: Audio/WAV; rate=16000", status=tts)(request, line)
        assert request.path == TRANSCRIPTIONS
        answer = {"text": hears} if isinstance(hears, str) else hears
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return await ok(body, "Content-Type: application/json", status=stt)(request, line)

    with scripted(script) as server:
        yield server, Target("voice", server.url())


def test_what_is_spoken_goes_back_and_is_compared() -> None:
    """The recording is measured, sent back byte for byte, and its words are counted; the kind's own rules hold."""
    with voice() as (server, target):
        seen = observe("voice.roundtrip", target, text=TEXT, expect={"silent": False, "word_match_ratio": {"min": 1}})
    facts = seen.facts
    assert seen.held
    assert [(request.method, request.path) for request in server.requests] == [
        ("POST", SPEECH),
        ("POST", TRANSCRIPTIONS),
    ]
    assert server.requests[0].headers["content-type"] == "application/json"
    asked = {"model": "tts-1", "input": TEXT, "voice": "alloy", "response_format": "wav"}
    assert json.loads(server.requests[0].body) == asked
    assert fields_of(server.requests[1]) == {"model": b"whisper-1", "file": spoken(TEXT)}
    assert (facts["tts_status"], facts["content_type"], facts["wav_valid"]) == (200, "audio/wav", True)
    assert (facts["sample_rate_hz"], facts["channels"], facts["duration_ms"]) == (RATE_HZ, 1, 20 * len(TEXT))
    assert facts["level_dbfs"] == pytest.approx(20 * math.log10(16_000 / 32_768 / math.sqrt(2)), abs=0.1)
    assert (facts["stt_status"], facts["text"]) == (200, TEXT)
    assert facts["tts_ms"] > 0 < facts["stt_ms"]
    for unasked in ("error", "wav_problem", "longer_status", "longer_duration_ms", "duration_grows", "oversize_status"):
        assert facts[unasked] is None


def fields_of(request: ReceivedRequest) -> dict[str, bytes]:
    """The fields of a form: name -> content."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    parts = [part.partition(b"\r\n\r\n") for part in request.body.split(b"--" + boundary)[1:-1]]
    return {head.split(b'name="')[1].split(b'"')[0].decode(): body.removesuffix(b"\r\n") for head, _, body in parts}


def test_another_stack_has_other_paths_models_and_headers() -> None:
    """Paths, models and headers are those of the params, in every request."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        body = spoken("hello") if request.path == "/api/speak" else b'{"text": "Hello"}'
        return await ok(body)(request, line)

    with scripted(script) as server:
        facts = observe(
            "voice.roundtrip",
            Target("voice", server.url("/api")),
            text="hello",
            tts_path="/speak",
            stt_path="/listen",
            tts_model="piper",
            voice="thorsten",
            stt_model="small",
            headers={"X-Session-ID": "seven"},
        ).facts
    assert [request.path for request in server.requests] == ["/api/speak", "/api/listen"]
    assert {request.headers["x-session-id"] for request in server.requests} == {"seven"}
    asked = {"model": "piper", "input": "hello", "voice": "thorsten", "response_format": "wav"}
    assert json.loads(server.requests[0].body) == asked
    assert fields_of(server.requests[1])["model"] == b"small"
    assert (facts["text"], facts["word_match_ratio"]) == ("Hello", 1)


@pytest.mark.parametrize(
    ("spoken", "heard", "ratio"),
    [
        ("One two three four.", "one TWO, three -- four", 1),
        ("one two three four", "four three two one", 1),
        ("one two three four", "one two three four, thank you for watching", 1),
        ("one two three four", "one two", 0.5),
        ("no no no yes", "no yes", 0.5),
        ("It's well-known.", "its well known", 1),
        ("Gr\u00f6\u00dfe", "GRO\u0308SSE", 1),
        ("one two", "", 0),
        ("one two", "_ ... '", 0),
    ],
)
def test_words_are_counted_without_order_and_case(spoken: str, heard: str, ratio: float) -> None:
    """The ratio is the share of spoken words that were heard: in any order and case, each as often as it was spoken."""
    assert match_ratio(spoken, heard) == ratio


def test_no_recognition_where_none_is_configured() -> None:
    """With `recognise: false` a service without ears is measured all the same."""
    with voice(stt="500 Nothing") as (server, target):
        seen = observe("voice.roundtrip", target, text=TEXT, recognise=False)
    assert seen.held
    assert [request.path for request in server.requests] == [SPEECH]
    assert (seen.facts["stt_status"], seen.facts["word_match_ratio"]) == (None, None)


def test_a_truncated_recording_is_reported_and_still_sent() -> None:
    """Half of the samples: not valid, in words and numbers, while the half that came is measured and sent back."""
    with voice(lambda text: spoken(text)[: 44 + 320 * len(text)]) as (server, target):
        seen = observe("voice.roundtrip", target, text=TEXT)
    facts = seen.facts
    assert [finding.fact for finding in seen.findings if not finding.held] == ["wav_valid"]
    assert facts["wav_problem"] == f"the header claims {640 * len(TEXT)} bytes of samples, {320 * len(TEXT)} came"
    assert (facts["duration_ms"], facts["silent"], facts["stt_status"]) == (10 * len(TEXT), False, 200)
    assert len(server.requests) == 2


def test_a_page_is_no_recording() -> None:
    """200 with HTML: not valid, and nothing is claimed about its sound."""
    with voice(lambda _: b"<html>It works</html>") as (_, target):
        facts = observe("voice.roundtrip", target, text=TEXT).facts
    assert facts["wav_valid"] is False
    assert facts["wav_problem"] == "it does not begin with a RIFF/WAVE header, but with '<html>It wor'"
    assert (facts["duration_ms"], facts["silent"], facts["level_dbfs"]) == (None, None, None)


def test_an_empty_answer_is_not_sent_back() -> None:
    """200 with no body at all: not valid, and the recognition is left out."""
    with voice(lambda _: b"") as (server, target):
        facts = observe("voice.roundtrip", target, text=TEXT).facts
    assert (facts["wav_valid"], facts["stt_status"], len(server.requests)) == (False, None, 1)


def test_a_refusal_to_speak_is_a_status() -> None:
    """503 of speech: no recording is claimed, nothing is sent back, and the rule about the status does not hold."""
    with voice(lambda _: b"{}", tts="503 Service Unavailable") as (server, target):
        seen = observe("voice.roundtrip", target, text=TEXT)
    facts = seen.facts
    assert [finding.fact for finding in seen.findings if not finding.held] == ["wav_valid"]
    assert (facts["tts_status"], facts["wav_valid"], facts["wav_problem"]) == (
        503,
        None,
        "the request to speak the text got status 503",
    )
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("longer_ms", "grows"), [(2000, True), (560, True), (520, False), (500, False), (100, False), (None, None)]
)
def test_a_longer_text_lasts_longer(longer_ms: float | None, grows: bool | None) -> None:
    """`duration_grows` wants more than a tenth above the first recording, and is unknown where one was not spoken."""

    def speak(text: str) -> bytes:
        return tone(500) if text == TEXT else b"" if longer_ms is None else tone(longer_ms)

    with voice(speak) as (_, target):
        facts = observe("voice.roundtrip", target, text=TEXT, longer_text=LONGER, recognise=False).facts
    assert (facts["duration_ms"], facts["longer_duration_ms"], facts["longer_status"]) == (500, longer_ms, 200)
    assert facts["duration_grows"] is grows


def test_an_oversized_recording_is_a_real_one() -> None:
    """The upload is a WAV file of silence larger than the limit, and its status is a fact of its own."""
    size = 10 * 1024 * 1024
    with voice(stt="413 Content Too Large") as (server, target):
        facts = observe("voice.roundtrip", target, text=TEXT, recognise=False, oversize="10MiB").facts
    assert (facts["oversize_status"], facts["stt_status"], facts["error"]) == (413, None, None)
    recording = read(fields_of(server.requests[1])["file"])
    assert (recording.problem, recording.silent) == (None, True)
    assert size < len(server.requests[1].body) < size + 700
    assert recording.duration_ms is not None
    assert recording.duration_ms < 300_000, "too long as well, so that its size is not what is refused"


def test_an_oversized_recording_that_is_taken() -> None:
    """A service without a limit shows as 200."""
    with voice() as (_, target):
        facts = observe("voice.roundtrip", target, text=TEXT, recognise=False, oversize=1_000_001).facts
    assert facts["oversize_status"] == 200


def test_a_refusal_before_the_body_was_read() -> None:
    """A server that sends 413 as soon as it has the headers is understood, though the body is still on its way."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        if head.startswith("post /v1/audio/speech"):
            sound = spoken(TEXT)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(sound), sound))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        while await reader.read(1 << 20):  # as servers do that want their refusal to arrive
            pass

    with tcp_server(talk) as port:
        target = Target("voice", f"http://127.0.0.1:{port}")
        facts = observe("voice.roundtrip", target, text=TEXT, recognise=False, oversize="10MiB").facts
    assert (facts["oversize_status"], facts["error"]) == (413, None)


@pytest.mark.parametrize(
    ("answer", "text"),
    [(b"no JSON", None), ([], None), ({"text": 5}, None), ({"text": ""}, "")],
)
def test_strange_answers_of_recognition(answer: object, text: str | None) -> None:
    """What is not text is not a fact; an empty text is one, and matches nothing."""
    with voice(hears=answer) as (_, target):
        facts = observe("voice.roundtrip", target, text=TEXT).facts
    assert (facts["stt_status"], facts["text"]) == (200, text)
    assert facts["word_match_ratio"] == (None if text is None else 0)


def test_a_refused_recognition_has_no_text() -> None:
    """The words of an error are not what was heard."""
    with voice(hears={"text": TEXT}, stt="503 Service Unavailable") as (_, target):
        facts = observe("voice.roundtrip", target, text=TEXT).facts
    assert (facts["stt_status"], facts["text"], facts["word_match_ratio"]) == (503, None, None)


def test_a_long_text_is_cut_after_it_was_compared() -> None:
    """2 000 characters are kept as a fact, and the ratio is that of all words."""
    with voice(hears="lorem " * 1000 + TEXT) as (_, target):
        facts = observe("voice.roundtrip", target, text=TEXT).facts
    assert (len(facts["text"]), facts["word_match_ratio"]) == (2000, 1)


def test_nothing_listens() -> None:
    """A refused connection is a fact, all others are null, and the error leads the findings."""
    with scripted(ok()) as server:
        url = server.url()
    seen = observe("voice.roundtrip", Target("voice", url), text=TEXT)
    assert seen.facts["error"] == "refused"
    assert seen.facts["error_detail"].startswith("speaking the text: ")
    assert {value for fact, value in seen.facts.items() if not fact.startswith("error")} == {None}
    assert (seen.findings[0].fact, seen.findings[0].held) == ("error", False)


def test_a_silent_recognition_is_a_time_out() -> None:
    """Speech works and recognition never answers: `timeout`, named, beside what was measured before."""

    async def script(request: ReceivedRequest, line: Line) -> bool:
        if request.path == SPEECH:
            return await ok(spoken(TEXT))(request, line)
        await asyncio.sleep(60)
        return False

    with scripted(script) as server:
        facts = observe("voice.roundtrip", Target("voice", server.url()), text=TEXT, timeout="1500ms").facts
    assert facts["error"] == "timeout"
    assert facts["error_detail"].startswith("having the recording recognised: ")
    assert (facts["tts_status"], facts["wav_valid"], facts["stt_status"]) == (200, True, None)


def test_an_answer_cut_on_the_wire() -> None:
    """Fewer bytes than the Content-Length: the connection broke, which is an error and no recording."""
    with scripted(ok(spoken(TEXT), length=10**6)) as server:
        facts = observe("voice.roundtrip", Target("voice", server.url()), text=TEXT).facts
    assert (facts["error"], facts["wav_valid"]) == ("reset", None)


def test_a_recording_without_end() -> None:
    """More bytes than `recording_cap` are not read."""
    with voice() as (_, target):
        facts = observe("voice.roundtrip", target, text=TEXT, recording_cap="1KiB").facts
    assert (facts["error"], facts["tts_status"]) == ("too_large", None)


def test_a_target_without_a_url() -> None:
    """A target without a url is not applicable."""
    with pytest.raises(NotApplicable, match="target voice has no url"):
        observe("voice.roundtrip", Target("voice", container="voice"), text=TEXT)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"text": " ... "}, "no word in it"),
        ({"text": "one two", "longer_text": "one two three"}, "at least twice the words of text, that is 4"),
        ({"text": "one", "headers": {"content-type": "audio/ogg"}}, "a content type of its own"),
        ({"text": "one", "oversize": "1GiB"}, "less than or equal to 67108864"),
    ],
)
def test_what_cannot_be_judged_is_refused(params: dict[str, object], message: str) -> None:
    """Params that would make a check that cannot fail, or cannot pass, are refused when they are read."""
    with pytest.raises(ValidationError, match=message):
        Roundtrip.model_validate(params)
