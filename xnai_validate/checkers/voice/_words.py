"""How much of a spoken text was understood, word by word."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def words(text: str) -> list[str]:
    """The words of a text: runs of letters and digits, without case (Unicode NFKC, case folding).

    Punctuation and hyphens part words; apostrophes within a word are left out, so that "It's" is `its`.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    return [re.sub("['\u2019]", "", word) for word in _WORD.findall(plain)]


def match_ratio(spoken: str, heard: str) -> float:
    """The share of the words of `spoken` that are among those of `heard`, from 0 to 1.

    The order does not matter, nor do words that were never spoken; a word that was spoken twice must be heard twice.
    `spoken` has at least one word.
    """
    expected, got = Counter(words(spoken)), Counter(words(heard))
    return (expected & got).total() / expected.total()
