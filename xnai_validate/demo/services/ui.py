"""The user interface: a stand-in for Chainlit.

`GET /` is the page, with its title and one script under `/assets/`; `GET /project/settings` has the name to show
(`{"ui": {"name"}}`). Paths without a file extension lead to the page as in any single-page application, other unknown
ones to 404. A client that opens the page begins a session, in Redis as `xnai:session:{id}:data`, JSON, for 3600 s;
without Redis it goes on.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services.pages import ASSET, not_found
from xnai_validate.demo.services.reconnect import ONCE_MORE
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
def session_lifetime_s() -> int | None:
    """Seconds that a session is kept in Redis."""
    return 3600


@seam
async def script(_request: Request) -> Response:
    """The script of the page."""
    return Response(SCRIPT, media_type="text/javascript")


def create(settings: Settings) -> Starlette:
    """The application on the port `ui`."""
    redis = Redis(
        port=settings.redis_port,
        password=settings.redis_password,
        retry=ONCE_MORE,
        socket_timeout=0.3,
        socket_connect_timeout=0.3,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await redis.aclose()

    async def project(_request: Request) -> Response:
        return JSONResponse({"ui": {"name": TITLE}})

    async def start(request: Request) -> Response:
        entry = json.dumps({"created_at": time.time()})
        with contextlib.suppress(RedisError, OSError):
            await redis.set(f"xnai:session:{uuid4()}:data", entry, ex=session_lifetime_s())
        return await page(request)

    return Starlette(
        routes=[
            Route("/", start),
            Route(ASSET, script),
            Route("/project/settings", project),
            Route("/{path:path}", page),
        ],
        lifespan=lifespan,
    )
