"""Servers for tests of checkers: they run in a thread of their own, so that a checker meets a real socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextmanager
def beside(serving: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """Run what `serving` opens in another thread, and give what it yields; at the end the thread is gone."""
    opened: list[T] = []
    failed: list[BaseException] = []
    ready = threading.Event()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        end = asyncio.Event()
        try:
            async with serving() as value:
                opened.append(value)
                loops.append((asyncio.get_running_loop(), end))
                ready.set()
                await end.wait()
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    if not opened:
        thread.join(20)
        raise AssertionError(f"the server did not start: {failed}")
    try:
        yield opened[0]
    finally:
        loop, end = loops[0]
        loop.call_soon_threadsafe(end.set)
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def tcp_server(talk: Talk) -> Iterator[int]:
    """A TCP server on a free port of 127.0.0.1, which it gives; every connection is closed when its talk is over."""
    with beside(lambda: _listening(talk)) as port:
        yield port


@asynccontextmanager
async def _listening(talk: Talk) -> AsyncIterator[int]:
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await talk(reader, writer)
        except asyncio.CancelledError:  # the test is over; asyncio's own callback would print it
            pass
        finally:
            tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        await end(server, tasks)


async def end(server: asyncio.Server, tasks: set[asyncio.Task[None]]) -> None:
    """Close a server and every connection that it has accepted."""
    # A connection that was accepted a moment ago needs a few turns of the loop, or no one would close it.
    for _ in range(5):
        await asyncio.sleep(0)
    server.close()
    for task in list(tasks):
        task.cancel()
    if tasks:
        await asyncio.wait(list(tasks), timeout=10)
    await server.wait_closed()
