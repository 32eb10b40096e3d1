"""The voice service keeps its promises, and each of its defects breaks the one it names."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from tests.demo.services.promises import Promise, defects_of, is_kept, redis_client, serving_with_each_defect
from xnai_validate.demo.services import speech
from xnai_validate.demo.settings import Settings


def _hears(client: httpx.Client, _: Settings) -> bool:
    answer = client.post("/stt", content=speech.synthesise("What is Xoe-NovAi? Größe: 5 µm."))
    return answer.status_code == 200 and answer.json()["text"] == "What is Xoe-NovAi? Größe: 5 µm."


def _hears_something(client: httpx.Client, _: Settings) -> bool:
    return bool(client.post("/stt", content=speech.synthesise("hello")).json()["text"])


def _speaks(client: httpx.Client, _: Settings) -> bool:
    sound = client.post("/tts", json={"text": "good morning"}).content
    size = struct.unpack("<I", sound[40:44])[0]
    return size == len(sound) - 44 and any(sound[44:])


def _speaks_longer(client: httpx.Client, _: Settings) -> bool:
    short, long = (client.post("/tts", json={"text": text}).content for text in ("a word", "a word " * 20))
    return len(long) > 10 * len(short)


def _refuses_large(client: httpx.Client, _: Settings) -> bool:
    return client.post("/stt", content=bytes(10 * 1024 * 1024 + 1)).status_code == 413


def _refuses_eleventh(client: httpx.Client, _: Settings) -> bool:
    session = {"X-Session-ID": str(uuid4())}
    answers = [client.post("/tts", json={"text": "a"}, headers=session) for _ in range(11)]
    return [answer.status_code for answer in answers] == [200] * 10 + [429]


def _gives_retry_after(client: httpx.Client, _: Settings) -> bool:
    session = {"X-Session-ID": str(uuid4())}
    last = [client.post("/tts", json={"text": "a"}, headers=session) for _ in range(11)][-1]
    return last.status_code == 429 and 1 <= int(last.headers.get("Retry-After", "0")) <= 61


def _refuses_noise(client: httpx.Client, _: Settings) -> bool:
    answer = client.post("/stt", content=b"not a recording")
    return answer.status_code == 400 and answer.json()["http_status"] == 400


def _refuses_nothing(client: httpx.Client, _: Settings) -> bool:
    return client.post("/tts", json={"text": ""}).status_code == 400


def _full_service(client: httpx.Client, _settings: Settings) -> bool:
    health = client.get("/health").json()
    return bool(health["status"] == "healthy" and health["stt_loaded"] and health["degradation_level"] == 1)


def _voice_health(client: httpx.Client, _: Settings) -> bool:
    loaded = client.get("/health").json()["stt_loaded"]
    works = client.post("/stt", content=speech.synthesise("a")).status_code == 200
    return loaded is works


def _session(client: httpx.Client, settings: Settings) -> bool:
    name = str(uuid4())
    client.post("/tts", json={"text": "a"}, headers={"X-Session-ID": name})
    with redis_client(settings) as store:
        key = f"xnai:voice:session:{name}"
        entry = store.get(key)
        return entry is not None and json.loads(str(entry))["calls"] == 1 and 3500 < int(str(store.ttl(key))) <= 3600


PROMISES: dict[str, Promise] = {
    "voice-empty-text": _hears_something,
    "voice-wrong-text": _hears,
    **dict.fromkeys(("voice-silence", "voice-truncated"), _speaks),
    "voice-fixed-length": _speaks_longer,
    "voice-no-size-limit": _refuses_large,
    "voice-no-rate-limit": _refuses_eleventh,
    "voice-no-retry-after": _gives_retry_after,
    "voice-accepts-anything": _refuses_noise,
    "voice-speaks-nothing": _refuses_nothing,
    "voice-health-lies": _voice_health,
    "voice-degraded": _full_service,
    **dict.fromkeys(("voice-session-forever", "voice-no-session"), _session),
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
