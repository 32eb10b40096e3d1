"""The small services keep their promises, and each of their defects breaks the one it names."""

from __future__ import annotations

import contextlib
import json
import struct
import xml.etree.ElementTree as ElementTree
from array import array
from collections.abc import Callable, Iterator
from uuid import uuid4

import httpx
import pytest
import redis

from tests.demo.serving import apps_serving, reserved, serving
from xnai_validate.demo.defects import TOPICS
from xnai_validate.demo.services import pages, speech, ui
from xnai_validate.demo.settings import Settings

Promise = Callable[[httpx.Client, Settings], bool]

SLOW_S = 2.0


def _bearer(settings: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {settings.vikunja_token}"}


def _redis(settings: Settings, database: int = 0) -> redis.Redis:
    return redis.Redis(
        port=settings.redis_port, password=settings.redis_password, db=database, decode_responses=True, protocol=2
    )


def _page(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/")
    return (
        answer.status_code == 200 and answer.headers["content-type"].startswith("text/html") and ui.TITLE in answer.text
    )


def _asset(client: httpx.Client, _: Settings) -> bool:
    return client.get(pages.ASSET).headers["content-type"].startswith("text/javascript")


def _quick(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path, timeout=SLOW_S).status_code == 200
    except httpx.TimeoutException:
        return False


def _connected(client: httpx.Client, _: Settings) -> bool:
    return client.get("/project/settings").json()["connected"] is True


def _docs_page(client: httpx.Client, _: Settings) -> bool:
    return "mkdocs" in client.get("/").text and 'name="generator"' in client.get("/").text


def _search(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/search/search_index.json")
    return answer.status_code == 200 and len(answer.json()["docs"]) > 0


def _sitemap(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/sitemap.xml")
    try:
        found = ElementTree.fromstring(answer.text).findall("{*}url/{*}loc")
    except ElementTree.ParseError:
        return False
    return all(client.get(loc.text or "").status_code == 200 for loc in found) and len(found) == 3


def _info(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/api/v1/info")
    return answer.status_code == 200 and str(answer.json().get("version", "")).startswith("v")


def _closed(client: httpx.Client, _: Settings) -> bool:
    answer = client.get("/api/v1/tasks/all")
    return answer.status_code == 401 and "token" in answer.json()["message"]


def _closed_to_strangers(client: httpx.Client, _: Settings) -> bool:
    return client.get("/api/v1/tasks/all", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def _tasks(client: httpx.Client, settings: Settings) -> bool:
    answer = client.get("/api/v1/tasks/all", headers=_bearer(settings))
    return answer.status_code == 200 and len(answer.json()) >= 3


def _pages(client: httpx.Client, settings: Settings) -> bool:
    answer = client.get("/api/v1/tasks/all", params={"per_page": "2", "page": "2"}, headers=_bearer(settings))
    return bool(
        len(answer.json()) == 1
        and answer.headers.get("x-pagination-total-pages") == "2"
        and answer.headers.get("x-pagination-result-count") == "1"
    )


def _creates(client: httpx.Client, settings: Settings) -> bool:
    headers = _bearer(settings)
    made = client.put("/api/v1/projects/1/tasks", json={"title": "Buy milk"}, headers=headers)
    listed = [task["title"] for task in client.get("/api/v1/tasks/all", headers=headers).json()]
    return made.status_code == 201 and "Buy milk" in listed


def _database_five(_: httpx.Client, settings: Settings) -> bool:
    with _redis(settings, 5) as five, _redis(settings) as zero:
        return bool(five.exists("vikunja:started") == 1 and zero.exists("vikunja:started") == 0)


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
    with _redis(settings) as store:
        key = f"xnai:voice:session:{name}"
        entry = store.get(key)
        return entry is not None and json.loads(str(entry))["calls"] == 1 and 3500 < int(str(store.ttl(key))) <= 3600


PROMISES: dict[str, Promise] = {
    **dict.fromkeys(("ui-empty", "ui-error-page", "ui-500", "ui-plain-text"), _page),
    "ui-asset-missing": _asset,
    "ui-slow": lambda client, _: _quick(client, "/"),
    "ui-not-connected": _connected,
    "docs-listing": _docs_page,
    **dict.fromkeys(("docs-no-search", "docs-empty-search"), _search),
    **dict.fromkeys(("docs-sitemap-broken", "docs-dead-links"), _sitemap),
    **dict.fromkeys(("vikunja-no-version", "vikunja-info-private"), _info),
    "vikunja-info-slow": lambda client, _: _quick(client, "/api/v1/info"),
    **dict.fromkeys(("vikunja-public-tasks", "vikunja-html-401"), _closed),
    "vikunja-any-token": _closed_to_strangers,
    **dict.fromkeys(("vikunja-refuses-token", "vikunja-tasks-500"), _tasks),
    "vikunja-no-pagination": _pages,
    "vikunja-forgets": _creates,
    "vikunja-wrong-database": _database_five,
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


HEALTHY = ("ui", "docs", "vikunja", "voice")


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory, shared_redis: int) -> Iterator[dict[str, Settings]]:
    """The four services healthy, and one of them with each defect, each with ports of its own."""
    with contextlib.ExitStack() as stack:
        found: dict[str, Settings] = {}
        for key in (*HEALTHY, *(defect.name for defect in TOPICS["services"])):
            defects = () if key in HEALTHY else (key,)
            run_dir = tmp_path_factory.mktemp(key)
            found[key] = stack.enter_context(reserved(run_dir, "A", *defects, redis_port=shared_redis))
        for settings in found.values():
            settings.ports["api"] = found["docs"].ports["docs"]  # whatever answers, to the interface
        for leftover in (0, 5):
            with _redis(found["ui"], leftover) as store:
                store.flushdb()
        stack.enter_context(apps_serving({key: value for key, value in found.items() if key not in STARTED_ALONE}))
        yield found


STARTED_ALONE = ("vikunja", "vikunja-wrong-database")
"""What it writes when it starts is what is looked at."""


def _kept(promise: Promise, settings: Settings, key: str) -> bool:
    with contextlib.ExitStack() as stack:
        if key in STARTED_ALONE:
            with _redis(settings) as zero, _redis(settings, 5) as five:
                zero.flushdb()
                five.flushdb()
            stack.enter_context(apps_serving({key: settings}))
        client = stack.enter_context(httpx.Client(base_url=settings.url(key.partition("-")[0]), timeout=20))
        return promise(client, settings)


@pytest.mark.parametrize("part", HEALTHY)
def test_healthy_services_keep_every_promise(part: str, stacks: dict[str, Settings]) -> None:
    """Without a defect each promise of a service is kept."""
    for defect in (defect for defect in PROMISES if defect.startswith(part + "-")):
        assert _kept(PROMISES[defect], stacks[part], part), defect


@pytest.mark.parametrize("defect", [defect.name for defect in TOPICS["services"]])
def test_each_defect_breaks_its_promise(defect: str, stacks: dict[str, Settings]) -> None:
    """With the defect the promise it is named for is not kept: the defect is real."""
    assert not _kept(PROMISES[defect], stacks[defect], defect)


def test_silence_and_other_sounds_are_told_from_speech() -> None:
    """Silence is an empty text, a sound that is no speech has little confidence."""
    silence = speech.parse(speech.wav(array("h", bytes(3200))))
    assert speech.recognise(silence) == speech.Heard("", 0.0)
    humming = speech.parse(speech.wav(array("h", [9000, 0, -9000, 0] * 800)))
    heard = speech.recognise(humming)
    assert heard.text == "(sound)"
    assert heard.confidence < 0.5


def test_an_unknown_path_of_the_interface_is_the_page_and_an_unknown_file_is_404(healthy: Settings) -> None:
    """A single-page application serves its page for routes of its own, and never for a missing file."""
    with serving(healthy, "ui"), httpx.Client(base_url=healthy.url("ui")) as client:
        assert client.get("/thread/42").text == ui.PAGE
        assert client.get("/assets/gone.js").status_code == 404
