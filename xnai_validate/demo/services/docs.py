"""The documentation: a stand-in for a site built by MkDocs.

Pages are `/`, `/architecture/` and `/operations/`; beside them `/sitemap.xml`, a style sheet and
`/search/search_index.json` (`config`, `docs[]` with `location`, `title`, `text`). Every page carries MkDocs' generator
meta tag.
"""

from __future__ import annotations

from html import escape

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from xnai_validate.demo.services.pages import not_found
from xnai_validate.demo.settings import Settings

GENERATOR = "mkdocs-1.6.1, mkdocs-material-9.5.49"
PAGES: dict[str, tuple[str, str]] = {
    "": (
        "XNAi Foundation",
        "Documentation of the XNAi Foundation stack: a private assistant that answers from documents.",
    ),
    "architecture/": (
        "Architecture",
        "A gateway, an API with retrieval, a model server, Redis, and small services around.",
    ),
    "operations/": ("Operations", "How to start the stack, watch its health, and bring it back after a failure."),
}


def create(settings: Settings) -> Starlette:
    """The application on the port `docs`."""
    site = settings.url("docs") + "/"

    async def page(request: Request) -> Response:
        path = request.url.path.lstrip("/")
        if f"{path}/" in PAGES:
            return RedirectResponse(f"/{path}/", 302)
        if path not in PAGES or (path and settings.broken("docs-dead-links")):
            return await not_found(request, LookupError())
        if settings.broken("docs-listing"):
            names = "".join(f'<li><a href="{name}">{name}</a></li>' for name in ("docs/", "mkdocs.yml", "README.md"))
            return HTMLResponse(f"<html><head><title>Directory listing for /</title></head><ul>{names}</ul></html>")
        return HTMLResponse(_html(*PAGES[path]))

    async def sitemap(_request: Request) -> Response:
        urls = "".join(f"<url><loc>{escape(site + path)}</loc></url>" for path in PAGES)
        xml = '<?xml version="1.0" encoding="UTF-8"?>\n'
        xml += f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>\n'
        if settings.broken("docs-sitemap-broken"):
            xml = xml[: len(xml) // 2]
        return Response(xml, media_type="application/xml")

    async def search(request: Request) -> Response:
        if settings.broken("docs-no-search"):
            return await not_found(request, LookupError())
        entries = [] if settings.broken("docs-empty-search") else _search_entries()
        return JSONResponse({"config": {"lang": ["en"], "separator": "[\\s\\-]+"}, "docs": entries})

    async def style(_request: Request) -> Response:
        return Response("body{max-width:60rem;margin:auto;font-family:sans-serif}\n", media_type="text/css")

    return Starlette(
        routes=[
            Route("/sitemap.xml", sitemap),
            Route("/search/search_index.json", search),
            Route("/assets/stylesheets/main.css", style),
            Route("/{path:path}", page),
        ],
    )


def _html(title: str, text: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="{GENERATOR}">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/assets/stylesheets/main.css"></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>\n"
    )


def _search_entries() -> list[dict[str, str]]:
    return [{"location": path, "title": title, "text": text} for path, (title, text) in PAGES.items()]
