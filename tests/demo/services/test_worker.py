"""The worker does what the streams ask of it, and each of its defects breaks the promise it names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
import redis

from tests.demo.serving import redis_running, reserved, serving
from tests.eventually import eventually
from xnai_validate.demo.defects import TOPICS
from xnai_validate.demo.services.worker import GROUPS
from xnai_validate.demo.settings import Settings

Promise = Callable[[redis.Redis, float], bool]
"""Whether something is so within some seconds."""
SOON_S = 15.0
TOO_LONG_S = 1.0


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Redis whose database these tests empty."""
    with reserved(tmp_path_factory.mktemp("redis")) as settings, redis_running(settings):
        yield settings.redis_port


def _client(settings: Settings) -> redis.Redis:
    return redis.Redis(port=settings.redis_port, password=settings.redis_password, decode_responses=True, protocol=2)


def _job(client: redis.Redis, name: str, text: str = "one two two") -> None:
    client.xadd("xnai:agent_bus", {"type": "task", "correlation_id": name, "payload": json.dumps({"text": text})})


def _named(what: str) -> str:
    """A name that no earlier job has: a promise is tried more than once, and each time by results of its own."""
    return f"{what} {uuid4().hex}"


def _entries(client: redis.Redis, stream: str, after: str = "-") -> list[tuple[str, dict[str, str]]]:
    return cast("list[tuple[str, dict[str, str]]]", client.xrange(stream, min=after))


def _results(client: redis.Redis, name: str) -> list[dict[str, object]]:
    entries = [entry for _, entry in _entries(client, "xnai:task_updates")]
    return [json.loads(entry["result"]) for entry in entries if entry["correlation_id"] == name]


def _pending(client: redis.Redis) -> int:
    """Entries that are undelivered or unacknowledged, in all groups."""
    total = 0
    for stream in GROUPS:
        for group in client.xinfo_groups(stream):
            delivered = group["last-delivered-id"]
            total += group["pending"] + len(_entries(client, stream, f"({delivered}"))
    return total


def _does_a_job(client: redis.Redis, seconds: float) -> bool:
    name = _named("job")
    _job(client, name)
    return eventually(lambda: _results(client, name) != [], seconds)


def _does_it_once(client: redis.Redis, seconds: float) -> bool:
    once, after_it = _named("once"), _named("after it")
    _job(client, once)
    _job(client, after_it)
    return eventually(lambda: _results(client, after_it) != [], seconds) and len(_results(client, once)) == 1


def _reports_its_result(client: redis.Redis, seconds: float) -> bool:
    name = _named("result")
    _job(client, name, "one two two")
    return eventually(lambda: [r.get("words") for r in _results(client, name)] == [3], seconds)


def _drains(client: redis.Redis, seconds: float) -> bool:
    for number in range(20):
        _job(client, f"drain {number}")
        client.xadd("xnai:alerts", {"service": "redis", "severity": "critical"})
    return eventually(lambda: _pending(client) == 0, seconds)


def _groups(client: redis.Redis) -> bool:
    return all([g["name"] for g in client.xinfo_groups(stream)] == [GROUPS[stream]] for stream in GROUPS)


def _remembers(client: redis.Redis, seconds: float) -> bool:
    client.xadd("xnai:memory_updates", {"key": "colour", "value": "blue"})
    return eventually(lambda: client.get("xnai:memory:colour") == "blue", seconds)


def _keeps_poison(client: redis.Redis, seconds: float) -> bool:
    before = client.xlen("xnai:dlq")
    poison = str(client.xadd("xnai:agent_bus", {"type": "task", "payload": "{broken"}))
    behind = _named("behind the poison")
    _job(client, behind)
    through = eventually(lambda: _results(client, behind) != [], seconds)
    return through and client.xlen("xnai:dlq") == before + 1 and _entries(client, "xnai:dlq")[-1][1]["id"] == poison


PROMISES: dict[str, Promise] = {
    **dict.fromkeys(("worker-idle", "worker-acks-blindly", "worker-slow"), _does_a_job),
    "worker-never-acks": _drains,
    "worker-no-group": _remembers,
    **dict.fromkeys(("worker-drops-poison", "worker-stuck-on-poison"), _keeps_poison),
    "worker-repeats": _does_it_once,
    "worker-bad-result": _reports_its_result,
}


def test_a_healthy_worker_keeps_every_promise(tmp_path: Path, port: int) -> None:
    """Without a defect jobs are done once with a result, memory and alerts handled, poison kept, none left pending."""
    with reserved(tmp_path, redis_port=port) as settings, _client(settings) as client:
        client.flushdb()
        with serving(settings, "worker"):
            assert _groups(client)
            for name, promise in PROMISES.items():
                assert promise(client, SOON_S), name
            assert client.hget("xnai:alerts:handled", "redis") == "20"


@pytest.mark.parametrize("defect", [defect.name for defect in TOPICS["worker"] if defect.name in PROMISES])
def test_each_defect_breaks_its_promise(defect: str, tmp_path: Path, port: int) -> None:
    """With the defect the promise it is named for is not kept: the defect is real."""
    with reserved(tmp_path, "A", defect, redis_port=port) as settings, _client(settings) as client:
        client.flushdb()
        with serving(settings, "worker"):
            assert not PROMISES[defect](client, TOO_LONG_S)


def test_what_a_dead_worker_left_pending_is_taken_up(tmp_path: Path, port: int) -> None:
    """Entries delivered to a worker that died before it acknowledged them are handled by the next one."""
    defects = ("worker-acks-blindly", "worker-never-acks")
    with reserved(tmp_path, "A", *defects, redis_port=port) as settings, _client(settings) as client:
        client.flushdb()
        with serving(settings, "worker"):
            _job(client, "left")
            # The job, and the greeting that a worker which never acknowledges puts on the bus itself.
            assert eventually(lambda: client.xpending("xnai:agent_bus", "agent_wavefront")["pending"] == 2)
        assert _results(client, "left") == []
    with reserved(tmp_path, redis_port=port) as settings, _client(settings) as client, serving(settings, "worker"):
        assert eventually(lambda: len(_results(client, "left")) == 1 and _pending(client) == 0)


def test_the_groups_come_back_after_the_database_was_emptied(tmp_path: Path, port: int) -> None:
    """A worker whose streams vanish makes them anew and goes on."""
    with reserved(tmp_path, redis_port=port) as settings, _client(settings) as client:
        client.flushdb()
        with serving(settings, "worker"):
            client.flushdb()
            assert eventually(lambda: client.exists(*GROUPS) == len(GROUPS))
            assert _does_a_job(client, SOON_S)
