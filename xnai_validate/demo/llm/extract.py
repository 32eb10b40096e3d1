"""Answer from the context in a prompt: the sentences that share most words with the question.

A prompt is laid out as `prompt` writes it. A question that asks for detail ("in detail", "everything", "all") is
answered with every sentence of the context, any other with the best ones: so a client can ask for a long answer or
a short one.
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
        shortened = " ".join(question.split())[:200]
        chosen = [f"The documents at hand say nothing about this question: {shortened}"]
    return _TOKEN.findall(" ".join(chosen))


def _choose(context: str, question: str) -> list[str]:
    """The sentences of the context to answer with, best first; if only one fits, the sentence after it follows."""
    sentences = [part for line in context.splitlines() for part in _SENTENCE.split(line) if part.strip()]
    if _DETAIL.search(question):
        return sentences
    question_words = set(words(question))
    scores = [_score(question_words, sentence) for sentence in sentences]
    ranked = sorted((number for number, score in enumerate(scores) if score > 0), key=lambda number: -scores[number])
    if len(ranked) == 1:
        ranked.append(ranked[0] + 1)
    return [sentences[number] for number in ranked[:_SENTENCES] if number < len(sentences)]


def _score(question_words: set[str], sentence: str) -> float:
    """How many words of the question a sentence has, plus 0.5 if it begins with such a word: definitions do."""
    sentence_words = words(sentence)
    if not sentence_words:
        return 0.0
    starts = sentence_words[0] in question_words
    return len(question_words & set(sentence_words)) + (0.5 if starts else 0.0)
