"""The gateway: the routes and the headers of the stack's Caddyfile, as a small reverse proxy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import WSMsgType, web
from multidict import CIMultiDict
from yarl import URL

from tests.field.settings import Settings

_HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-authorization"}
_ADDED = {
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
_SETTINGS = web.AppKey("settings", Settings)
_CLIENT = web.AppKey("client", aiohttp.ClientSession)


def application(settings: Settings) -> web.Application:
    """Return the gateway of a layout."""
    app = web.Application(client_max_size=16 * 2**20)
    app[_SETTINGS] = settings
    app.cleanup_ctx.append(_client)
    app.router.add_route("*", "/{path:.*}", _proxy)
    return app


async def _client(app: web.Application) -> AsyncIterator[None]:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None, connect=5)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:
        app[_CLIENT] = session
        yield


def _upstream(settings: Settings, path: str) -> tuple[str, str] | None:
    """Return the part that serves a path and the path there; null for a path without a route."""
    if settings.layout == "B":
        return ("api", path) if path.startswith("/xnai/api/v1/") else ("ui", path)
    if path.startswith("/api/v1/"):
        return "api", path.removeprefix("/api/v1")
    if path.startswith("/vikunja/"):
        return "vikunja", path.removeprefix("/vikunja")
    return {"/": ("ui", "/"), "/metrics": ("metrics", "/metrics")}.get(path)


async def _proxy(request: web.Request) -> web.StreamResponse:
    settings, client = request.app[_SETTINGS], request.app[_CLIENT]
    upstream = _upstream(settings, request.rel_url.raw_path)
    if upstream is None:
        return web.Response(status=404, text="there is no such page", headers=_ADDED)
    url = settings.url(upstream[0]) + upstream[1]
    if request.query_string:
        url += "?" + request.rel_url.raw_query_string
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _tunnel(request, client, url)
    headers = _passed_on(request.headers)
    headers["X-Forwarded-For"] = request.remote or ""
    body = await request.read()
    try:
        answer = await client.request(
            request.method, _raw(url), headers=headers, data=body or None, allow_redirects=False
        )
    except (aiohttp.ClientError, TimeoutError, OSError):
        return web.Response(status=502, headers=_ADDED)
    async with answer:
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=_passed_on(answer.headers))
        response.headers.update(_ADDED)
        await response.prepare(request)
        try:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
        except aiohttp.ClientPayloadError:
            if request.transport:
                request.transport.abort()
            return response
        await response.write_eof()
        return response


def _raw(url: str) -> URL:
    return URL(url, encoded=True)


def _passed_on(headers: aiohttp.typedefs.LooseHeaders) -> CIMultiDict[str]:
    kept = CIMultiDict(headers)
    for name in [name for name in kept if name.lower() in _HOP_BY_HOP]:
        kept.popall(name, None)
    return kept


async def _tunnel(request: web.Request, client: aiohttp.ClientSession, url: str) -> web.StreamResponse:
    try:
        upstream = await client.ws_connect(_raw(url))
    except (aiohttp.ClientError, TimeoutError, OSError):
        return web.Response(status=502, headers=_ADDED)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async with upstream:
        back = asyncio.create_task(_pump(upstream, socket))
        await _pump(socket, upstream)
        back.cancel()
    return socket


async def _pump(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
) -> None:
    async for message in source:
        if message.type is WSMsgType.TEXT:
            await sink.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await sink.send_bytes(message.data)
    await sink.close()
