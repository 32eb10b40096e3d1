"""A user interface that shows the wrong page, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.pages import not_found
from xnai_validate.demo.services.ui import PAGE, page, script, session_lifetime_s

Handler = Callable[[Request], Awaitable[Response]]

_TRACEBACK = (
    "Internal Server Error\n\nTraceback (most recent call last):\n"
    '  File "/app/main.py", line 118, in serve\n    page = await render(session)\n'
    "RuntimeError: event loop is closed\n"
)


def _show(defect: Defect, make_response: Callable[[], Response]) -> Defect:
    """Let a defect answer every request for the page."""

    @defect.wraps(page)
    async def shown(_: Handler, /, request: Request) -> Response:
        return make_response()

    return defect


EMPTY = _show(
    Defect(
        "ui-empty",
        "The user interface answers 200 with an empty page.",
        checks=("services/answers:ui-page", "services/gateway:routes-ui"),
    ),
    lambda: HTMLResponse(""),
)

ERROR_PAGE = _show(
    Defect(
        "ui-error-page",
        "The user interface answers 200 with a stack trace.",
        checks=("services/answers:ui-no-trace", "services/answers:ui-page", "services/gateway:routes-ui"),
    ),
    lambda: HTMLResponse(f"<pre>{_TRACEBACK}</pre>"),
)

IS_500 = _show(
    Defect(
        "ui-500",
        "The user interface answers 500.",
        checks=(
            "services/answers:ui-no-trace",
            "services/answers:ui-page",
            "services/gateway:routes-ui",
        ),
    ),
    lambda: PlainTextResponse("Internal Server Error", 500),
)

PLAIN_TEXT = _show(
    Defect(
        "ui-plain-text",
        "The page of the user interface is sent as plain text.",
        checks=("services/answers:ui-page", "services/gateway:routes-ui"),
    ),
    lambda: PlainTextResponse(PAGE),
)

SLOW = Defect("ui-slow", "The user interface takes over two seconds.", checks=("services/answers:ui-page",))


@SLOW.wraps(page)
async def page_late(page: Handler, /, request: Request) -> Response:
    """Send the page after 2.3 seconds."""
    await asyncio.sleep(2.3)
    return await page(request)


SESSION_FOREVER = Defect(
    "ui-session-forever", "Sessions in Redis never expire.", checks=("services/redis:sessions-expire",)
).changes(session_lifetime_s, lambda _: None)

ASSET_MISSING = Defect(
    "ui-asset-missing",
    "The script of the user interface's page does not exist.",
    checks=("services/answers:ui-asset",),
)


@ASSET_MISSING.wraps(script)
async def no_script(_: Handler, /, _request: Request) -> Response:
    """Answer the request for the script with 404."""
    return await not_found(_request, LookupError())
