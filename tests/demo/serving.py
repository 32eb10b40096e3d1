"""Serves single parts of the embedded stack for a test: real sockets, a real Redis, in a thread or a process each."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from pathlib import Path

from xnai_validate.demo import defects, seams
from xnai_validate.demo.processes import redis_server
from xnai_validate.demo.processes.listeners import Listeners
from xnai_validate.demo.processes.parts import parts_of, port_names
from xnai_validate.demo.processes.supervision import child
from xnai_validate.demo.settings import Layout, Settings

READY_S = 20.0


@contextlib.contextmanager
def reserved(run_dir: Path, layout: Layout = "A", *active: str, redis_port: int | None = None) -> Iterator[Settings]:
    """Settings of a stack with active defects whose ports are held and where no part runs yet.

    Redis may be one that runs elsewhere. What is started inside the block has the defects.
    """
    listeners = Listeners(port_names(layout))
    ports = listeners.ports
    if redis_port is not None:
        ports["redis_plain" if layout == "B" else "redis"] = redis_port
    settings = Settings(layout, run_dir, ports, "test-password", "tk_test")
    try:
        with seams.activated(defects.wrappers_of(active)):
            yield settings
    finally:
        listeners.close()


@contextlib.contextmanager
def redis_running(settings: Settings) -> Iterator[None]:
    """The real Redis server, started as the supervisor starts it."""
    redis_server.data_dir(settings).mkdir(exist_ok=True)
    command = [str(redis_server.find_server()), *redis_server.arguments(settings)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert redis_server.wait_until_up(settings, time.monotonic() + READY_S)
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def serving(settings: Settings, *parts: str) -> Iterator[None]:
    """The named parts, each in a thread with an event loop of its own, on the ports of `settings`."""
    with contextlib.ExitStack() as stack:
        for part in parts_of(settings.layout):
            if part.name not in parts:
                continue
            sockets = {name: _listener(settings.ports[name]) for name in part.ports}
            for listener in sockets.values():
                stack.callback(listener.close)
            if part.kind == "task":
                run: child.Run = child.load(part.code[0])  # type: ignore[assignment]
                stack.enter_context(_thread(_task(run, settings, sockets)))
            else:
                app = _created(settings, part.name)
                stack.enter_context(_thread(_apps([(app, sockets[part.ports[0]], copy_context())])))
        yield


@contextlib.contextmanager
def apps_serving(stacks: dict[str, Settings]) -> Iterator[None]:
    """One application of each of many stacks, all in one thread.

    The part is the first word of the stack's key; a key that names a defect has it.
    """
    with contextlib.ExitStack() as stack:
        apps: list[App] = []
        for key, settings in stacks.items():
            part = key.partition("-")[0]
            listener = _listener(settings.ports[part])
            stack.callback(listener.close)
            with seams.activated(defects.wrappers_of([key])):
                apps.append((_created(settings, part), listener, copy_context()))
        stack.enter_context(_thread(_apps(apps)))
        yield


@contextlib.contextmanager
def app_serving(app: object, port: int) -> Iterator[None]:
    """Any ASGI application on a held port."""
    with contextlib.closing(_listener(port)) as listener, _thread(_apps([(app, listener, copy_context())])):
        yield


def _created(settings: Settings, name: str) -> object:
    part = next(part for part in parts_of(settings.layout) if part.name == name)
    create: Callable[[Settings], object] = child.load(part.code[0])  # type: ignore[assignment]
    return create(settings)


Body = Callable[[asyncio.Event, Callable[[], None]], Coroutine[object, object, None]]


def _task(run: child.Run, settings: Settings, sockets: dict[str, socket.socket]) -> Body:
    async def body(stop: asyncio.Event, ready: Callable[[], None]) -> None:
        task = asyncio.ensure_future(run(settings, sockets, ready))
        await child.until(stop, task)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return body


App = tuple[object, socket.socket, Context]
"""An ASGI application, its listening socket, and the context with its active defects."""


def _apps(apps: list[App]) -> Body:
    async def body(stop: asyncio.Event, ready: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as group:
            servers = []
            for app, listener, context in apps:
                listening = asyncio.Event()
                servers.append(child.server_for(app, listening))
                task = group.create_task(servers[-1].serve(sockets=[listener]), context=context)
                await child.until(listening, task)
            ready()
            await stop.wait()
            for server in servers:
                server.should_exit = True

    return body


@contextlib.contextmanager
def _thread(body: Body) -> Iterator[None]:
    """Run a coroutine in a thread from the moment it is ready until the block ends; its failure is the test's."""
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        stop = asyncio.Event()
        loops.append((asyncio.get_running_loop(), stop))
        try:
            await body(stop, ready.set)
        finally:
            ready.set()

    with ThreadPoolExecutor(1) as executor:
        ending = executor.submit(copy_context().run, lambda: asyncio.run(main()))
        try:
            assert ready.wait(READY_S)
            yield
        finally:
            loop, stop = loops[0]
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(stop.set)
            ending.result(READY_S)


def _listener(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(128)
    listener.setblocking(False)
    return listener
