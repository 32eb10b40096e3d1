"""Containers are asked about over a real Unix socket, whose server answers as Docker and Podman document it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from pydantic import ValidationError

from tests.checkers.beside import beside
from tests.checkers.container_api import Engine, container_api
from tests.context import observe
from xnai_validate.checkers.container.state import StateParams
from xnai_validate.kit import NotApplicable, Target
from xnai_validate.model.judging.findings import describe_finding
from xnai_validate.model.results.exchange import recorder
from xnai_validate.wire.containers.engine import NoSuchContainer, container_engine, find_socket

MIB = 2**20
REDIS = Target("redis", container="xnai_redis")


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with container_api(tmp_path / "engine.sock") as server:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{server.path}")
        yield server


def docker(**state: Any) -> dict[str, Any]:
    """ContainerInspect as the Docker Engine API documents it: the parts that matter, and some that do not."""
    started = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    return {
        "Id": "a" * 64,
        "Created": started,
        "Path": "redis-server",
        "State": {
            "Status": "running", "Running": True, "Paused": False, "Restarting": False, "OOMKilled": False,
            "Pid": 4242, "ExitCode": 0, "Error": "", "StartedAt": started, "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "healthy", "FailingStreak": 0, "Log": []}, **state,
        },
        "Image": "sha256:" + "b" * 64,
        "Name": "/xnai_redis",
        "RestartCount": 2,
        "HostConfig": {
            "Memory": 512 * MIB, "PidsLimit": 200, "Privileged": False, "ReadonlyRootfs": True,
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
        },
        "Config": {"Image": "redis:7.4", "User": "1001:1001", "Env": ["REDIS_PASSWORD=not-for-facts"]},
        "NetworkSettings": {
            "Networks": {"xnai_network": {"IPAddress": "172.28.0.2"}, "backend": {}},
            "Ports": {
                "6379/tcp": None,
                "9121/tcp": [{"HostIp": "0.0.0.0", "HostPort": "9121"}, {"HostIp": "::", "HostPort": "9121"}],
            },
        },
    }  # fmt: skip


STATS = {
    "read": "2026-02-01T00:00:00Z",
    "memory_stats": {"usage": 160 * MIB, "limit": 512 * MIB, "stats": {"inactive_file": 32 * MIB, "anon": 100 * MIB}},
    "pids_stats": {"current": 5, "limit": 200},
    "cpu_stats": {"cpu_usage": {"total_usage": 1}},
}


def test_a_running_container_is_described(engine: Engine) -> None:
    """Every fact of a Docker inspection and its statistics arrives, with the droppable page cache taken off."""
    engine.give("GET /containers/xnai_redis/json", docker())
    engine.give("GET /containers/xnai_redis/stats", STATS)
    seen = observe("container.state", REDIS)
    assert seen.held
    facts = dict(seen.facts)
    assert 3599 <= facts.pop("uptime_s") < 4200
    assert facts.pop("started_at").endswith("+00:00")
    assert facts == {
        "error": None, "error_detail": None, "found": True, "running": True, "status": "running", "health": "healthy",
        "replicas_running": None, "health_failures": 0,
        "restarts": 2, "oom_killed": False, "exit_code": 0, "pid": 4242, "image": "redis:7.4",
        "usage_error": None,
        "memory_limit_mib": 512, "memory_mib": 128, "memory_percent": 25, "pids": 5, "pids_limit": 200,
        "networks": ["backend", "xnai_network"], "ports": {"6379/tcp": "", "9121/tcp": "0.0.0.0:9121, [::]:9121"},
        "restart_policy": "unless-stopped", "user": "1001:1001", "privileged": False, "readonly": True,
    }  # fmt: skip
    assert "stream=false" in engine.requests[1]
    assert "not-for-facts" not in str(seen.facts)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_a_start_without_a_zone_is_in_utc(engine: Engine, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    """Wherever the tool runs: read in the local zone, the uptime would be hours too long or none at all."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        started = datetime.now(UTC) - timedelta(hours=1)
        engine.give("GET /containers/xnai_redis/json", docker(StartedAt=started.strftime("%Y-%m-%dT%H:%M:%S.%f")))
        engine.give("GET /containers/xnai_redis/stats", STATS)
        facts = observe("container.state", REDIS).facts
    finally:
        monkeypatch.undo()
        time.tzset()
    assert 3599 <= facts["uptime_s"] < 4200
    assert facts["started_at"] == started.isoformat()


