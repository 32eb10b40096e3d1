"""The vector index: passages of the documents, found by cosine similarity."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from xnai_validate.demo.api.answers.corpus import Document
from xnai_validate.demo.llm.embedding import DIMENSIONS, Vector, embed

_THRESHOLD = 0.2
"""Least similarity of a passage that is related to a question; unrelated text stays below it."""


class DimensionMismatch(Exception):
    """The embedder's vectors have another length than those in the index."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that a search has found, and how similar it is to the query (0 to 1)."""

    place: int
    source: str
    title: str
    passage: str
    score: float


@dataclass(frozen=True, slots=True)
class _Entry:
    """A passage and its vector."""

    source: str
    title: str
    passage: str
    vector: Vector


class VectorIndex:
    """Passages with their vectors of `DIMENSIONS` numbers; few enough to be compared each in turn."""

    def __init__(self, documents: Iterable[Document], embedder: Callable[[str], Vector] = embed) -> None:
        self._embed = embedder
        self._entries = [
            _Entry(document.source, document.title, passage, embed(f"{document.title}. {passage}"))
            for document in documents
            for passage in document.passages()
        ]

    def __len__(self) -> int:
        return len(self._entries)

    def ready(self) -> bool:
        """Whether the embedder makes vectors that this index can compare: of its length, and not zero."""
        vector = self._embed("health")
        return len(vector) == DIMENSIONS and any(vector)

    def search(self, text: str, top_k: int, threshold: float = _THRESHOLD) -> list[Hit]:
        """The `top_k` passages most similar to `text`, best first; none below the threshold.

        Raises `DimensionMismatch` if the embedder does not fit the index.
        """
        query = self._embed(text)
        if len(query) != DIMENSIONS:
            raise DimensionMismatch(f"a vector of {len(query)} numbers against an index of {DIMENSIONS}")
        sparse = [(place, value) for place, value in enumerate(query) if value]
        scored = [
            (sum(value * entry.vector[place] for place, value in sparse), number)
            for number, entry in enumerate(self._entries)
        ]
        best = sorted((pair for pair in scored if pair[0] >= threshold), key=lambda pair: (-pair[0], pair[1]))
        return [self.hit(number, score) for score, number in best[:top_k]]

    def hit(self, place: int, score: float = 1.0) -> Hit:
        """The passage at a place, as a search returns it; raises `IndexError` beyond the end."""
        entry = self._entries[place]
        return Hit(place, entry.source, entry.title, entry.passage, score)
