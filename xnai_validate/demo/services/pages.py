"""Answers that several of the small services give."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

ASSET = "/assets/index-4f2a91c7.js"
"""The script of the user interface's page."""


async def not_found(_request: Request, _error: Exception) -> Response:
    """The plain 404 of a static server."""
    return Response("404 page not found\n", 404, media_type="text/plain")