def test_without_statistics_all_else_is_known(engine: Engine) -> None:
    """A rootless engine without delegated control groups has none: state, health and restarts stay, with the reason."""
    engine.give("GET /containers/xnai_redis/json", docker())
    engine.give("GET /containers/xnai_redis/stats", b'{"message":"cgroups: cannot get stats"}', 500)
    seen = observe("container.state", REDIS, expect={"health": "healthy", "memory_percent": {"max": 90}})
    assert [finding.fact for finding in seen.findings if not finding.held] == ["memory_percent"]
    assert (seen.facts["error"], seen.facts["restarts"], seen.facts["memory_mib"]) == (None, 2, None)
    assert "cgroups: cannot get stats" in seen.facts["usage_error"]
    broken = next(finding for finding in seen.findings if not finding.held)
    assert "cannot get stats" in describe_finding(broken, seen.facts)


def test_podman_is_understood(engine: Engine) -> None:
    """No health check as an empty text, no control group counters, unlimited as 0: all are understood."""
    answer = docker(Health={"Status": "", "FailingStreak": 0, "Log": None})
    answer["HostConfig"] |= {"Memory": 0, "PidsLimit": 0, "RestartPolicy": {"Name": "", "MaximumRetryCount": 0}}
    engine.give("GET /containers/xnai_redis/json", answer)
    engine.give(
        "GET /containers/xnai_redis/stats", {"memory_stats": {"usage": 64 * MIB, "limit": 640 * MIB, "stats": None}}
    )
    seen = observe("container.state", REDIS)
    assert seen.held
    expected = {
        "health": "none", "memory_limit_mib": None, "pids_limit": None, "restart_policy": "no", "memory_mib": 64,
        "memory_percent": 10,
    }  # fmt: skip
    assert {name: seen.facts[name] for name in expected} == expected


def test_a_stopped_container_fails_and_keeps_its_exit_code(engine: Engine) -> None:
    """A container that was ended for want of memory reports it, and no statistics are asked for."""
    engine.give(
        "GET /containers/xnai_redis/json",
        docker(Status="exited", Running=False, OOMKilled=True, ExitCode=137, Pid=0, Health=None),
    )
    seen = observe("container.state", REDIS)
    assert not seen.held
    assert [f.fact for f in seen.findings if not f.held] == ["running"]
    assert (seen.facts["oom_killed"], seen.facts["exit_code"], seen.facts["uptime_s"]) == (True, 137, None)
    asked = [request.partition("?")[0].rpartition("/")[2] for request in engine.requests]
    assert asked == ["json", "json", "logs"]


def test_unhealthy_is_a_fact(engine: Engine) -> None:
    """A failing health check of the container shows as unhealthy with its number of failures."""
    engine.give(
        "GET /containers/xnai_redis/json", docker(Health={"Status": "unhealthy", "FailingStreak": 4, "Log": []})
    )
    engine.give("GET /containers/xnai_redis/stats", STATS)
    seen = observe("container.state", REDIS, expect={"health": "healthy"})
    assert not seen.held
    assert seen.facts["health_failures"] == 4


def test_an_unknown_container_is_not_found(engine: Engine) -> None:
    """404 from the engine is the fact `found: false`, and the name is sent as one part of the path."""
    engine.give("GET /containers/a%20b/json", {"message": "No such container: a b"}, 404)
    seen = observe("container.state", Target("redis", container="a b"))
    assert not seen.held
    assert seen.facts["found"] is False
    assert seen.facts["error"] is None


