"""How far an answer is supported by a document: a lexical measure, simple enough to be checked by hand.

A statement is a sentence of the answer with at least three distinct content words. A content word is a word of four or
more characters, or one with a digit; of scripts that write without spaces (Chinese, Japanese, Thai ...) each pair of
neighbouring characters is one. Two words are the same where their first six characters are, case aside: so `circuit`
and `circuits` are. A statement is supported where at least a given share of its distinct content words stands in the
document. The measure sees words, not meaning: it finds an answer that comes from elsewhere, not one that negates.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

LEAST_WORDS = 3
SHORTEST = 4
COMPARED = 6
TEXT_CAP = 200_000
"""Characters of an answer or a document that are looked at."""
_RUN = re.compile(r"\w+")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Support:
    """The statements of an answer, and which of them the document supports."""

    statements: tuple[str, ...]
    unsupported: tuple[str, ...]

    @property
    def ratio(self) -> float | None:
        """The share of statements that are supported; None where there are no statements."""
        if not self.statements:
            return None
        return 1 - len(self.unsupported) / len(self.statements)


def support(answer: str, document: str, word_share: float) -> Support:
    """Compare the statements of an answer with a document."""
    known = frozenset(content_words(document[:TEXT_CAP]))
    statements: list[str] = []
    unsupported: list[str] = []
    for sentence in _SENTENCE.split(answer[:TEXT_CAP]):
        words = frozenset(content_words(sentence))
        if len(words) < LEAST_WORDS:
            continue
        statements.append(sentence.strip())
        if len(words & known) < word_share * len(words):
            unsupported.append(sentence.strip())
    return Support(tuple(statements), tuple(unsupported))


def content_words(text: str) -> Iterator[str]:
    """The content words of a text, as they are compared."""
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _UNSPACED.search(run):
            yield from (run[at : at + 2] for at in range(max(1, len(run) - 1)))
        elif len(run) >= SHORTEST or any(map(str.isdigit, run)):
            yield run[:COMPARED]
