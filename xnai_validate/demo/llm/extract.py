"""Answer from the context in a prompt: the sentences that share most with the question, and always the same ones.

A prompt is laid out as `prompt` writes it. A question that asks for detail ("in detail", "everything", "all") is
answered with every sentence of the context, any other with the best ones: so a caller can ask for a long answer and
for a short one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from xnai_validate.demo.llm.embedding import words

_INSTRUCTION = "Answer the question from the context below, and from nothing else."
_PROMPT = re.compile(r"Context:\n(?P<context>.*?)\n\nQuestion: (?P<question>.*?)\n\nAnswer:\s*\Z", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_TOKEN = re.compile(r"\s*\S+")
_DETAIL = re.compile(r"\b(?:detail|detailed|everything|all|long)\b", re.IGNORECASE)
_SENTENCES = 2


def prompt(question: str, passages: Sequence[str]) -> str:
    """The prompt for a question and the passages that may answer it, best first."""
    context = "\n".join(" ".join(passage.split()) for passage in passages)
    return f"{_INSTRUCTION}\n\nContext:\n{context}\n\nQuestion: {question}\n\nAnswer:"


def answer(text: str) -> list[str]:
    """The tokens of the answer to a prompt.

    Joined, they are the answer. A token is a word with the blanks before it.
    """
    match = _PROMPT.search(text)
    context, question = (match["context"], match["question"]) if match else ("", text)
    chosen = _choose(context, question)
    if not chosen:
        asked = " ".join(question.split())[:200]
        chosen = [f"The documents at hand say nothing about this question: {asked}"]
    return _TOKEN.findall(" ".join(chosen))


def _choose(context: str, question: str) -> list[str]:
    """The sentences of the context to answer with, best first; where only one fits, the one after it follows."""
    sentences = [part for line in context.splitlines() for part in _SENTENCE.split(line) if part.strip()]
    if _DETAIL.search(question):
        return sentences
    asked = set(words(question))
    scores = [_score(asked, sentence) for sentence in sentences]
    ranked = sorted((place for place, score in enumerate(scores) if score > 0), key=lambda place: -scores[place])
    if len(ranked) == 1:
        ranked.append(ranked[0] + 1)
    return [sentences[place] for place in ranked[:_SENTENCES] if place < len(sentences)]


def _score(asked: set[str], sentence: str) -> float:
    """How many of the asked words a sentence has, a little more where it begins with one: definitions do."""
    said = words(sentence)
    if not said:
        return 0.0
    return len(asked & set(said)) + (0.5 if said[0] in asked else 0.0)
