"""Documentation that was built or published wrongly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.docs import PAGES, page, search, search_entries, sitemap_xml
from xnai_validate.demo.services.pages import not_found

Handler = Callable[[Request], Awaitable[Response]]

NO_SEARCH = Defect("docs-no-search", "The documentation has no search index.", checks=("services/answers:docs-search",))


@NO_SEARCH.wraps(search)
async def search_is_404(_: Handler, /, request: Request) -> Response:
    """Answer the request for the search index with 404."""
    return await not_found(request, LookupError())


EMPTY_SEARCH = Defect(
    "docs-empty-search", "The search index of the documentation is empty.", checks=("services/answers:docs-search",)
).changes(search_entries, lambda entries: entries[:0])

LISTING = Defect(
    "docs-listing",
    "The documentation was not built: a list of files is served instead.",
    checks=("services/answers:docs-page",),
)


@LISTING.wraps(page)
async def list_of_files(page: Handler, /, request: Request) -> Response:
    """Answer the request for a page with a list of files."""
    if request.url.path.lstrip("/") not in PAGES:
        return await page(request)
    names = "".join(f'<li><a href="{name}">{name}</a></li>' for name in ("docs/", "mkdocs.yml", "README.md"))
    return HTMLResponse(f"<html><head><title>Directory listing for /</title></head><ul>{names}</ul></html>")


DEAD_LINKS = Defect(
    "docs-dead-links", "A page named in the sitemap does not exist.", checks=("services/answers:docs-inner-page",)
)


@DEAD_LINKS.wraps(page)
async def only_first_page(page: Handler, /, request: Request) -> Response:
    """Answer the request for every page but the first with 404."""
    path = request.url.path.lstrip("/")
    return await not_found(request, LookupError()) if path and path in PAGES else await page(request)


SITEMAP_BROKEN = Defect(
    "docs-sitemap-broken", "The sitemap of the documentation is not XML.", checks=("services/answers:docs-sitemap",)
).changes(sitemap_xml, lambda xml: xml[: len(xml) // 2])
