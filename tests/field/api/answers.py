"""Retrieval over the documents, and the model: it quotes the document that resembles the question most."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from tests.field.documents import DOCUMENTS

MODEL = "quoter-1"
_TOKEN_S = 0.008
_LONGEST = 100
"""The most words of an answer: they take half the time limit of a call."""
_WORD = re.compile(r"[a-z]+")
_COMMON = frozenset(
    "a an and are at by do does for from how in is it many of often on the to what when which with".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be answered: the names of the documents, and the words of the answer."""

    sources: tuple[str, ...]
    words: tuple[str, ...]


def _stems(text: str) -> set[str]:
    return {word.rstrip("s")[:6] for word in _WORD.findall(text.lower()) if word not in _COMMON}


_DOCUMENTS = {name: _stems(text) for name, text in DOCUMENTS.items()}


def _ranked(question: str) -> list[tuple[int, str]]:
    """Return how many words each document shares with a question, and its name, best first."""
    stems = _stems(question)
    return sorted(((len(stems & own), name) for name, own in _DOCUMENTS.items()), reverse=True)


def plan(question: str, *, use_rag: bool, max_tokens: int, top_k: int = 5) -> Plan:
    """Return the answer to a question, of at most `max_tokens` words."""
    if use_rag and top_k and "everything" in question.lower():
        names = tuple(DOCUMENTS)[:top_k]
        return Plan(names, tuple(" ".join(DOCUMENTS[name] for name in names).split()[: min(max_tokens, _LONGEST)]))
    shared, name = _ranked(question)[0]
    if use_rag and top_k and shared >= 2:
        return Plan((name,), tuple(DOCUMENTS[name].split()[:max_tokens]))
    text = "I have no document about that." if use_rag else "Without the documents I can only guess about gardens."
    return Plan((), tuple(text.split()[:max_tokens]))


async def generate(words: tuple[str, ...]) -> AsyncGenerator[str, None]:
    """Yield one token after the other; joined they are the answer."""
    begun = time.perf_counter()
    for number, word in enumerate(words):
        await asyncio.sleep(max(0.0, begun + (number + 1) * _TOKEN_S - time.perf_counter()))
        yield word if number == 0 else f" {word}"


def search(question: str, limit: int) -> list[dict[str, object]]:
    """Return the documents that share words with a question, best first."""
    return [
        {"title": name, "content": DOCUMENTS[name], "score": shared} for shared, name in _ranked(question) if shared
    ][:limit]
