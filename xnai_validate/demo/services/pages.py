"""Answers that several of the small services give."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

ASSET = "/assets/index-4f2a91c7.js"
"""The script of the user interface's page."""

TRACEBACK = (
    "Internal Server Error\n\nTraceback (most recent call last):\n"
    '  File "/app/main.py", line 118, in serve\n    page = await render(session)\n'
    "RuntimeError: event loop is closed\n"
)
"""What a careless server shows when it fails."""


async def not_found(_request: Request, _error: Exception) -> Response:
    """The plain 404 of a static server."""
    return Response("404 page not found\n", 404, media_type="text/plain")
