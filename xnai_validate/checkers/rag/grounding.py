"""`rag.grounding`: whether an answer comes from the documents that it should come from."""

from __future__ import annotations

from typing import Annotated, Literal

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers.rag._asking import Asking
from xnai_validate.checkers.rag._support import support
from xnai_validate.kit import (
    Context,
    Count,
    Facts,
    Field,
    Gt,
    Le,
    Needs,
    Ratio,
    checker,
)

LISTED_CAP = 20
TEXT_CAP = 2_000


class GroundingParams(Asking):
    """The question, and what its answer must come from."""

    by: Literal["query", "stream"] = "query"
    """Which way the question is asked."""
    cited: list[str] = Field(default_factory=list)
    """Sources that the answer must cite."""
    document: str = ""
    """The text, or the passage of it, that answers the question; without it no statement is compared."""
    word_share: Annotated[float, Gt(0), Le(1)] = 0.6
    """The share of a statement's content words that must stand in the document."""


class Grounded(Facts):
    """The answer, its sources, and how much of it the document supports; null where there was no answer."""

    failed: str | None
    """Why there is no answer to look at, in words."""
    answer: str | None
    """The answer, its first 2 000 characters."""
    sources: list[str] | None
    """What it cites."""
    missing_sources: list[str] | None
    """Sources that it should cite and does not."""
    other_sources: list[str] | None
    """Sources that it cites besides those."""
    repeated_sources: Count | None
    """How many of the citations repeat an earlier one."""
    statements: Annotated[Count | None, Needs("document")]
    """Sentences with at least three content words; null without a document."""
    supported: Annotated[Count | None, Needs("document")]
    """How many of them the document supports."""
    support_ratio: Annotated[Ratio | None, Needs("document")]
    """The share of statements that are supported; null without a document, and for an answer without statements."""
    unsupported: Annotated[list[str] | None, Needs("document")]
    """The statements that are not, the first 20."""


@checker("rag.grounding", expect={"failed": None, "missing_sources": [], "repeated_sources": 0}, target=False)
async def grounding(params: GroundingParams, ctx: Context) -> Grounded:
    """Ask a question whose answer is known, and report what the answer cites and how much of it the document supports.

    The measure is lexical, and simple enough to be checked by hand. A statement is a sentence with at least three
    content words: words of four or more characters or with a digit, the same where their first six characters are; of
    scripts without spaces, pairs of characters. It is supported where 60 % (`word_share`) of its distinct content words
    stand in the document. So it finds answers that come from elsewhere. It does not understand: a sentence with a `not`
    too many is as well supported as the true one.

        kind: rag.grounding
        target: api
        with: {question: "How many dimensions?", cited: [retrieval.md], document: "Vectors have 384 dimensions ..."}
        expect: {support_ratio: {min: 0.8}, other_sources: {length: {max: 4}}}
    """
    observation = params.query if params.by == "query" else params.stream
    observed = await ctx.observe(observation)
    answer, sources = params.answer_of(observed.facts), params.sources_of(observed.facts)
    failed = failure(observation, observed)
    if failed is None and not (answer and answer.strip()):
        failed = "the answer is empty" if answer is not None else f"there is no text at {params.answer_path}"
    cited = sources or []
    found = support(answer, params.document, params.word_share) if answer and params.document.strip() else None
    return Grounded(
        failed=failed,
        answer=answer[:TEXT_CAP] if answer is not None else None,
        sources=sources,
        missing_sources=None if answer is None else [name for name in params.cited if name not in cited],
        other_sources=None if sources is None else [name for name in sources if name not in params.cited],
        repeated_sources=None if answer is None else len(cited) - len(set(cited)),
        statements=len(found.statements) if found else None,
        supported=len(found.statements) - len(found.unsupported) if found else None,
        support_ratio=found.ratio if found else None,
        unsupported=[text[:TEXT_CAP] for text in found.unsupported[:LISTED_CAP]] if found else None,
    )
