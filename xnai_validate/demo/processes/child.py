"""The forked side of the embedded stack: one process becomes one part and serves until it is told to end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from xnai_validate.demo.processes.listeners import BACKLOG
from xnai_validate.demo.processes.machine import burden
from xnai_validate.demo.processes.parts import Part
from xnai_validate.demo.processes.worker_pool import Foreman
from xnai_validate.demo.settings import Settings

if TYPE_CHECKING:
    import uvicorn

Ready = Callable[[], None]
"""Called by a part once it serves."""

Run = Callable[[Settings, dict[str, socket.socket], Ready], Coroutine[object, object, None]]
"""A part of kind `task`: serves the sockets (port name -> listening socket) until it is cancelled."""

_GRACE_S = 1
"""Seconds that open requests have to end after SIGTERM."""


def preload() -> None:
    """Import what every part needs, so that the forked processes share it; it takes most of the time of a start."""
    sys.modules["pygments"] = None  # type: ignore[assignment]  # httpx brings its command line, a tenth of a second, or not
    importlib.import_module("httpx")
    del sys.modules["pygments"]
    for module in (
        "fastapi",
        "redis.asyncio",
        "uvicorn",
        "uvicorn.lifespan.on",
        "uvicorn.protocols.http.httptools_impl",
        "uvicorn.protocols.websockets.websockets_sansio_impl",
    ):
        importlib.import_module(module)


def load(reference: str) -> object:
    """The object that `module:name` means."""
    module, _, name = reference.partition(":")
    found: object = getattr(importlib.import_module(module), name)
    return found


def detach(log: Path) -> None:
    """Make a freshly forked process a child of its own: default signals, no terminal, output to `log`."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the supervisor to decide on
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(null)
    os.close(out)


def become_program(program: Path, arguments: list[str]) -> NoReturn:
    """Replace this process by a program; the order to end with the parent stays with it."""
    try:
        os.execv(program, [str(program), *arguments])
    except OSError as error:
        os.write(2, f"{program}: {error.strerror}\n".encode())
        os._exit(1)


def become_part(part: Part, settings: Settings, sockets: dict[str, socket.socket], ready: Ready) -> NoReturn:
    """Serve a part in this process until SIGTERM, then end it without returning to the supervisor's code."""
    _end_with(lambda: _be(part, settings, sockets, ready))


def _be(part: Part, settings: Settings, sockets: dict[str, socket.socket], ready: Ready) -> None:
    _kept = burden(part.name, settings)
    if _hangs(part, settings):
        ready()
        signal.pause()
    if settings.broken("metrics-port-closed") and "metrics" in sockets:
        sockets.pop("metrics").close()
    if part.workers > 1:
        _oversee(part, settings, sockets, ready)
    else:
        asyncio.run(_serve(part, settings, sockets, ready))


def _end_with(work: Callable[[], None]) -> NoReturn:
    """Do what this process is there for and end it: with 0, or with 1 and a traceback where it raised."""
    code = 1
    try:
        work()
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _oversee(part: Part, settings: Settings, sockets: dict[str, socket.socket], ready: Ready) -> None:
    """Be the foreman of the part's workers, which share its sockets and its metrics."""
    from xnai_validate.demo.api.monitoring import metrics

    def become(number: int, serving: Ready) -> NoReturn:
        _work(part, replace(settings, worker=number), sockets, serving)

    metrics.begin()
    crash = part.name == "api" and settings.broken("api-crash-loop")
    Foreman(part.workers, become, metrics.bury, ends_after_s=2.5 if crash else None).run(ready)


def _work(part: Part, settings: Settings, sockets: dict[str, socket.socket], ready: Ready) -> NoReturn:
    """Serve in this process as one worker of a part until SIGTERM, then end it."""
    _end_with(lambda: asyncio.run(_serve(part, settings, sockets, ready)))


