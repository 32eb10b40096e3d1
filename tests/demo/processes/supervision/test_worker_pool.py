"""Several workers behind one port: they count together, one monitors for all, and a dead worker is replaced."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest
import redis
from websockets.sync.client import connect

from tests.eventually import eventually
from xnai_validate.demo.processes.stack import EmbeddedStack

QUESTION = {"query": "What is Xoe-NovAi?"}


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    """A healthy stack."""
    with EmbeddedStack.start() as running:
        yield running


def _workers(stack: EmbeddedStack) -> list[psutil.Process]:
    return psutil.Process(stack.description["targets"]["api"]["pid"]).children()


def _url(stack: EmbeddedStack, target: str, path: str) -> str:
    return stack.description["targets"][target]["url"] + path


def _counted(stack: EmbeddedStack, name: str) -> float:
    lines = httpx.get(_url(stack, "metrics", "/metrics"), timeout=10).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@contextlib.contextmanager
def _only(stack: EmbeddedStack, number: int) -> Iterator[None]:
    """Within the block new connections come to this worker: the others are stopped."""
    others = [worker for place, worker in enumerate(_workers(stack)) if place != number]
    for other in others:
        other.suspend()
    try:
        yield
    finally:
        for other in others:
            other.resume()


def _ask_each(stack: EmbeddedStack, times: int) -> None:
    """Ask both workers, on a connection for each question."""
    for number in (0, 1):
        with _only(stack, number):
            for _ in range(times):
                assert httpx.post(_url(stack, "api", "/query"), json=QUESTION, timeout=20).status_code == 200


def test_both_workers_answer_and_count_together(stack: EmbeddedStack) -> None:
    """Whichever worker answers, the counters move by the requests to both, and no session stays active."""
    assert len(_workers(stack)) == 2
    before = _counted(stack, "xnai_requests_total"), _counted(stack, "xnai_queries_processed_total")
    _ask_each(stack, 3)
    assert _counted(stack, "xnai_requests_total") - before[0] == 6
    assert _counted(stack, "xnai_queries_processed_total") - before[1] == 6
    assert _counted(stack, "xnai_active_sessions") == 0


def test_a_dead_worker_is_replaced_and_what_it_counted_stays(stack: EmbeddedStack) -> None:
    """The other one goes on answering, the part keeps its process id, and no counter falls back."""
    _ask_each(stack, 1)
    pool = stack.description["targets"]["api"]["pid"]
    counted = _counted(stack, "xnai_queries_processed_total")
    first, second = _workers(stack)
    os.kill(first.pid, signal.SIGKILL)
    assert httpx.get(_url(stack, "api", "/health"), timeout=20).status_code == 200
    assert eventually(lambda: len(_workers(stack)) == 2 and first.pid not in {worker.pid for worker in _workers(stack)})
    assert second.pid in {worker.pid for worker in _workers(stack)}
    assert stack.description["targets"]["api"]["pid"] == pool
    _ask_each(stack, 1)
    assert _counted(stack, "xnai_queries_processed_total") == counted + 2


def _members(stack: EmbeddedStack) -> tuple[dict[str, int], list[str]]:
    stats = httpx.get(_url(stack, "api", "/ws/stats"), timeout=10).json()
    return stats["rooms"], stats["agents_connected"]


def test_agents_of_different_workers_meet() -> None:
    """In layout B a room is one room: its agents and their broadcasts reach both workers."""
    with EmbeddedStack.start("B") as stack:
        base = _url(stack, "api", "/ws/lab/").replace("http:", "ws:")
        with contextlib.ExitStack() as open_sockets:
            sockets = []
            for number in (0, 1):
                with _only(stack, number):
                    sockets.append(open_sockets.enter_context(connect(f"{base}did:{number}")))
                    assert json.loads(sockets[-1].recv(10))["type"] == "connected"
            first, second = sockets
            assert eventually(lambda: _members(stack) == ({"lab": 2}, ["did:0", "did:1"]))
            first.send(json.dumps({"type": "broadcast", "payload": {"text": "hello"}}))
            assert json.loads(first.recv(10))["delivered"] == 1
            heard = json.loads(second.recv(10))
            assert (heard["type"], heard["sender"], heard["payload"]) == ("broadcast", "did:0", {"text": "hello"})
        assert eventually(lambda: httpx.get(_url(stack, "api", "/ws/stats"), timeout=10).json()["total_rooms"] == 0)


def test_one_monitor_watches_for_all(stack: EmbeddedStack) -> None:
    """A service that goes down raises one alert, not one a worker."""
    target = stack.description["targets"]["redis"]
    with redis.Redis.from_url(target["url"], password=target["password"], decode_responses=True, protocol=2) as client:

        def alerts() -> list[str]:
            entries = client.xrange("xnai:alerts")
            assert isinstance(entries, list)
            return [fields["type"] for _, fields in entries if fields["service"] == "vikunja"]

        before = len(alerts())
        vikunja = stack.description["targets"]["vikunja"]["pid"]
        os.kill(vikunja, signal.SIGSTOP)
        try:
            assert eventually(lambda: "status_change" in alerts()[before:])
        finally:
            os.kill(vikunja, signal.SIGCONT)
        assert eventually(lambda: "recovery" in alerts()[before:])
        time.sleep(1.5)  # a second monitor would have spoken by then
        kinds = alerts()[before:]
        assert (kinds.count("status_change"), kinds.count("recovery")) == (2, 1)