def test_a_service_is_found_by_its_labels(engine: Engine) -> None:
    """`project/service` is the first container of the service that runs; all that run are counted."""
    listed = [
        {"Id": "old", "State": "exited", "Labels": {"com.docker.compose.container-number": "1"}},
        {"Id": "second", "State": "running", "Labels": {"com.docker.compose.container-number": "3"}},
        {"Id": "first", "State": "running", "Labels": {"com.docker.compose.container-number": "2"}},
    ]
    engine.give("GET /containers/json", listed)
    engine.give("GET /containers/first/json", docker())
    engine.give("GET /containers/first/stats", STATS)
    seen = observe("container.state", Target("db", container="shop/db"))
    assert (seen.held, seen.facts["replicas_running"], seen.facts["memory_mib"]) == (True, 2, 128)
    asked = unquote(engine.requests[0])
    assert '"com.docker.compose.project=shop", "com.docker.compose.service=db"' in asked.replace("+", " ")


def test_a_service_without_containers_is_not_found(engine: Engine) -> None:
    """A project that is down has no container with its labels."""
    engine.give("GET /containers/json", [])
    seen = observe("container.state", Target("db", container="shop/db"))
    assert (seen.held, seen.facts["found"]) == (False, False)


@pytest.mark.parametrize(
    ("status", "body", "detail"),
    [
        (500, b'{"message":"driver failed"}', "500: driver failed"),
        (404, b'{"message":"page not found"}', "404: page not found"),
        (502, b"<html>bad gateway", "502: <html>bad gateway"),
        (200, b'{"Id": "a", "State":', "JSON"),
        (200, b"[]", "Input should be an object"),
        (200, b'{"Id": "a"}', "State"),
        (200, b'{"Id": "a", "State": {"ExitCode": "one"}}', "State.ExitCode"),
    ],
)
def test_an_unusable_answer_is_an_error(engine: Engine, status: int, body: bytes, detail: str) -> None:
    """What an engine cannot mean is a protocol error that names the place, never a crash or a pass."""
    engine.give("GET /containers/xnai_redis/json", body, status)
    seen = observe("container.state", REDIS)
    assert not seen.held
    assert seen.facts["error"] == "protocol"
    assert detail in seen.facts["error_detail"]
    assert seen.facts["found"] is None


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"", "reset"),
        (HEAD, "reset"),
        (HEAD + b'Content-Length: 100\r\n\r\n{"Id":', "reset"),
        (HEAD + b'Transfer-Encoding: chunked\r\n\r\n6\r\n{"Id":\r\n', "reset"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nno size\r\n", "protocol"),
        (b"-ERR unknown command\r\n\r\n", "protocol"),
        (HEAD + b"X: " + b"a" * 200_000 + b"\r\n\r\n", "too_large"),
    ],
)
def test_what_is_no_whole_answer_has_a_name(tmp_path: Path, response: bytes, error: str) -> None:
    """An engine that leaves too early is `reset`; what is not HTTP is `protocol`, a head without end `too_large`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(OSError):
            writer.write(response)
            await writer.drain()
        writer.close()

    @asynccontextmanager
    async def serving() -> AsyncIterator[str]:
        path = f"{tmp_path}/engine.sock"
        async with await asyncio.start_unix_server(handle, path):
            yield path

    with beside(serving) as path:
        seen = observe("container.state", REDIS, socket=path).facts
    assert seen["error"] == error, seen["error_detail"]
    assert seen["error_detail"].startswith(f"{tmp_path}/engine.sock: ")


def test_an_endless_answer_is_cut(engine: Engine) -> None:
    """An answer beyond the cap is refused, not stored."""
    engine.give("GET /containers/xnai_redis/json", b'{"Id": "' + b"a" * (5 * MIB) + b'"}')
    assert observe("container.state", REDIS).facts["error"] == "too_large"


def test_a_hanging_engine_is_a_timeout(engine: Engine) -> None:
    """An engine that never answers is a time-out of that many seconds; without statistics all else stays known."""
    engine.hang("GET /containers/xnai_redis/json")
    assert observe("container.state", REDIS, timeout="100ms").facts["error"] == "timeout"
    engine.give("GET /containers/xnai_redis/json", docker())
    engine.hang("GET /containers/xnai_redis/stats")
    seen = observe("container.state", REDIS, timeout="1s")
    assert (seen.facts["error"], seen.facts["running"], seen.facts["memory_mib"]) == (None, True, None)
    assert seen.facts["usage_error"]
    assert observe("container.state", REDIS, usage=False).held


def test_a_dead_socket_is_refused(tmp_path: Path) -> None:
    """A socket that an ended engine left behind is refused."""
    path = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    seen = observe("container.state", REDIS, socket=str(path))
    assert seen.facts["error"] == "refused"
    assert str(path) in seen.facts["error_detail"]


def test_where_the_socket_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine the check is not applicable and names the places; a plain file is not a socket."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(NotApplicable, match=r"looked for .*/none\.sock"):
        observe("container.state", REDIS)
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    with pytest.raises(NotApplicable, match="DOCKER_HOST"):
        find_socket()
    (tmp_path / "file").write_text("")
    with pytest.raises(NotApplicable, match="no container engine socket at"):
        find_socket(f"{tmp_path}/file")


@pytest.mark.parametrize("address", ["", "tcp://127.0.0.1:2375", "unix://", "a\0b", "/" + "x" * 107])
def test_what_is_no_path_of_a_socket_is_refused(address: str) -> None:
    """When the profile is loaded, not when the check runs."""
    with pytest.raises(ValidationError, match="Unix socket"):
        StateParams(socket=address)
    assert StateParams(socket="unix:///run/x.sock").socket == "/run/x.sock"


def test_rootless_engines_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Podman of the user is found below XDG_RUNTIME_DIR."""
    for variable in ("DOCKER_HOST", "CONTAINER_HOST"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "podman").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "podman/podman.sock"))
        found = find_socket()
    assert found in (f"{tmp_path}/podman/podman.sock", "/var/run/docker.sock")


