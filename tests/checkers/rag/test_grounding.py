"""Answers from documents are distinguished from answers from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checkers.rag.server import ANSWER, DOCUMENT, seen
from tests.context import observe
from xnai_validate.kit import Target

GROUNDING: dict[str, Any] = {"question": "When?", "cited": ["guide.md"], "document": DOCUMENT}


RATIO = {"support_ratio": {"min": 0.9}}


@pytest.mark.parametrize("by", ["query", "stream"])
def test_an_answer_from_its_document_is_grounded(by: str) -> None:
    """Both ways give the answer, its sources, and every statement as supported."""
    found = seen("rag.grounding", by=by, expect=RATIO, **GROUNDING)
    assert found.held, found.findings
    facts = found.facts
    assert (facts["answer"], facts["sources"], facts["other_sources"]) == (ANSWER, ["guide.md"], [])
    assert (facts["statements"], facts["supported"], facts["support_ratio"]) == (2, 2, 1.0)


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        ("another answer", {"support_ratio"}),
        ("another source", {"missing_sources"}),
        ("sources twice", {"repeated_sources"}),
        ("no answer", {"failed", "support_ratio"}),
    ],
)
def test_an_answer_from_elsewhere_is_not_grounded(wrong: str, broken: set[str]) -> None:
    """Each way of being wrong breaks the rule that is about it, and no other."""
    found = seen("rag.grounding", wrong, expect=RATIO, **GROUNDING)
    assert {finding.fact for finding in found.findings if not finding.held} == broken


def test_without_a_document_nothing_is_claimed_of_statements() -> None:
    """No document, no measure: the facts about statements are null."""
    found = seen("rag.grounding", question="When?")
    assert found.held
    assert [found.facts[name] for name in ("statements", "supported", "support_ratio", "unsupported")] == [None] * 4


def test_the_path_of_the_answer_can_be_set() -> None:
    """Another API, another place: any JSONPath; a path that leads nowhere is reported."""
    assert seen("rag.grounding", question="When?", answer_path="$.sources[0]").facts["answer"] == "guide.md"
    assert seen("rag.grounding", question="When?", answer_path="$.none").facts["failed"] == "there is no text at $.none"


def test_a_service_that_is_away_fails_the_measurement_in_words() -> None:
    """No server listens: the reason is that."""
    found = observe("rag.grounding", Target("api", "http://127.0.0.1:1"), question="When?")
    assert "refused" in found.facts["failed"]
