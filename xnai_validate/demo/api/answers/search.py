"""`/docs/search` and `/docs/concepts` (layout B): what the documents contain, without the model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from xnai_validate.demo.api.answers.corpus import documents
from xnai_validate.demo.api.answers.index import Hit
from xnai_validate.demo.api.schemas import Concept, Concepts, DocumentHit, DocumentSearch
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.seams import seam

_SNIPPET_CHARACTERS = 200
_LEAST_SCORE = 0.1


@seam
def largest_limit() -> int:
    """The most passages that a search may ask for."""
    return 50


@seam
def find(services: Services, query: str, limit: int) -> list[Hit]:
    """The passages that resemble the query, best first."""
    return services.index.search(query, limit, _LEAST_SCORE)


def router(services: Services) -> APIRouter:
    """The endpoints, for one application."""
    routes = APIRouter()
    bounded: int = Query(default=10, ge=1, le=largest_limit())

    @routes.get("/docs/search", response_model=DocumentSearch, summary="Search the documents")
    async def search(
        query: Annotated[str, Query(min_length=1, max_length=2000)],
        limit: int = bounded,
    ) -> DocumentSearch:
        """The passages that resemble the query, best first."""
        results = [
            DocumentHit(
                source=hit.source, title=hit.title, snippet=hit.passage[:_SNIPPET_CHARACTERS], score=round(hit.score, 4)
            )
            for hit in find(services, query, limit)
        ]
        return DocumentSearch(query=query, results=results, total=len(results))

    @routes.get("/docs/concepts", response_model=Concepts, summary="The subjects of the documents")
    async def concepts() -> Concepts:
        """Every subject with the first sentence about it."""
        known = [
            Concept(name=document.title, description=_first_sentence(document.text), source=document.source)
            for document in documents()
        ]
        return Concepts(concepts=known, total=len(known))

    return routes


def _first_sentence(text: str) -> str:
    """Return the first sentence of a text."""
    return text.partition(". ")[0].rstrip(".") + "."
