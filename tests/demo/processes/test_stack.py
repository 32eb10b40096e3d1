"""The embedded stack as a whole: it comes up, describes itself, restarts its parts, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.eventually import eventually
from xnai_validate.demo.processes.parts import parts_of
from xnai_validate.demo.processes.stack import EmbeddedStack, StackFailed
from xnai_validate.demo.processes.stack_file import Target
from xnai_validate.demo.settings import Layout

NEVER = Retry(NoBackoff(), 0)
TARGETS = {"api", "gateway", "metrics", "redis", "llm", "ui", "docs", "vikunja", "voice", "worker"}
VARS = {
    "layout",
    "gateway_api_prefix",
    "breakers",
    "call_timeout_s",
    "heartbeat_s",
    "monitor",
    "redis",
    "redis_key_prefix",
    "vikunja_token",
    "canaries",
}


@pytest.fixture(scope="module", params=["A", "B"])
def stack(request: pytest.FixtureRequest) -> Iterator[EmbeddedStack]:
    """A healthy stack of each layout, for tests that leave it as they found it."""
    layout: Layout = request.param
    with EmbeddedStack.start(layout) as running:
        yield running


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _gone(processes: list[psutil.Process]) -> bool:
    """Whether none of them runs; one whose parent has yet to collect it (zombie) is dead."""
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            continue
    return True


def _redis(target: Target) -> redis.Redis:
    tls = target.get("tls")
    options: dict[str, str] = {"ssl_ca_certs": tls["ca"]} if tls else {}
    client: redis.Redis = redis.Redis.from_url(
        target["url"], password=target["password"], protocol=2, retry=NEVER, **options
    )
    return client


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_stack_file_is_complete(stack: EmbeddedStack) -> None:
    """The stack file names every target with its process, and every var, and is JSON."""
    described = stack.description
    assert set(described["targets"]) == TARGETS
    assert set(described["vars"]) >= VARS
    assert all(psutil.pid_exists(target["pid"]) for target in described["targets"].values())
    assert all("url" in target for name, target in described["targets"].items() if name != "worker")
    assert json.loads(json.dumps(described)) == described
    prefix = {"A": "", "B": "/xnai/api/v1"}[described["layout"]]
    assert described["targets"]["api"]["url"] == described["targets"]["api"]["root"] + prefix
    assert described["vars"]["canaries"]


def test_every_part_answers_its_probe(stack: EmbeddedStack) -> None:
    """Once the stack file is printed, each part answers at once, from its own process."""
    targets = stack.description["targets"]
    for part in parts_of(stack.description["layout"]):
        if part.probe is not None:
            assert httpx.get(targets[part.name]["url"] + part.probe, timeout=10).status_code == 200, part.name
    with _redis(targets["redis"]) as client:
        assert client.ping()
        assert client.info("server")["process_id"] == targets["redis"]["pid"]


def test_the_gateway_leads_to_the_api(stack: EmbeddedStack) -> None:
    """Health through the gateway's prefix is the API's health."""
    described = stack.description
    through = f"{described['targets']['gateway']['url']}{described['vars']['gateway_api_prefix']}/health"
    assert httpx.get(through, timeout=10).json()["status"] == "healthy"


def test_redis_requires_the_password_and_in_layout_b_tls(stack: EmbeddedStack) -> None:
    """Redis answers no client without the password, and in layout B none without TLS."""
    target = stack.description["targets"]["redis"]
    port = int(target["url"].rpartition(":")[2].partition("/")[0])
    with redis.Redis(port=port, protocol=2, retry=NEVER) as stranger, pytest.raises(redis.RedisError):
        stranger.get("x")
    if target["url"].startswith("rediss:"):
        with (
            redis.Redis(port=port, password=target["password"], retry=NEVER) as plain,
            pytest.raises(redis.ConnectionError),
        ):
            plain.ping()


def test_a_killed_api_comes_back_under_a_new_process_id(stack: EmbeddedStack) -> None:
    """A dead part refuses connections, is started again under a new process id, and the state file has the new one."""
    before = stack.description["targets"]["api"]
    address = ("127.0.0.1", int(before["root"].rpartition(":")[2]))
    os.kill(before["pid"], signal.SIGKILL)
    refused = False
    deadline = time.monotonic() + 20
    while not refused and time.monotonic() < deadline:
        try:
            # A short limit: one that waits for a second may pass over the time in which connections are refused.
            socket.create_connection(address, timeout=0.05).close()
        except (ConnectionRefusedError, ConnectionResetError):
            refused = True
        except TimeoutError:
            continue  # the socket that a dying worker still holds has a full backlog: not refused yet
    assert refused
    assert eventually(lambda: stack.description["targets"]["api"]["pid"] != before["pid"])
    after = stack.description["targets"]
    assert after["metrics"]["pid"] == after["api"]["pid"]
    assert _answers(before["url"] + "/health")


def test_a_killed_redis_comes_back_on_its_port(stack: EmbeddedStack) -> None:
    """Redis, too, is started again, where it was."""
    target = stack.description["targets"]["redis"]
    os.kill(target["pid"], signal.SIGKILL)

    def is_back() -> bool:
        try:
            with _redis(target) as client:
                running = client.info("server")["process_id"]
                return bool(running == stack.description["targets"]["redis"]["pid"] != target["pid"])
        except (redis.RedisError, OSError):
            return False

    assert eventually(is_back)


@pytest.mark.parametrize("layout", ["A", "B"])
def test_a_killed_supervisor_leaves_nothing(layout: Layout) -> None:
    """After SIGKILL of the supervisor all parts end, Redis too, and the run directory is cleared away."""
    with EmbeddedStack.start(layout) as stack:
        family = _family(stack.pid)
        assert len(family) > 9
        os.kill(stack.pid, signal.SIGKILL)
        assert eventually(lambda: _gone(family))
        assert eventually(lambda: not stack.run_dir.exists())


def test_a_stack_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """A stack ends with the process that started it, even one that is killed."""
    script = (
        "import time; from xnai_validate.demo.processes.stack import EmbeddedStack\n"
        "stack = EmbeddedStack.start(); print(stack.pid, stack.run_dir, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid, run_dir = starter.stdout.readline().split()
        family = _family(int(pid))
        starter.kill()
    assert eventually(lambda: _gone(family))
    assert eventually(lambda: not Path(run_dir).exists())


def test_cycles_leak_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting and stopping three times leaves no process, no file and no open descriptor."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = psutil.Process().num_fds()
    family: list[psutil.Process] = []
    for _ in range(3):
        with EmbeddedStack.start() as stack:
            family += _family(stack.pid)
    assert _gone(family)
    assert list(tmp_path.iterdir()) == []
    assert psutil.Process().num_fds() <= before


def test_the_named_state_file_follows_the_stack(tmp_path: Path) -> None:
    """The named file has the stack file while the stack runs, readable by its owner only, and is removed with it."""
    state = tmp_path / "stack.json"
    with EmbeddedStack.start(state_file=state) as stack:
        assert json.loads(state.read_text()) == stack.description
        assert state.stat().st_mode & 0o077 == 0
    assert not state.exists()
    stack.stop()


def test_an_unknown_defect_is_refused_with_the_nearest_name() -> None:
    """A misspelt defect never starts a healthy stack: exit code 2, and the message names the nearest one."""
    ended = _demo("--defect", "ui-emty")
    assert ended.returncode == 2
    assert "did you mean ui-empty?" in ended.stderr
    with pytest.raises(StackFailed, match="did you mean ui-empty"):
        EmbeddedStack.start(defects=("ui-emty",))


def test_a_defect_of_the_other_layout_is_refused() -> None:
    """A defect that the layout cannot have is refused rather than ignored."""
    ended = _demo("--defect", "tls-expired", "--layout", "A")
    assert ended.returncode == 2
    assert "only in layout B" in ended.stderr


def test_without_a_redis_server_the_message_names_the_ways_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that cannot be run ends the start with one sentence and no traceback."""
    monkeypatch.setenv("XNAI_REDIS_SERVER", "/nowhere/redis-server")
    with pytest.raises(StackFailed, match="/nowhere/redis-server is not a program"):
        EmbeddedStack.start()


def test_a_redis_that_fails_is_named_with_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that does not come up ends the start at once with its name and the end of its log."""
    monkeypatch.setenv("XNAI_REDIS_SERVER", "/bin/false")
    with pytest.raises(StackFailed, match="redis"):
        EmbeddedStack.start()


def test_sigterm_ends_the_program_in_good_order() -> None:
    """Run by hand, the program prints one line, and SIGTERM ends it with exit code 0."""
    with subprocess.Popen([sys.executable, "-m", "xnai_validate.demo"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        family = _family(process.pid)
        process.terminate()
        assert process.stdout.read() == ""
        assert process.wait(20) == 0
    assert json.loads(line)["layout"] == "A"
    assert _gone(family)


def _demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "xnai_validate.demo", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
