"""`/docs/search` and `/docs/concepts` (layout B): what the documents say, without the model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from xnai_validate.demo.api.answers.corpus import documents
from xnai_validate.demo.api.schemas import Concept, Concepts, DocumentHit, DocumentSearch
from xnai_validate.demo.api.services import Services

_SNIPPET_CHARACTERS = 200
_LEAST_SCORE = 0.1


def router(services: Services) -> APIRouter:
    """The endpoints, for one application."""
    routes = APIRouter()

    most = 1000 if services.settings.broken("docs-search-any-limit") else 50
    bounded: int = Query(default=10, ge=1, le=most)

    @routes.get("/docs/search", response_model=DocumentSearch, summary="Search the documents")
    async def search(
        query: Annotated[str, Query(min_length=1, max_length=2000)],
        limit: int = bounded,
    ) -> DocumentSearch:
        """The passages that resemble the query, best first."""
        if services.settings.broken("search-odd-text-fails") and not query.isascii():
            raise ValueError("the search index takes ASCII")
        top_k = 50 if services.settings.broken("docs-search-unlimited") else limit
        least = -1.0 if services.settings.broken("docs-search-unlimited") else _LEAST_SCORE
        hits = services.index.search(query, top_k, least)
        results = [
            DocumentHit(
                source=hit.source, title=hit.title, snippet=hit.passage[:_SNIPPET_CHARACTERS], score=round(hit.score, 4)
            )
            for hit in hits
        ]
        return DocumentSearch(query=query, results=results, total=len(results))

    @routes.get("/docs/concepts", response_model=Concepts, summary="The subjects of the documents")
    async def concepts() -> Concepts:
        """Every subject with the first sentence about it."""
        known = [
            Concept(name=one.title, description=_first_sentence(one.text), source=one.source) for one in documents()
        ]
        return Concepts(concepts=known, total=len(known))

    return routes


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".") + "."
