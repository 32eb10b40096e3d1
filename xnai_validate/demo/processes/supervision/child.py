"""The forked side of the embedded stack: a process becomes one part and serves until it is ended."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from xnai_validate.demo.processes.listeners import BACKLOG
from xnai_validate.demo.processes.parts import Part
from xnai_validate.demo.processes.supervision.worker_pool import WorkerPool
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

if TYPE_CHECKING:
    import uvicorn

Ready = Callable[[], None]
"""Called by a part once it serves."""
Sockets = dict[str, socket.socket]
"""Port name -> listening socket."""

Run = Callable[[Settings, Sockets, Ready], Coroutine[object, object, None]]
"""A part of kind `task`: serves the sockets until it is cancelled."""

_GRACE_S = 1
"""Seconds that open requests have to end after SIGTERM."""


def preload() -> None:
    """Import what every part needs, so that the forked processes share it; it takes most of the time of a start."""
    sys.modules["pygments"] = None  # type: ignore[assignment]  # spares httpx's command line, a tenth of a second
    importlib.import_module("httpx")
    del sys.modules["pygments"]
    for module in (
        "anyio.streams.tls",
        "certifi",
        "fastapi",
        "httpcore",
        "redis.asyncio",
        "uvicorn",
        "uvicorn.lifespan.on",
        "uvicorn.protocols.http.httptools_impl",
        "uvicorn.protocols.websockets.websockets_sansio_impl",
    ):
        importlib.import_module(module)
    # The first endpoint makes FastAPI and pydantic import a good part of themselves.
    importlib.import_module("fastapi").FastAPI().add_api_route("/", _answer_empty)


def _answer_empty() -> dict[str, str]:
    """Return an empty document, as an endpoint may."""
    return {}


def load(reference: str) -> object:
    """The object that `module:name` names."""
    module, _, name = reference.partition(":")
    loaded: object = getattr(importlib.import_module(module), name)
    return loaded


def detach(log: Path) -> None:
    """Give a freshly forked process default signals, no terminal, and `log` for its output."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is handled by the supervisor
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(null)
    os.close(out)


def become_program(program: Path, arguments: list[str]) -> NoReturn:
    """Replace this process by a program; it still ends with its parent."""
    try:
        os.execv(program, [str(program), *arguments])
    except OSError as error:
        os.write(2, f"{program}: {error.strerror}\n".encode())
        os._exit(1)


def become_part(part: Part, settings: Settings, sockets: Sockets, ready: Ready) -> NoReturn:
    """Serve a part in this process until SIGTERM, then end it without returning to the supervisor's code."""
    end_after(lambda: run_part(part, settings, sockets, ready))


@seam
def run_part(part: Part, settings: Settings, sockets: Sockets, ready: Ready) -> None:
    """Serve a part until SIGTERM: as a pool of workers if it has several, else in this process."""
    if part.workers > 1:
        _run_workers(part, settings, sockets, ready)
    else:
        asyncio.run(_serve(part, settings, sockets, ready))


def end_after(work: Callable[[], object]) -> NoReturn:
    """Do the work of this process and end it: with 0, or with 1 and a traceback if it raised."""
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


def _run_workers(part: Part, settings: Settings, sockets: Sockets, ready: Ready) -> None:
    """Run the part's workers, which share its sockets and its metrics."""
    from xnai_validate.demo.api.monitoring import metrics  # imports prometheus_client, which `main` prepares

    def become(number: int, serving: Ready) -> NoReturn:
        worker = replace(settings, worker=number)
        end_after(lambda: asyncio.run(_serve(part, worker, sockets, serving)))

    metrics.begin()
    WorkerPool(part.workers, become, metrics.forget_worker).run(ready)


async def _serve(part: Part, settings: Settings, sockets: Sockets, ready: Ready) -> None:
    """Run the part's task, or its applications each on its socket, until SIGTERM."""
    gc.freeze()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with asyncio.TaskGroup() as group:
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
    group: asyncio.TaskGroup, part: Part, settings: Settings, sockets: Sockets, ready: Ready, stop: asyncio.Event
) -> None:
    """Serve the part's applications with uvicorn, call `ready` when all of them listen, and end them on `stop`."""
    servers: list[uvicorn.Server] = []
    tasks: list[asyncio.Task[None]] = []
    for port, reference in zip(part.ports, part.code, strict=True):
        create: Callable[[Settings], object] = load(reference)  # type: ignore[assignment]
        app = create(settings)
        if port not in sockets:
            continue
        listening = asyncio.Event()
        server = server_for(app, listening)
        servers.append(server)
        tasks.append(group.create_task(server.serve(sockets=[sockets[port]])))
        await until(listening, tasks[-1])
    if not any(task.done() for task in tasks):
        ready()
        await until(stop, *tasks)
    for server in servers:
        server.should_exit = True
    await asyncio.wait(tasks)


@seam
def server_config(app: object) -> uvicorn.Config:
    """How uvicorn serves an application."""
    import uvicorn

    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # any ASGI application
        http="httptools",
        loop="asyncio",
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
        # asyncio accepts as many connections at a time as the backlog allows: the worker that wakes first would take
        # all of many clients, and leave none to the others.
        backlog=1,
    )


def server_for(app: object, listening: asyncio.Event) -> uvicorn.Server:
    """A uvicorn server that leaves signals to this module and sets `listening` once it accepts."""
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

    return Server(server_config(app))