def absent(part: Part, settings: Settings) -> bool:
    """Whether the part is never started: its port refuses connections."""
    return {
        "redis": settings.broken("redis-down"),
        "api": settings.broken("api-down"),
        "gateway": settings.broken("gateway-down"),
        "llm": settings.broken("llm-down"),
        "ui": settings.broken("ui-down"),
        "docs": settings.broken("docs-down"),
        "vikunja": settings.broken("vikunja-down"),
        "voice": settings.broken("voice-down"),
    }.get(part.name, False)


def _hangs(part: Part, settings: Settings) -> bool:
    """Whether the part only listens: the kernel completes connections, and nothing ever reads them."""
    return {
        "api": settings.broken("api-hangs"),
        "ui": settings.broken("ui-hangs"),
        "docs": settings.broken("docs-hangs"),
        "vikunja": settings.broken("vikunja-hangs"),
        "voice": settings.broken("voice-hangs"),
        "gateway": settings.broken("gateway-hangs"),
        "llm": settings.broken("llm-hangs") or settings.broken("health-hangs-with-model"),
    }.get(part.name, False)


async def _serve(part: Part, settings: Settings, sockets: dict[str, socket.socket], ready: Ready) -> None:
    """Run the part's task, or its applications each on its socket; SIGTERM ends them in good order."""
    gc.freeze()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
        if part.name == "worker" and settings.broken("worker-crash-loop"):
            group.create_task(_crash_after(0.5))
        if part.kind == "task":
            run: Run = load(part.code[0])  # type: ignore[assignment]  # the table names functions of this shape
            task = group.create_task(run(settings, sockets, ready))
            await until(stop, task)
            task.cancel()
        else:
            await _serve_apps(group, part, settings, sockets, ready, stop)
        for other in asyncio.all_tasks() - {asyncio.current_task()}:
            other.cancel()


async def until(event: asyncio.Event, *tasks: asyncio.Task[None]) -> None:
    """Wait for an event, or for a task that ends by itself."""
    waiter = asyncio.ensure_future(event.wait())
    await asyncio.wait({waiter, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()


async def _serve_apps(
    group: asyncio.TaskGroup,
    part: Part,
    settings: Settings,
    sockets: dict[str, socket.socket],
    ready: Ready,
    stop: asyncio.Event,
) -> None:
    """Serve the part's applications with uvicorn, say when all of them listen, and end them on `stop`."""
    servers: list[uvicorn.Server] = []
    tasks: list[asyncio.Task[None]] = []
    for port, reference in zip(part.ports, part.code, strict=True):
        create: Callable[[Settings], object] = load(reference)  # type: ignore[assignment]
        app = create(settings)
        if port not in sockets:
            continue
        listening = asyncio.Event()
        server = server_for(app, listening, ahead_s=3600 if settings.broken("clock-ahead") else 0)
        servers.append(server)
        tasks.append(group.create_task(server.serve(sockets=[sockets[port]])))
        await until(listening, tasks[-1])
    if not any(task.done() for task in tasks):
        ready()
        await until(stop, *tasks)
    for server in servers:
        server.should_exit = True
    await asyncio.wait(tasks)


async def _crash_after(seconds: float) -> None:
    await asyncio.sleep(seconds)
    os._exit(1)


def server_for(app: object, listening: asyncio.Event, *, ahead_s: int = 0) -> uvicorn.Server:
    """A uvicorn server that leaves signals to this module and sets `listening` once it accepts.

    Its clock, in the Date of its answers, stands at what it was at the start plus `ahead_s`, where that is not 0.
    """
    import uvicorn

    class Server(uvicorn.Server):
        """Several of these share one process, so none of them may own its signals."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            for listener in sockets or ():
                listener.listen(BACKLOG)
            listening.set()

    return Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]  # any ASGI application
            http="httptools",
            loop="asyncio",
            lifespan="on",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
            # asyncio accepts as many connections at a time as it lets wait: a worker that is woken first would take all
            # of many callers, and leave none to the others.
            backlog=1,
            date_header=not ahead_s,
            headers=[("Date", formatdate(time.time() + ahead_s, usegmt=True))] if ahead_s else [],
        )
    )
