"""One part of the stack as a process: `python -m tests.field.part NAME`. It ends with its supervisor."""

from __future__ import annotations

import asyncio
import signal
import sys

from aiohttp import web

from tests.field.settings import Settings, from_environment


def _applications(name: str, settings: Settings) -> dict[str, web.Application]:
    """Return the applications of a part by the names of their ports; each part imports its own code alone."""
    if name == "api":
        from tests.field.api import app

        return app.applications(settings)
    if name == "gateway":
        from tests.field.services import gateway

        return {name: gateway.application(settings)}
    if name == "ui":
        from tests.field.services import ui

        return {name: ui.application()}
    if name == "docs":
        from tests.field.services import docs

        return {name: docs.application()}
    from tests.field.services import vikunja

    return {name: vikunja.application(settings)}


async def _supervisor_left() -> None:
    """Return when the supervisor closes our standard input, or no longer exists."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def _serve(name: str, settings: Settings) -> None:
    stop = asyncio.create_task(_supervisor_left())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.cancel)
    if name == "tls_front":
        from tests.field.services import tls_front

        task = asyncio.create_task(tls_front.serve(settings))
        await asyncio.wait([stop, task], return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        return
    runners = []
    for port, application in _applications(name, settings).items():
        runner = web.AppRunner(application, handler_cancellation=True, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", settings.ports[port], reuse_address=True).start()
        runners.append(runner)
    await asyncio.wait([stop])
    for runner in reversed(runners):
        await runner.cleanup()


if __name__ == "__main__":
    settings = from_environment()
    if settings.defect:
        from tests.field.defects import bring_in

        bring_in(settings.defect, sys.argv[1])
    asyncio.run(_serve(sys.argv[1], settings))
