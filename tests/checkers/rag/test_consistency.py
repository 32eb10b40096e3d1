"""The same question has the same answer by every way, and each difference is found."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.checkers.rag.server import seen
from xnai_validate.checkers.rag.consistency import ConsistencyParams


def test_the_same_answer_by_every_way_is_consistent() -> None:
    """Twice by each way: one answer, one set of sources, tokens counted, no time longer than it took."""
    found = seen("rag.consistency", question="When?", times=3, expect={"query_token_difference": {"max": 3}})
    assert found.held, found.findings
    assert (found.facts["answers"], found.facts["server_excess_ms"]) == (6, 0.0)


@pytest.mark.parametrize(
    ("wrong", "broken"),
    [
        ("changing", {"distinct_answers"}),
        ("streams another", {"distinct_answers"}),
        ("streams other sources", {"distinct_sources"}),
        ("miscounts", {"wrong_claims"}),
        ("slower than time", {"wrong_claims"}),
        ("counts less", {"query_token_difference"}),
        ("no answer", {"failed"}),
    ],
)
def test_each_difference_is_found(wrong: str, broken: set[str]) -> None:
    """Each way of being inconsistent breaks the rule that is about it, and no other."""
    found = seen("rag.consistency", wrong, question="When?", expect={"query_token_difference": {"max": 3}})
    assert {finding.fact for finding in found.findings if not finding.held} == broken


def test_the_first_difference_is_quoted() -> None:
    """Both answers, where they part."""
    found = seen("rag.consistency", "streams another", question="When?")
    assert "query 1 has" in found.facts["first_difference"]
    assert "768" in found.facts["first_difference"]


def test_a_question_is_sent_at_temperature_zero_by_default() -> None:
    """The requests are spelled out in the params, with the options in their bodies."""
    params = ConsistencyParams.model_validate({"question": "When?"})
    assert params.query.with_["json"] == {"query": "When?", "temperature": 0}
    other = {"question": "When?", "options": {"max_tokens": 3}, "query": {"kind": "http.request"}}
    params = ConsistencyParams.model_validate(other)
    assert (params.query.with_, params.stream.with_["json"]) == ({}, {"query": "When?", "max_tokens": 3})
    for bad in ({}, {"question": ""}, {"question": "a", "options": 3}, {"question": "a", "answer_path": "$.["}):
        with pytest.raises(ValidationError):
            ConsistencyParams.model_validate(bad)
