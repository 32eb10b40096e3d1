"""The user interface: a stand-in for Chainlit.

`GET /` is the page, with its title and one script under `/assets/`; `GET /project/settings` has the name to show
and whether the API answers (`{"ui": {"name"}, "connected": bool}`). Paths without a file extension lead to the
page as in any single-page application, other unknown ones to 404.
"""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services.pages import ASSET, not_found
from xnai_validate.demo.settings import API_PREFIX, Settings

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


@seam
async def page(request: Request) -> Response:
    """The page, for every path without a file extension."""
    if "." in request.url.path.rpartition("/")[2]:
        return await not_found(request, LookupError())
    return HTMLResponse(PAGE, headers={"Cache-Control": "no-cache"})


@seam
async def script(_request: Request) -> Response:
    """The script of the page."""
    return Response(SCRIPT, media_type="text/javascript")


@seam
async def api_answers(settings: Settings) -> bool:
    """Whether the API's health answers at all within a second."""
    try:
        async with httpx.AsyncClient(timeout=1.0, trust_env=False) as client:
            answer = await client.get(settings.url("api") + API_PREFIX[settings.layout] + "/health")
    except httpx.HTTPError:
        return False
    return answer.status_code < 500


def create(settings: Settings) -> Starlette:
    """The application on the port `ui`."""

    async def project(_request: Request) -> Response:
        return JSONResponse({"ui": {"name": TITLE}, "connected": await api_answers(settings)})

    return Starlette(
        routes=[
            Route(ASSET, script),
            Route("/project/settings", project),
            Route("/{path:path}", page),
        ]
    )
