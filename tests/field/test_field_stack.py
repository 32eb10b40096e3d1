"""The second stack keeps the promises of contracts/."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from redis import Redis

from tests.field.documents import CANARIES
from tests.field.running import field_stack


@pytest.fixture(scope="module", params=["A", "B"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The stack in each layout."""
    with field_stack(request.param, tmp_path_factory.mktemp("field") / "errors.log") as description:
        yield description


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client for plain requests."""
    with httpx.Client(timeout=10, trust_env=False) as client:
        yield client


def _api(stack: dict[str, Any]) -> str:
    return str(stack["targets"]["api"]["url"])


def test_health_follows_from_the_components(stack: dict[str, Any], client: httpx.Client) -> None:
    """Health has the promised fields, and writes its key to Redis."""
    report = client.get(f"{_api(stack)}/health").json()
    assert {"status", "version", "memory_gb", "vectorstore_loaded", "components"} <= report.keys()
    assert report["status"] == ("healthy" if all(report["components"].values()) else "degraded")
    target = stack["targets"]["redis"]
    ca = target.get("tls", {}).get("ca")
    with Redis.from_url(target["url"], password=target["password"], **({"ssl_ca_certs": ca} if ca else {})) as redis:
        assert 0 < redis.ttl("xnai_health_check") <= 10


@pytest.mark.parametrize(("question", "phrase", "source"), CANARIES)
def test_answers_cite_their_document(
    stack: dict[str, Any], client: httpx.Client, question: str, phrase: str, source: str
) -> None:
    """A question of a document is answered by it, as a whole and as a stream."""
    whole = client.post(f"{_api(stack)}/query", json={"query": question}).json()
    assert phrase in whole["response"]
    assert whole["sources"] == [source]
    stream = client.post(f"{_api(stack)}/stream", json={"query": question})
    events = [json.loads(line[6:]) for line in stream.text.splitlines() if line.startswith("data: ")]
    assert [event["type"] for event in events[:2]] == ["sources", "token"]
    assert "".join(event["content"] for event in events[1:-1]) == whole["response"]
    assert events[-1]["tokens"] == len(events) - 2


def test_a_client_cannot_choose_the_request_id(stack: dict[str, Any], client: httpx.Client) -> None:
    """An error has the API's own id in header and envelope, also through the gateway."""
    gateway = stack["targets"]["gateway"]["url"] + stack["vars"]["gateway_api_prefix"]
    for base in (_api(stack), gateway):
        response = client.post(f"{base}/query", json={"query": ""}, headers={"X-Request-ID": "req_mine"})
        assert response.status_code == 400
        assert response.json()["error_code"] == "validation_validation"
        assert response.json()["request_id"] == response.headers["x-request-id"] != "req_mine"


def test_the_gateway_routes_by_layout(stack: dict[str, Any], client: httpx.Client) -> None:
    """Unknown paths are 404 in layout A and the user interface's in layout B; headers are added to all."""
    response = client.get(stack["targets"]["gateway"]["url"] + "/elsewhere")
    assert response.status_code == (404 if stack["layout"] == "A" else 200)
    assert response.headers["x-frame-options"] == "DENY"


def test_a_killed_part_is_back_under_another_pid(stack: dict[str, Any], client: httpx.Client) -> None:
    """The supervisor restarts what has ended."""
    target = stack["targets"]["docs"]
    psutil.Process(target["pid"]).kill()
    deadline = time.monotonic() + 30
    while True:
        try:
            assert client.get(target["url"]).status_code == 200
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_nothing_is_left(tmp_path: Path) -> None:
    """SIGTERM of the supervisor ends every part."""
    with field_stack("B", tmp_path / "errors.log") as description:
        processes = [psutil.Process(target["pid"]) for target in description["targets"].values() if "pid" in target]
    assert not [process for process in processes if process.is_running()]
