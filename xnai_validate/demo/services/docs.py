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

from xnai_validate.demo.seams import seam
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


@seam
async def page(request: Request) -> Response:
    """A page; without its trailing slash it redirects to the page."""
    path = request.url.path.lstrip("/")
    if f"{path}/" in PAGES:
        return RedirectResponse(f"/{path}/", 302)
    if path not in PAGES:
        return await not_found(request, LookupError())
    return HTMLResponse(_html(*PAGES[path]))


@seam
def sitemap_xml(site: str) -> str:
    """The sitemap of the site at the url `site`."""
    urls = "".join(f"<url><loc>{escape(site + path)}</loc></url>" for path in PAGES)
    xml = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return xml + f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>\n'


@seam
async def search(request: Request) -> Response:
    """The search index."""
    return JSONResponse({"config": {"lang": ["en"], "separator": "[\\s\\-]+"}, "docs": search_entries()})


@seam
def search_entries() -> list[dict[str, str]]:
    """The entries of the search index."""
    return [{"location": path, "title": title, "text": text} for path, (title, text) in PAGES.items()]


async def _style(_request: Request) -> Response:
    """Respond with the style sheet."""
    return Response("body{max-width:60rem;margin:auto;font-family:sans-serif}\n", media_type="text/css")


def create(settings: Settings) -> Starlette:
    """The application on the port `docs`."""

    async def sitemap(_request: Request) -> Response:
        return Response(sitemap_xml(settings.url("docs") + "/"), media_type="application/xml")

    return Starlette(
        routes=[
            Route("/sitemap.xml", sitemap),
            Route("/search/search_index.json", search),
            Route("/assets/stylesheets/main.css", _style),
            Route("/{path:path}", page),
        ],
    )


def _html(title: str, text: str) -> str:
    """Return a page as MkDocs would build it."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="{GENERATOR}">'
        f'<title>{escape(title)}</title><link rel="stylesheet" href="/assets/stylesheets/main.css"></head>'
        f"<body><h1>{escape(title)}</h1><p>{escape(text)}</p></body></html>\n"
    )
