"""A real Redis server to disturb."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.checkers.redis_process import redis_server
from tests.faults.scenes.scene import Scene, Staged
from xnai_validate.kit import JsonObject, Target

SETTINGS = ("maxmemory", "maxmemory-policy", "min-replicas-to-write", "min-replicas-max-lag")


def seen(target: Target) -> object:
    """Its settings, its keys, and how it answers who writes: at once, not at all, or with an error."""
    client: redis.Redis = redis.Redis(
        port=target.port,
        password=target.password,
        decode_responses=True,
        socket_timeout=0.7,
        retry=Retry(NoBackoff(), 0),
    )
    with client:
        try:
            settings = {name: client.config_get(name)[name] for name in SETTINGS}
            written: object = client.set("scene", "written")
            return settings, sorted(client.keys()), written
        except redis.exceptions.TimeoutError:
            return "waits"
        except redis.exceptions.ResponseError as error:
            return settings, str(error).partition(" ")[0]


def staged(params: JsonObject, *options: str) -> Staged:
    """A server with a few keys and settings that are not the defaults."""

    @contextmanager
    def open_() -> Iterator[Scene]:
        with redis_server("--maxmemory", "200mb", "--maxmemory-policy", "allkeys-lru", *options) as (target, client):
            client.mset({f"key:{number}": "x" * 1000 for number in range(100)})
            client.set("scene", "written")
            yield Scene(target, params, lambda: seen(target))

    return open_


class Client:
    """A client on a bare socket, which connects again only when it is asked after it was closed."""

    def __init__(self, port: int, password: str | None) -> None:
        self._place = ("127.0.0.1", port)
        self._password = password
        self._socket: socket.socket | None = None

    def ask(self) -> str:
        """`PONG`, or `closed`."""
        if self._socket is None:
            self._socket = socket.create_connection(self._place, 10)
            self._socket.sendall(f"AUTH {self._password}\r\n".encode())
            self._socket.recv(64)
        with suppress(ConnectionError):
            self._socket.sendall(b"PING\r\n")
            if answer := self._socket.recv(64):
                return answer.decode().strip("+\r\n")
        self.close()
        return "closed"

    def close(self) -> None:
        """Close it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@contextmanager
def clients() -> Iterator[Scene]:
    """A server with a client that is connected."""
    with redis_server() as (target, _):
        client = Client(target.port, target.password)
        client.ask()
        yield Scene(target, {}, client.ask, once=True)
        client.close()


KEY = "circuit_breaker:scene"


@contextmanager
def breaker() -> Iterator[Scene]:
    """A server with a key that holds a JSON object and expires in an hour."""
    with redis_server() as (target, client):
        client.set(KEY, '{"state": "closed", "failure_count": 0, "total_calls": 7}', ex=3600)
        params: JsonObject = {"key": KEY, "fields": {"state": "open"}, "now": ["last_failure_time"]}
        yield Scene(target, params, lambda: (client.get(KEY), 3500 < int(str(client.ttl(KEY))) <= 3600))


SCENES: dict[str, Staged] = {
    "redis.pause": staged({"duration": "20s"}),
    "redis.maxmemory": staged({}),
    "redis.readonly": staged({}, "--min-replicas-max-lag", "0"),
    "redis.kill_clients": clients,
    "redis.plant": breaker,
}
