"""The user interface: a stand-in for Chainlit.

`GET /` is the page, with its title and one script under `/assets/`; `GET /project/settings` says what the page is to
show and whether the API answers (`{"ui": {"name"}, "connected": bool}`). Paths without a file extension lead to the
page as in any single-page application, other unknown ones to 404.
"""

from __future__ import annotations

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from xnai_validate.demo.processes.stack_file import PREFIX
from xnai_validate.demo.services.pages import ASSET, TRACEBACK, not_found
from xnai_validate.demo.settings import Settings

TITLE = "Xoe-NovAi Assistant"
PAGE = f"""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{TITLE}</title>
    <script type="module" src="{ASSET}"></script>
  </head>
  <body><div id="root"></div></body>
</html>
"""
SCRIPT = """const root = document.getElementById("root");
fetch("/project/settings").then((answer) => answer.json()).then((settings) => {
  root.textContent = settings.connected ? settings.ui.name : "The assistant is not reachable.";
});
"""


def create(settings: Settings) -> Starlette:
    """The application on the port `ui`."""

    async def page(request: Request) -> Response:
        if settings.broken("ui-slow"):
            await asyncio.sleep(2.3)
        if settings.broken("ui-500"):
            return PlainTextResponse("Internal Server Error", 500)
        if settings.broken("ui-empty"):
            return HTMLResponse("")
        if settings.broken("ui-error-page"):
            return HTMLResponse(f"<pre>{TRACEBACK}</pre>")
        if settings.broken("ui-plain-text"):
            return PlainTextResponse(PAGE)
        if "." in request.url.path.rpartition("/")[2]:
            return await not_found(request, LookupError())
        return HTMLResponse(PAGE, headers={"Cache-Control": "no-cache"})

    async def script(request: Request) -> Response:
        if settings.broken("ui-asset-missing"):
            return await not_found(request, LookupError())
        return Response(SCRIPT, media_type="text/javascript")

    async def project(_request: Request) -> Response:
        connected = not settings.broken("ui-not-connected") and await _api_answers(settings)
        return JSONResponse({"ui": {"name": TITLE}, "connected": connected})

    return Starlette(
        routes=[
            Route(ASSET, script),
            Route("/project/settings", project),
            Route("/{path:path}", page),
        ]
    )


async def _api_answers(settings: Settings) -> bool:
    """Whether the API's health answers at all within a second."""
    try:
        async with httpx.AsyncClient(timeout=1.0) as client:
            answer = await client.get(settings.url("api") + PREFIX[settings.layout] + "/health")
    except httpx.HTTPError:
        return False
    return answer.status_code < 500
