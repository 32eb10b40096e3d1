"""The user interface, in the form of Chainlit 2: a page, its assets, its settings, and its socket."""

from __future__ import annotations

import json
import secrets

from aiohttp import web

ASSET = "/assets/index-Bd7kQ0wz.js"
_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" /><title>Garden assistant</title>
    <link rel="icon" href="/favicon" />
    <script type="module" crossorigin src="{asset}"></script>
    <link rel="stylesheet" crossorigin href="/assets/index-C3vYp1ab.css">
  </head>
  <body><div id="root"></div></body>
</html>
"""


def application() -> web.Application:
    """Return the user interface."""
    app = web.Application()
    router = app.router
    router.add_get(ASSET, _script)
    router.add_get("/assets/index-C3vYp1ab.css", _style)
    router.add_get("/assets/{name}", _missing)
    router.add_get("/favicon", _icon)
    router.add_get("/project/settings", _settings)
    router.add_get("/ws/socket.io/", _socket)
    router.add_get("/{path:.*}", _page)
    return app


async def _page(_: web.Request) -> web.Response:
    return web.Response(text=_PAGE.format(asset=ASSET), content_type="text/html")


async def _script(_: web.Request) -> web.Response:
    return web.Response(text="console.debug('ready');\n" * 2000, content_type="text/javascript")


async def _style(_: web.Request) -> web.Response:
    return web.Response(text="#root{min-height:100vh}", content_type="text/css")


async def _missing(_: web.Request) -> web.Response:
    return web.json_response({"detail": "Not Found"}, status=404)


async def _icon(_: web.Request) -> web.Response:
    drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>'
    return web.Response(text=drawing, content_type="image/svg+xml")


async def _settings(_: web.Request) -> web.Response:
    return web.json_response({"ui": {"name": "Garden assistant"}, "features": {}, "userEnv": [], "chatProfiles": []})


async def _socket(_: web.Request) -> web.Response:
    opening = {"sid": secrets.token_urlsafe(15), "upgrades": ["websocket"], "pingInterval": 25000, "pingTimeout": 20000}
    return web.Response(text="0" + json.dumps(opening), content_type="text/plain")
