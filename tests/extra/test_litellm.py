"""LiteLLM's proxy, from PyPI, validated with YAML alone: our facts match its bytes."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.tool import report, tool
from tests.ports import free_port
from xnai_validate.model.results.report import CheckResult
from xnai_validate.model.results.status import Status

HERE = Path(__file__).parent / "litellm"
QUESTION = {"model": "canary", "messages": [{"role": "user", "content": "When do circuits open?"}]}
START_S = 300

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The proxy, in an environment of its own: it pins much of what we use in other versions.

    XNAI_TEST_LITELLM names one that is installed already.
    """
    named = os.environ.get("XNAI_TEST_LITELLM")
    if named:
        return Path(named)
    venv = tmp_path_factory.mktemp("litellm")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip: list[str | Path] = [venv / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "litellm[proxy]>=1.80"], check=True)
    return venv / "bin" / "litellm"


class Proxy:
    """A running proxy."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key
        self.url = f"http://127.0.0.1:{port}"

    def raw(self, method: str, path: str, body: Any = None, *, key: bool = True) -> tuple[int, dict[str, str], bytes]:
        """What it answers, as it comes, by the standard library."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if key else {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        connection.close()
        return found


@pytest.fixture(scope="module")
def proxy(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy with a mocked model; it connects to no other machine."""
    port = free_port()
    key = f"sk-{secrets.token_hex(16)}"
    own = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    process = subprocess.Popen(
        [program, "--config", HERE / "config.yaml", "--host", "127.0.0.1", "--port", str(port), "--telemetry", "False"],
        env={**os.environ, **own},
        cwd=tmp_path_factory.mktemp("proxy"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _await(f"http://127.0.0.1:{port}/health/liveliness", process)
        yield Proxy(port, key)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while True:
        assert process.poll() is None, "the proxy ended at its start"
        assert time.monotonic() < end, "the proxy does not start"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)


@pytest.fixture(scope="module")
def checks(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> dict[str, CheckResult]:
    """Our results: check -> result."""
    home = tmp_path_factory.mktemp("home")
    out = home / "report.json"
    done = tool(
        home, "run", "litellm", "--path", str(HERE), "-o", str(out),
        env={"XNAI_PROXY_URL": proxy.url, "LITELLM_MASTER_KEY": proxy.key}, timeout=300,
    )  # fmt: skip
    assert done.code in (0, 1), done.stdout + done.stderr
    assert proxy.key not in out.read_text() + done.stdout
    return {check.id.partition(":")[2]: check for check in report(out).checks}


def blocks(body: bytes) -> list[str]:
    """The data of each event of a stream, read as simply as can be: for a server that is well-behaved."""
    return [block.removeprefix("data: ") for block in body.decode().split("\n\n") if block]


def test_the_stream_is_reported_line_by_line(proxy: Proxy, checks: dict[str, CheckResult]) -> None:
    """Events, tokens, text, order, sizes and headers are those of the bytes; ids and times differ from call to call."""
    status, headers, body = proxy.raw("POST", "/v1/chat/completions", QUESTION | {"stream": True})
    data = blocks(body)
    chunks = [json.loads(line) for line in data[:-1]]
    texts = [chunk["choices"][0]["delta"].get("content") for chunk in chunks]
    facts = checks["stream"].facts
    assert checks["stream"].status is Status.PASS, checks["stream"].reason
    assert (status, facts["status"]) == (200, 200)
    assert facts["event_count"] == len(data)
    assert facts["tokens"] == sum(isinstance(text, str) for text in texts)
    assert facts["text"] == "".join(filter(None, texts))
    assert data[-1] == "[DONE]" == facts["terminal"] == facts["last_event"]
    assert facts["max_event_bytes"] == max(len(line.encode()) for line in data)
    assert facts["bytes"] == len(body)
    read_headers = facts["headers"]
    assert isinstance(read_headers, dict)
    for name in ("content-type", "cache-control", "x-accel-buffering", "x-litellm-version", "x-litellm-model-name"):
        assert read_headers[name] == headers[name], name
    events = facts["events"]
    assert isinstance(events, list)
    assert len(events) == len(data)
    for event, chunk in zip(events[:-1], chunks, strict=True):
        assert isinstance(event, dict)
        seen = event["data"]
        assert isinstance(seen, dict)
        assert {**seen, "id": 0, "created": 0} == {**chunk, "id": 0, "created": 0}


def test_the_answer_is_reported_as_it_is(proxy: Proxy, checks: dict[str, CheckResult]) -> None:
    """Model, answer and the way through the flow; whole and streamed are the same, and stand in the document."""
    _, _, listed = proxy.raw("GET", "/v1/models")
    _, _, body = proxy.raw("POST", "/v1/chat/completions", QUESTION)
    answer = json.loads(body)["choices"][0]["message"]["content"]
    flow = checks["model-to-answer"]
    assert flow.status is Status.PASS, flow.reason
    captured = flow.facts["captured"]
    assert isinstance(captured, dict)
    assert (captured["model"], captured["answer"]) == (json.loads(listed)["data"][0]["id"], answer)
    assert flow.facts["reached"] == "stream"
    mocked = yaml.safe_load((HERE / "config.yaml").read_text())["model_list"][0]["litellm_params"]["mock_response"]
    assert answer == mocked == checks["grounded"].facts["answer"]
    for name in ("same", "grounded", "left-early", "alive"):
        assert checks[name].status is Status.PASS, (name, checks[name].reason)


@pytest.mark.parametrize(
    ("name", "method", "path", "body", "key", "expected"),
    [
        ("unknown-model", "POST", "/v1/chat/completions", QUESTION | {"model": "no-such-model"}, True, {400}),
        ("without-key", "GET", "/v1/models", None, False, {401}),
    ],
)
def test_refusals_are_judged_by_what_came(
    proxy: Proxy,
    checks: dict[str, CheckResult],
    name: str,
    method: str,
    path: str,
    body: Any,
    key: bool,
    expected: set[int],
) -> None:
    """The status in the report is the one on the wire, and the verdict follows from it alone."""
    status, _, body_bytes = proxy.raw(method, path, body, key=key)
    check = checks[name]
    assert check.facts["status"] == status
    assert check.facts["text"] == body_bytes.decode()
    assert check.status is (Status.PASS if status in expected else Status.FAIL)
