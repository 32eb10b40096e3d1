"""The user interface: a stand-in for Chainlit.

`GET /` is the page, with its title and one script under `/assets/`; `GET /project/settings` has the name to show
(`{"ui": {"name"}}`). Paths without a file extension lead to the
page as in any single-page application, other unknown ones to 404.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services.pages import ASSET, not_found
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
  root.textContent = settings.ui.name;
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


def create(_settings: Settings) -> Starlette:
    """The application on the port `ui`."""

    async def project(_request: Request) -> Response:
        return JSONResponse({"ui": {"name": TITLE}})

    return Starlette(
        routes=[
            Route(ASSET, script),
            Route("/project/settings", project),
            Route("/{path:path}", page),
        ]
    )
