"""A real Redis server for tests, on a free port of 127.0.0.1."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

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


@contextmanager
def redis_cluster(password: str | None = PASSWORD) -> Iterator[list[tuple[Target, redis.Redis]]]:
    """Three masters that serve a third of the slots each, as targets and clients; gone at the end."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        nodes = []
        for number in range(3):
            own = ("--cluster-enabled", "yes", "--cluster-config-file", f"nodes-{number}.conf")
            process, port = _start(folder, (*own, "--cluster-node-timeout", "5000"), password)
            stack.callback(process.wait, 10)
            stack.callback(process.kill)
            client = redis.Redis(port=port, password=password, decode_responses=True)
            stack.callback(client.close)
            nodes.append((Target("redis", f"redis://127.0.0.1:{port}", password=password), client))
            cluster(client, "ADDSLOTS", *range(number * 5462, min(16384, (number + 1) * 5462)))
            cluster(client, "MEET", "127.0.0.1", nodes[0][0].port)
        deadline = time.monotonic() + 30
        while not all(_knows_every_slot(client) for _, client in nodes):
            assert time.monotonic() < deadline, "the nodes of the cluster did not find each other"
            time.sleep(0.05)
        yield nodes


def cluster(client: redis.Redis, *arguments: str | int) -> str:
    """What a node answers to a CLUSTER command."""
    return str(client.execute_command("CLUSTER", *arguments))  # type: ignore[no-untyped-call]


def _knows_every_slot(client: redis.Redis) -> bool:
    lines = cluster(client, "INFO").splitlines()
    return "cluster_state:ok" in lines and "cluster_slots_ok:16384" in lines


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
