"""Starts the parts, and restarts a part that ends under a new pid."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.certificates import authority
from tests.field.settings import Settings
from xnai_validate.demo.processes.redis_server import find_server

ROOT = Path(__file__).parents[2]
_RESTART_S = 0.3
RESTARTED = {"redis", "tls_front", "api", "gateway", "ui", "docs", "vikunja"}
"""The parts that are started again when they end."""


class Supervisor:
    """The parts of one stack; `pids` are those of now."""

    def __init__(self, settings: Settings, restarted: Callable[[], None]) -> None:
        self._settings = settings
        self._restarted = restarted
        self._processes: dict[str, Process] = {}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pids(self) -> dict[str, int]:
        """The process of each part."""
        return {name: process.pid for name, process in self._processes.items()}

    async def start(self) -> None:
        """Start all parts, and return once each listens."""
        names = ["redis", "api", "gateway", "ui", "docs", "vikunja"]
        if self._settings.tls:
            authority(Path(self._settings.folder)).server("127.0.0.1", "localhost")
            names.insert(1, "tls_front")
        self._tasks = [asyncio.create_task(self._keep(name)) for name in names]
        for name, port in self._settings.ports.items():
            await _listens(name, port)

    async def stop(self) -> None:
        """End all parts."""
        for task in self._tasks:
            task.cancel()
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self._processes.values():
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _keep(self, name: str) -> None:
        again = False
        while True:
            process = await asyncio.create_subprocess_exec(
                *self._command(name),
                stdin=PIPE,
                stdout=DEVNULL,
                cwd=ROOT,
                env=self._settings.environment(),
                start_new_session=True,
            )
            self._processes[name] = process
            if again:
                self._restarted()
            again = True
            await process.wait()
            if name not in RESTARTED:
                return
            await asyncio.sleep(_RESTART_S)

    def _command(self, name: str) -> list[str]:
        settings = self._settings
        if name != "redis":
            return [sys.executable, "-m", "tests.field.part", name]
        options = redis_options(settings).items()
        return [str(find_server()), *(text for key, value in options for text in (f"--{key}", str(value)))]


def redis_options(settings: Settings) -> dict[str, str | int]:
    """Return the options of redis-server."""
    return {
        "port": settings.ports["redis_inner" if settings.tls else "redis"],
        "bind": "127.0.0.1",
        "dir": settings.folder,
        "requirepass": settings.redis_password,
        "maxmemory": "512mb",
        "maxmemory-policy": "allkeys-lru",
        "appendonly": "yes",
        "save": "",
    }


async def _listens(name: str, port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
