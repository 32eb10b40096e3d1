"""Turn text into a vector by hashing its words and letters: no model file, the same on every machine."""

from __future__ import annotations

import math
import re
from zlib import crc32

DIMENSIONS = 384

Vector = tuple[float, ...]

_WORD = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
_COMMON = frozenset(
    _WORD.findall(
        "a about all an and any are as at be been but by can could describe detail did do does everything "
        "explain for from give had has have how i if in into is it its me more most much my no not of on or "
        "our please should so some such tell than that the their them then there these they this to up us was "
        "we were what when where which who why will with would you your "
    )
)
_STEM = re.compile(r"(?:ing|ed|es|s)$")
_GRAM_WEIGHT = 0.35


def words(text: str) -> list[str]:
    """The words of a text that carry meaning, in lower case, without their common endings."""
    lowered = (match.group().lower() for match in _WORD.finditer(text))
    return [_STEM.sub("", word) if len(word) > 4 else word for word in lowered if word not in _COMMON]


def embed(text: str, dimensions: int = DIMENSIONS) -> Vector:
    """A unit vector of `dimensions` numbers: signed hashing of words and trigrams (Weinberger et al., 2009).

    A text without a word that carries meaning gives the zero vector, which is similar to nothing.
    """
    vector = [0.0] * dimensions
    for word in words(text):
        _add(vector, word, 1.0)
        padded = f"<{word}>"
        grams = range(len(padded) - 2)
        for start in grams:
            _add(vector, padded[start : start + 3], _GRAM_WEIGHT / math.sqrt(len(grams)))
    length = math.hypot(*vector)
    return tuple(value / length for value in vector) if length else tuple(vector)


def _add(vector: list[float], feature: str, weight: float) -> None:
    """Add a feature to the place its hash names, with the sign its hash gives."""
    hashed = crc32(feature.encode("utf-8", "surrogatepass"))
    vector[(hashed >> 1) % len(vector)] += weight if hashed & 1 else -weight
