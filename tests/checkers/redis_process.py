"""A real Redis server for tests, on a free port of 127.0.0.1."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from tests.ports import free_port
from xnai_validate.demo.processes.redis_server import find_server
from xnai_validate.kit import Target

PASSWORD = "s3cret-of-tests"


@contextmanager
def redis_server(*options: str, password: str | None = PASSWORD) -> Iterator[tuple[Target, redis.Redis]]:
    """A server that is up, as a target and as a client to prepare it with; gone at the end."""
    with tempfile.TemporaryDirectory() as folder:
        process, port = _start(folder, options, password)
        client = redis.Redis(port=port, password=password, decode_responses=True)
        try:
            yield Target("redis", f"redis://127.0.0.1:{port}/0", password=password), client
        finally:
            client.close()
            process.kill()
            process.wait(10)


def _start(folder: str, options: tuple[str, ...], password: str | None) -> tuple[subprocess.Popen[bytes], int]:
    for _ in range(5):  # another process may take the port meanwhile
        port = free_port()
        own = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--loglevel", "warning"]
        secret = ["--requirepass", password] if password else []
        process = subprocess.Popen([find_server(), *own, *secret, *options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while process.poll() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                    connection.sendall(b"PING\r\n")
                    if connection.recv(64)[:1] in (b"+", b"-"):
                        return process, port
            except OSError:
                time.sleep(0.01)
        process.kill()
        process.wait(10)
    raise AssertionError("redis-server did not start")
