"""Run the application and the model server as they are, under uvicorn, beside a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from starlette.types import ASGIApp

from tests.ports import free_port
from xnai_validate.demo import defects, seams
from xnai_validate.demo.api import app as api
from xnai_validate.demo.api.monitoring import metrics
from xnai_validate.demo.llm import app as llm
from xnai_validate.demo.processes.redis_server import find_server
from xnai_validate.demo.settings import API_PREFIX, Layout, Settings, Times

PASSWORD = "a-password-for-tests"
PATIENCE_S = 20.0


class RedisServer:
    """A Redis of our own that can be stopped and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.client = Redis(port=self.port, password=PASSWORD, decode_responses=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "requirepass": PASSWORD,
            "appendonly": "no",
            "dir": self._folder,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen([str(find_server()), "--save", "", *arguments], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.client.ping()
                return
            except RedisConnectionError:
                assert time.monotonic() < deadline, "Redis did not start"
                time.sleep(0.02)

    def entries(self, stream: str) -> list[dict[str, str]]:
        """The entries of a stream, oldest first."""
        found: Any = self.client.xrange(stream)
        return [fields for _, fields in found]

    def stop(self) -> None:
        """End it; what it held is lost."""
        self.client.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A Redis for the time of the block."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass
class Serving:
    """One application under uvicorn on a port of its own."""

    server: uvicorn.Server
    task: asyncio.Task[None]

    async def stop(self) -> None:
        """End it as a crash would: its connections break off, its port refuses new ones."""
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()
        self.server.should_exit = True
        await asyncio.wait({self.task}, timeout=PATIENCE_S)
        assert self.task.done(), "the server did not end"


class Server(uvicorn.Server):
    """A server that leaves signals alone and sets an event when it listens."""

    def __init__(self, app: ASGIApp, listening: asyncio.Event) -> None:
        super().__init__(uvicorn.Config(app, lifespan="on", log_level="warning", timeout_graceful_shutdown=1))
        self._listening = listening

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Several servers share one process, so none of them may own its signals."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._listening.set()


async def serve(app: ASGIApp, port: int) -> Serving:
    """Serve an ASGI application and return once it listens."""
    listening = asyncio.Event()
    server = Server(app, listening)
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    serving = Serving(server, asyncio.create_task(server.serve(sockets=[listener])))
    async with asyncio.timeout(PATIENCE_S):
        await listening.wait()
    return serving


@dataclass
class Running:
    """A running application with its model server."""

    settings: Settings
    redis: RedisServer
    client: httpx.AsyncClient
    """Speaks to the API, under its layout's prefix."""
    root: httpx.AsyncClient
    parts: dict[str, Serving] = field(default_factory=dict)

    async def start(self, part: str) -> None:
        """Start a part on its port."""
        creators = {"api": api.create, "llm": llm.create, "metrics": metrics.create}
        self.parts[part] = await serve(creators[part](self.settings), self.settings.ports[part])

    async def stop(self, part: str) -> None:
        """Stop a part; its port refuses connections from then on."""
        await self.parts.pop(part).stop()

    async def metrics(self) -> dict[str, float]:
        """Every sample of the metrics server, by name and labels as Prometheus writes them."""
        text = (await self.root.get(f"{self.settings.url('metrics')}/metrics")).text
        samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in samples}

    async def model(self) -> dict[str, int]:
        """The counters of the model server."""
        text = (await self.root.get(f"{self.settings.url('llm')}/metrics")).text
        samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name.removeprefix("llamacpp:"): int(value) for name, _, value in samples}

    def breaker(self, name: str) -> dict[str, Any]:
        """The state of a breaker as Redis has it."""
        found: dict[str, Any] = json.loads(str(self.redis.client.get(f"circuit_breaker:{name}")))
        return found


def settings(redis: RedisServer, folder: Path, layout: Layout = "A", **times: float | dict[str, float]) -> Settings:
    """Settings of a stack with ports of its own; calm host memory, so that the tier is the first one."""
    names = ("api", "llm", "metrics")
    ports = {name: free_port() for name in names} | {"redis": redis.port}
    return Settings(
        layout=layout,
        run_dir=folder,
        ports=ports,
        redis_password=PASSWORD,
        vikunja_token="unused",
        times=replace(Times(token_delay_s=0.001), **times),  # type: ignore[arg-type]  # names and types of Times
        memory_percent=50.0,
    )


@contextlib.asynccontextmanager
async def _activated(names: tuple[str, ...]) -> AsyncIterator[None]:
    with seams.activated(defects.wrappers_of(names)):
        yield


@contextlib.asynccontextmanager
async def running(chosen: Settings, redis: RedisServer, *active: str) -> AsyncIterator[Running]:
    """The application, its metrics and the model server, with active defects, for the time of the block."""
    base, prefix = chosen.url("api"), API_PREFIX[chosen.layout]
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    async with (
        _activated(active),
        httpx.AsyncClient(base_url=base + prefix, timeout=PATIENCE_S, limits=limits) as client,
        httpx.AsyncClient(base_url=base, timeout=PATIENCE_S) as root,
    ):
        stack = Running(chosen, redis, client, root)
        try:
            for part in ("llm", "api", "metrics"):
                await stack.start(part)
            yield stack
        finally:
            await client.aclose()
            await root.aclose()
            await asyncio.gather(*(stack.stop(part) for part in list(stack.parts)))


def events(text: str) -> list[dict[str, Any]]:
    """The events of a healthy stream: one JSON line a frame; comments are left out."""
    assert text.endswith("\n\n")
    frames = text[:-2].split("\n\n")
    return [json.loads(frame.removeprefix("data: ")) for frame in frames if not frame.startswith(":")]


async def eventually(condition: Any, what: str) -> None:
    """Wait until an async condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not await condition():
        assert time.monotonic() < deadline, f"never: {what}"
        await asyncio.sleep(0.02)
