"""Code, help, error texts, checks and documents use the plain words of the field, so that anyone understands them."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BARRED = {
    r"told|telling|tells?": "report, return, show",
    r"said|saying|says?": "report, claim, describe, declare",
    r"borne|bears?|bearing": "carry, withstand",
    r"mistakes?": "error",
    r"handovers?": "stack file",
    r"nobody": "no client, no reader",
    r"whoever|whomever": "the client, any user",
    r"t(?:ake|akes|aken|aking|ook) back": "revert, release",
    r"h(?:old|olds|eld|olding) against": "compare with",
    r"let(?:s|ting)? go": "release, yield",
    r"so (?:many|much)": "this number of, this much",
    r"there (?:is|are) none": "without any; null",
    r"(?:makes?|made|making) up": "generate",
    r"of its own accord": "without being asked",
    r"(?:is|are|was|were) meant": "expected",
}
"""Words that prose does not use, each with what to write."""
NAMES = {
    "told": "reported",
    "tell": "report",
    "tells": "reports",
    "said": "described, sent",
    "say": "describe, write",
    "says": "describes",
    "asked": "request, params",
    "wanted": "expected, request",
    "borne": "carried",
    "mistake": "error",
    "mistakes": "errors",
    "handover": "stack_file",
    "nobody": "no_client",
    "surely": "certainly, or leave it out",
    "one": "the type: sample, record, name",
}
"""Parts of names that code does not use, each with what to write; `one` is barred where it is the whole name."""
ALLOWED = {
    ("xnai_validate/checkers/breaker/cycle.py", "told"): "the fact told_open_after of breaker.cycle",
    ("xnai_validate/checkers/breaker/outage.py", "told"): "the fact told_closed of breaker.outage",
    ("xnai_validate/checkers/breaker/state.py", "told"): "the fact told_otherwise of breaker.state",
    ("xnai_validate/checkers/breaker/survive.py", "told"): "the fact told_after of breaker.survive",
    ("xnai_validate/checkers/metrics/_models.py", "wanted"): "the param of metrics.samples",
    ("xnai_validate/checkers/metrics/samples.py", "wanted"): "the param of metrics.samples",
    ("xnai_validate/checkers/redis/keys.py", "wanted"): "the param of redis.keys",
    ("xnai_validate/demo/llm/embedding.py", "tell"): "a stop word of English",
    ("xnai_validate/demo/llm/extract.py", "say"): "an answer of the demo's model",
    ("xnai_validate/demo/processes/stack_file.py", "tell"): "a question to the model",
    ("profiles/stack.yaml", "tell"): "a question to the model",
}
"""(file, word) -> why it stays."""
# Names with hyphens are ids, and `cannot tell` is a verdict of comparisons in the JSON report: both are stable.
PROSE = re.compile(
    r"(?<![\w-])(?<!cannot )(?:" + "|".join(f"(?P<w{n}>{words})" for n, words in enumerate(BARRED)) + r")(?![\w-])",
    re.IGNORECASE,
)
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
FSTRING = getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)
"""The token of the text of an f-string, which Python 3.11 reads as a string."""


def in_prose(text: str) -> Iterator[tuple[int, str, str]]:
    """Each barred word of a text: the lines before it, the word, what to write."""
    for match in PROSE.finditer(text):
        number = int((match.lastgroup or "w0")[1:])
        yield text.count("\n", 0, match.start()), match.group(), list(BARRED.values())[number]


def in_name(name: str) -> Iterator[tuple[str, str]]:
    """Each barred part of a name, and what to write."""
    parts = [part.lower() for part in PARTS.findall(name)]
    for part in parts:
        if part in NAMES and (part != "one" or parts == ["one"]):
            yield part, NAMES[part]


def in_python(source: str) -> Iterator[tuple[int, str, str]]:
    """Each barred word of Python code: its line, the word, what to write."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        line = token.start[0]
        if token.type in (tokenize.COMMENT, tokenize.STRING, FSTRING):
            yield from ((line + below, word, instead) for below, word, instead in in_prose(token.string))
        elif token.type == tokenize.NAME:
            yield from ((line, word, instead) for word, instead in in_name(token.string))


def in_file(path: Path) -> list[tuple[int, str, str]]:
    """Each barred word of a file: its line, the word, what to write."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return list(in_python(text))
    return [(1 + before, word, instead) for before, word, instead in in_prose(text)]


def files() -> list[Path]:
    """The files that are read: code, documents, checks and profiles."""
    code = [path for folder in ("xnai_validate", "bench", "manual") for path in (ROOT / folder).rglob("*.py")]
    yaml = [path for folder in ("checks", "profiles") for path in (ROOT / folder).rglob("*.yaml")]
    pages = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")]
    return [*sorted(code), *sorted(yaml), *pages, *sorted((ROOT / "docs").rglob("*.md"))]


def test_words_are_plain() -> None:
    """No barred word stands in code, help, errors, checks, profiles and documents, and no allowance is left unused."""
    hits = [(str(path.relative_to(ROOT)), hit) for path in files() for hit in in_file(path)]
    wrong = [
        f'{name}:{line}: "{word}": write {instead}'
        for name, (line, word, instead) in hits
        if (name, word.lower()) not in ALLOWED
    ]
    assert not wrong, "\n".join(wrong)
    assert set(ALLOWED) == {(name, word.lower()) for name, (_, word, _) in hits}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('x = 1\n"""First line.\n\nIt tells why."""\n', [(4, "tells")]),
        ("x = 1  # as Redis says\n", [(1, "says")]),
        ('f"{x} is told"\n', [(1, "told")]),
        ("def _was_told(one, someone): ...\n", [(1, "told"), (1, "one")]),
        ("class SoSaid: ...\n", [(1, "said")]),
        ('x = "told-once", "cannot tell", "none too soon"\n', []),
        ("one_way = at_once = 1\n", []),
    ],
)
def test_barred_words_are_seen(source: str, expected: list[tuple[int, str]]) -> None:
    """Comments, docstrings, strings and names are read, with their lines; ids and verdicts are not prose."""
    assert [(line, word) for line, word, _ in in_python(source)] == expected


def test_documents_are_read_with_their_lines() -> None:
    """What stands in a document is found at its line, with what to write."""
    assert list(in_prose("# Title\n\nNobody is\nso many.")) == [
        (2, "Nobody", BARRED["nobody"]),
        (3, "so many", BARRED["so (?:many|much)"]),
    ]
