"""What is judged of a measurement, and what is not because it was not reached."""

from __future__ import annotations

from xnai_validate.engine.attempts.attempt import judge_facts
from xnai_validate.kit import ErrorKind, Facts, Headers, JsonValue
from xnai_validate.model.judging.rules import Rule


class Driven(Facts):
    """What is known of a machine that may not start."""

    started: bool
    speed: float | None


class Answer(Facts):
    """An answer, as far as it was read."""

    error: ErrorKind | None
    error_detail: str | None
    status: int | None
    headers: Headers | None
    size_bytes: int
    document: JsonValue


NOW = 0.0
STARTS = Rule("started", "equals", True)
QUICK = Rule("speed", "min", 10)


def test_what_was_not_reached_is_not_judged() -> None:
    """A rule about a null fact is left out with the reason; a rule about what was measured is judged."""
    facts = Driven(started=False, speed=None).not_reached("it did not start")
    both = judge_facts((STARTS, QUICK), facts, NOW)
    assert [finding.fact for finding in both.findings if not finding.held] == ["started"]
    assert both.not_reached == "it did not start"
    assert judge_facts((STARTS,), facts, NOW).not_reached is None


def test_a_rule_that_expects_null_is_judged() -> None:
    """Null is what such a rule is about, whatever the reason for it."""
    facts = Driven(started=False, speed=None).not_reached("it did not start")
    judgement = judge_facts((Rule("speed", "equals", None),), facts, NOW)
    assert (len(judgement.findings), judgement.findings[0].held, judgement.not_reached) == (1, True, None)


def test_null_without_a_reason_satisfies_no_rule() -> None:
    """Where the checker gives no reason, a missing value is a result, and the rule about it does not hold."""
    judgement = judge_facts((QUICK,), Driven(started=True, speed=None), NOW)
    assert not judgement.findings[0].held
    assert judgement.not_reached is None


def test_a_bound_of_the_tool_is_no_failure_of_the_stack() -> None:
    """An answer that is larger than is read: what was read whole is judged, what the rest may change is not."""
    facts = Answer(
        error=ErrorKind.TOO_LARGE,
        error_detail="the body is larger than 100 bytes",
        status=503,
        headers={"a": "b"},
        size_bytes=100,
        document=None,
    )
    whole = Rule("error", "equals", None)
    document = Rule("document", "equals", 1, path="$.total")
    unread = judge_facts((whole, document), facts, NOW)
    assert unread.findings == ()
    assert unread.not_reached == "a bound of this tool was reached: the body is larger than 100 bytes"
    head = judge_facts((whole, Rule("status", "equals", 200), Rule("headers", "equals", "c", path="a")), facts, NOW)
    assert [finding.fact for finding in head.findings] == ["status", "headers.a"]
    small = judge_facts((Rule("size_bytes", "max", 50), Rule("size_bytes", "min", 200)), facts, NOW)
    assert [(finding.rule, finding.held) for finding in small.findings] == [("max", False)]
