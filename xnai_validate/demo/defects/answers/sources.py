"""Answers that cite the wrong sources."""

from __future__ import annotations

from pydantic import JsonValue

from xnai_validate.demo.api.answers.corpus import documents
from xnai_validate.demo.defects.answers.queries import Body, change_body
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.streaming.changes import change_events_of


def _sources(body: Body) -> list[JsonValue]:
    """Return the sources of an answer; an empty list if it has none."""
    sources = body["sources"]
    return list(sources) if isinstance(sources, list) else []


MISSING = change_body(
    Defect(
        "sources-missing",
        "Answers from documents name no sources.",
        checks=(
            "api/query:canary",
            "api/query:answers-another",
            "api/query:cites",
        ),
    ),
    lambda _, body: body | {"sources": []},
)

EVERYTHING = change_body(
    Defect(
        "sources-everything",
        "Every answer cites every document there is.",
        checks=("rag/grounding:few-sources", "rag/consistency:same"),
    ),
    lambda _, body: body | {"sources": [document.source for document in documents()]},
)

NULL = change_body(
    Defect(
        "sources-null",
        "Without retrieval the sources are null instead of an empty list.",
        checks=("api/contract:query", "rag/isolation:without-rag"),
    ),
    lambda question, body: body if question.use_rag else body | {"sources": None},
)

REPEATED = change_body(
    Defect("sources-repeated", "Sources are named twice.", checks=("rag/grounding:cited",)),
    lambda _, body: body | {"sources": [*_sources(body), *_sources(body)]},
)

INVENTED = change_body(
    Defect(
        "sources-invented",
        "The source named is a document that does not exist.",
        checks=("rag/grounding:cited", "rag/grounding:cited-too", "api/query:cites"),
    ),
    lambda _, body: body | {"sources": ["handbook-of-everything.pdf"]} if body["sources"] else body,
)

WITHOUT_RAG = change_body(
    Defect(
        "rag-off-cites",
        "Answers without retrieval name a source.",
        checks=("rag/isolation:without-rag", "api/query:without-rag"),
    ),
    lambda question, body: body if question.use_rag else body | {"sources": ["xoe-novai.md"]},
)

OTHER_IN_STREAM = change_events_of(
    "sources",
    Defect(
        "stream-other-sources",
        "The stream cites another document than the query.",
        checks=("rag/consistency:same", "rag/grounding:streamed"),
    ),
    lambda event: [event | {"sources": ["memory-budget.md"]}],
)
