"""The documentation, in the form of MkDocs Material: pages, a large search index, and a sitemap."""

from __future__ import annotations

import json

from aiohttp import web

from tests.field.documents import DOCUMENTS

_INDEX_BYTES = 3 * 2**20
_PAGE = """<!doctype html>
<html lang="en" class="no-js">
  <head>
    <meta charset="utf-8"><meta name="generator" content="mkdocs-1.6.1, mkdocs-material-9.5.49">
    <title>{title}</title>
  </head>
  <body data-md-component="container"><main><h1>{title}</h1><p>{text}</p><nav>{links}</nav></main></body>
</html>
"""
_NAMES = {name.removesuffix(".txt"): text for name, text in DOCUMENTS.items()}


def application() -> web.Application:
    """Return the documentation."""
    app = web.Application()
    app.router.add_get("/", _home)
    app.router.add_get("/search/search_index.json", _index)
    app.router.add_get("/sitemap.xml", _sitemap)
    app.router.add_get("/{name}/", _page)
    app.router.add_get("/{path:.*}", _missing)
    return app


def _html(title: str, text: str) -> str:
    links = "".join(f'<a href="/{name}/">{name}</a>' for name in _NAMES)
    return _PAGE.format(title=title, text=text, links=links)


async def _home(_: web.Request) -> web.Response:
    return web.Response(text=_html("Garden notes", "Six notes about gardening."), content_type="text/html")


async def _page(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    if name not in _NAMES:
        return await _missing(request)
    return web.Response(text=_html(name, _NAMES[name]), content_type="text/html")


async def _missing(_: web.Request) -> web.Response:
    return web.Response(status=404, text=_html("404 - Not found", ""), content_type="text/html")


def _search_index() -> bytes:
    entries = [{"location": f"{name}/", "title": name, "text": text} for name, text in _NAMES.items()]
    filling = " ".join(_NAMES.values())
    while sum(len(entry["text"]) for entry in entries) < _INDEX_BYTES:
        entries.append({"location": f"tulips/#part-{len(entries)}", "title": f"Part {len(entries)}", "text": filling})
    return json.dumps({"config": {"lang": ["en"], "separator": "[\\s\\-]+"}, "docs": entries}).encode()


_INDEX = _search_index()


async def _index(_: web.Request) -> web.Response:
    return web.Response(body=_INDEX, content_type="application/json")


async def _sitemap(request: web.Request) -> web.Response:
    origin = request.url.origin()
    urls = "".join(f"<url><loc>{origin}/{name}</loc></url>" for name in ("", *(f"{name}/" for name in _NAMES)))
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    return web.Response(text=text, content_type="application/xml")