def test_a_target_without_container_is_not_applicable() -> None:
    """Nothing is asked where no container is known."""
    with pytest.raises(NotApplicable, match="no container is known for target api"):
        observe("container.state", Target("api", "http://127.0.0.1:1"))


def test_actions_reach_the_engine(engine: Engine) -> None:
    """Actions post what the API documents; 304 means it was so already; 404 names the container."""
    engine.give("POST /containers/xnai_redis/pause", b"", 204)
    engine.give("POST /containers/xnai_redis/start", b"", 304)
    engine.give("POST /containers/xnai_redis/stop", b"", 204)
    engine.give("POST /containers/xnai_redis/kill", b"", 204)
    engine.give("POST /containers/gone/unpause", {"message": "No such container: gone"}, 404)

    async def act() -> tuple[bool, bool]:
        async with container_engine(engine.path, 5) as client:
            await client.act("stop", "xnai_redis", grace_s=3)
            await client.act("kill", "xnai_redis", signal="SIGSTOP")
            with pytest.raises(NoSuchContainer, match="No such container: gone"):
                await client.act("unpause", "gone")
            return await client.act("pause", "xnai_redis"), await client.act("start", "xnai_redis")

    assert asyncio.run(act()) == (True, False)
    assert engine.requests[:2] == [
        "POST /containers/xnai_redis/stop?t=3",
        "POST /containers/xnai_redis/kill?signal=SIGSTOP",
    ]


@pytest.mark.parametrize(
    ("state", "has_log"),
    [
        ({"Health": {"Status": "unhealthy", "FailingStreak": 3, "Log": []}}, True),
        ({"Status": "exited", "Running": False, "ExitCode": 1}, True),
        ({"OOMKilled": True}, True),
        ({}, False),
    ],
)
def test_the_log_of_a_container_in_trouble_is_evidence(engine: Engine, state: dict[str, Any], has_log: bool) -> None:
    """One that runs undisturbed is not asked for it."""
    engine.give("GET /containers/xnai_redis/json", docker(**state) | {"RestartCount": 0})
    engine.give("GET /containers/xnai_redis/stats", STATS)
    engine.give("GET /containers/xnai_redis/logs", b"\x02\0\0\0\0\0\0\x05Oops\n")
    with recorder() as kept:
        observe("container.state", REDIS)
    bodies = [each.response_body for each in kept.exchanges() if each.protocol == "container"]
    assert bodies == (["Oops"] if has_log else [])
