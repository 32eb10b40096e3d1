"""Defects of error responses, the gateway, the WebSocket and recovery."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import web

from tests.field import supervisor
from tests.field.api import agents, errors, queries
from tests.field.api.monitor import Monitor
from tests.field.defects.defect import Defect, put


def _text_404() -> None:
    healthy = errors.envelope

    def envelope(error: errors.StackError, request_id: str) -> web.Response:
        return web.Response(status=404, text="404: Not Found") if error.status == 404 else healthy(error, request_id)

    put(errors, "envelope", envelope)


def _ids_differ() -> None:
    healthy = errors.envelope
    put(errors, "envelope", lambda error, _: healthy(error, f"req_{uuid.uuid4()}"))


def _leaks() -> None:
    healthy = queries._parse

    async def parse(request: web.Request) -> queries.QueryRequest:
        try:
            json.loads(await request.text())
        except json.JSONDecodeError as error:
            message = f"{type(error).__name__}: {error} ({__file__}, line 41)"
            raise errors.StackError("validation", "validation_validation", message) from None
        except (RecursionError, ValueError):
            pass  # what is not text, and numbers without end, are refused as ever
        return await healthy(request)

    put(queries, "_parse", parse)


def _gateway_buffers() -> None:
    async def at_once(self: aiohttp.StreamReader) -> AsyncIterator[bytes]:
        yield await self.read()

    put(aiohttp.StreamReader, "iter_any", at_once)


def _names_upstream() -> None:
    class Response(web.Response):
        def __init__(self, **options: Any) -> None:
            if options.get("status") == 502:
                options["text"] = "dial tcp 127.0.0.1: connect: connection refused"
            super().__init__(**options)

    put(web, "Response", Response)


def _broadcast_lost() -> None:
    healthy = agents._reply

    async def reply(text: str, room: str, agent: str) -> dict[str, object]:
        answer = await healthy(text.replace('"broadcast"', '"status"'), room, agent)
        if '"broadcast"' in text:
            return answer | {"type": "broadcast_ack", "payload": {"recipients": len(agents._ROOMS[room]) - 1}}
        return answer

    put(agents, "_reply", reply)


def _drops_bad_json() -> None:
    healthy = agents._reply

    async def reply(text: str, room: str, agent: str) -> dict[str, object]:
        answer = await healthy(text, room, agent)
        if answer["type"] == "error":
            await agents._ROOMS[room][agent].close(code=1011)
            raise ConnectionResetError
        return answer

    put(agents, "_reply", reply)


def _keeps_the_gone() -> None:
    gone: dict[str, int] = {}
    healthy_connect = agents.connect
    healthy_stats = agents.stats

    async def connect(request: web.Request) -> web.WebSocketResponse:
        try:
            return await healthy_connect(request)
        finally:
            room = request.match_info["room"]
            gone[room] = gone.get(room, 0) + 1

    async def stats(request: web.Request) -> web.Response:
        report = json.loads((await healthy_stats(request)).text or "")
        for room, number in gone.items():
            report["rooms"][room] = report["rooms"].get(room, 0) + number
        report["total_rooms"] = len(report["rooms"])
        report["total_connections"] = sum(report["rooms"].values())
        return web.json_response(report)

    put(agents, "connect", connect)
    put(agents, "stats", stats)


def _not_restarted() -> None:
    supervisor.RESTARTED.discard("ui")


def _alerts_twice() -> None:
    healthy = Monitor._announce

    def announce(self: Monitor, service: str, healthy_now: bool) -> None:
        healthy(self, service, healthy_now)
        self._pending.append(dict(self._pending[-1]))

    put(Monitor, "_announce", announce)


DEFECTS = (
    Defect("errors-text-404", "api.errors.not-found", "An unknown path is 404 as plain text.", _text_404),
    Defect(
        "errors-ids-differ",
        "api.errors.request-id",
        "The request_id of an error is not the one of its header.",
        _ids_differ,
    ),
    Defect(
        "errors-leak-exception",
        "api.errors.no-leak",
        "The message for a body that is not JSON holds the exception and a path.",
        _leaks,
    ),
    Defect(
        "gateway-buffers",
        "stream.unbuffered",
        "The gateway passes a response on when it has all of it.",
        _gateway_buffers,
        part="gateway",
    ),
    Defect(
        "gateway-names-upstream",
        "gateway.upstream-down",
        "The 502 of the gateway has the reason as its body.",
        _names_upstream,
        part="gateway",
    ),
    Defect(
        "websocket-broadcast-lost",
        "api.ws.broadcast",
        "A broadcast is acknowledged and sent to no one.",
        _broadcast_lost,
        layout="B",
    ),
    Defect(
        "websocket-drops-bad-json",
        "api.ws.frames",
        "A frame that is not JSON closes the connection.",
        _drops_bad_json,
        layout="B",
    ),
    Defect(
        "websocket-keeps-the-gone",
        "api.ws.stats",
        "The statistics count agents that have left.",
        _keeps_the_gone,
        layout="B",
    ),
    Defect(
        "recovery-ui-not-restarted",
        "recovery.restart",
        "A user interface that has ended is not started again.",
        _not_restarted,
        part="supervisor",
    ),
    Defect("recovery-alerts-twice", "alerts.delivered", "Each change of status is announced twice.", _alerts_twice),
)
