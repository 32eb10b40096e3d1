"""The voice service keeps its promises, and each of its defects breaks the one it names."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import httpx
import pytest

from tests.demo.services.promises import Promise, defects_of, is_kept, serving_with_each_defect
from xnai_validate.demo.services import speech
from xnai_validate.demo.settings import Settings


def _transcribed(client: httpx.Client, sound: bytes) -> httpx.Response:
    return client.post("/v1/audio/transcriptions", files={"file": ("a.wav", sound)}, data={"model": "whisper-1"})


def _spoken(client: httpx.Client, text: str) -> httpx.Response:
    return client.post("/v1/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": text})


def _hears(client: httpx.Client, _: Settings) -> bool:
    answer = _transcribed(client, speech.synthesise("What is Xoe-NovAi? Größe: 5 µm."))
    return answer.status_code == 200 and answer.json() == {"text": "What is Xoe-NovAi? Größe: 5 µm."}


def _hears_something(client: httpx.Client, _: Settings) -> bool:
    return bool(_transcribed(client, speech.synthesise("hello")).json()["text"])


def _speaks(client: httpx.Client, _: Settings) -> bool:
    sound = _spoken(client, "good morning").content
    size = struct.unpack("<I", sound[40:44])[0]
    return size == len(sound) - 44 and any(sound[44:])


def _speaks_longer(client: httpx.Client, _: Settings) -> bool:
    short, long = (_spoken(client, text).content for text in ("a word", "a word " * 20))
    return len(long) > 10 * len(short)


def _refuses_noise(client: httpx.Client, _: Settings) -> bool:
    answer = _transcribed(client, b"not a recording")
    return answer.status_code == 400 and bool(answer.json()["error"]["message"])


def _refuses_nothing(client: httpx.Client, _: Settings) -> bool:
    return _spoken(client, "").status_code == 400


PROMISES: dict[str, Promise] = {
    "voice-empty-text": _hears_something,
    **dict.fromkeys(("voice-wrong-text", "voice-deaf"), _hears),
    **dict.fromkeys(("voice-silence", "voice-truncated"), _speaks),
    "voice-fixed-length": _speaks_longer,
    "voice-accepts-anything": _refuses_noise,
    "voice-speaks-nothing": _refuses_nothing,
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory, shared_redis: int) -> Iterator[dict[str, Settings]]:
    """The service healthy, and with each of its defects."""
    with serving_with_each_defect("voice", tmp_path_factory, shared_redis) as running:
        yield running


def test_a_healthy_service_keeps_every_promise(stacks: dict[str, Settings]) -> None:
    """Without a defect each promise is kept."""
    assert [defect for defect, promise in PROMISES.items() if not is_kept(promise, stacks["voice"], "voice")] == []


@pytest.mark.parametrize("defect", PROMISES)
def test_each_defect_breaks_its_promise(defect: str, stacks: dict[str, Settings]) -> None:
    """With the defect the promise it is named for is not kept: the defect is real."""
    assert not is_kept(PROMISES[defect], stacks[defect], "voice")


def test_every_defect_has_a_promise() -> None:
    """None of the service's defects is left out."""
    assert set(defects_of("voice")) == set(PROMISES)
