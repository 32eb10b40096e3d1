"""health.truth: the table of a stack that lies equals what it lies about, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.checkers.lying import CACHED_S, lying
from tests.context import observe
from xnai_validate.checkers.health._sample import Paths, read
from xnai_validate.checkers.health._truth_model import Truth
from xnai_validate.kit import JsonObject, JsonValue, NotApplicable, Observed, Unmeasurable
from xnai_validate.model.judging.fact_types import fact_types
from xnai_validate.model.judging.findings import judge
from xnai_validate.model.judging.rules import parse_rules

Table = dict[tuple[str, str], tuple[Any, Any]]
"""(situation, component) -> (claimed, true)."""
SITUATIONS = ("as it is", "no llm", "no cache")
TRUE: Table = {
    (situation, component): (well, well)
    for situation in SITUATIONS
    for component in ("llm", "cache")
    for well in [situation != f"no {component}"]
}
"""The table of a stack with a true health report."""


def claimed(changes: Mapping[tuple[str, str], bool | None]) -> Table:
    """The true table with other claims in some cells."""
    return {cell: (changes.get(cell, claim), true) for cell, (claim, true) in TRUE.items()}


LIES: dict[str, Table] = {
    "always-green": claimed({("no llm", "llm"): True, ("no cache", "cache"): True}),
    "always-red": claimed({("as it is", "llm"): False, ("no cache", "llm"): False}),
    "swapped": claimed(
        {
            ("no llm", "llm"): True,
            ("no llm", "cache"): False,
            ("no cache", "cache"): True,
            ("no cache", "llm"): False,
        }
    ),
    "one-unprobed": claimed({("no cache", "cache"): True}),
    "all-or-nothing": claimed({("no llm", "cache"): False, ("no cache", "llm"): False}),
    "cached": claimed({("no llm", "llm"): True, ("no cache", "cache"): True}),
    "component-missing": claimed(dict.fromkeys([(situation, "cache") for situation in SITUATIONS])),
}
"""Manner of lying -> the table that it must give."""
NEVER_RIGHT = ("always-red", "component-missing")
"""The manners whose report is wrong also where nothing is disturbed: it is waited for in vain."""


EXPECTED: JsonObject = {
    "false_green": [],
    "false_red": [],
    "not_recovered": [],
    "status_faults": [],
    "unanswered_count": 0,
    "missing_components": [],
}
"""What a whole check of a report asks, besides what the kind does."""


def observed(manner: str, **more: Any) -> Observed:
    """One measurement of a stack with a manner of reporting."""
    with lying(manner) as targets:
        probes = {
            name: {"kind": "http.request", "target": name, "with": {"path": "/", "timeout": "400ms"}}
            for name in ("llm", "cache")
        }
        with_: dict[str, Any] = {
            "health": {"kind": "http.request", "target": "api", "with": {"path": "/health", "timeout": "3s"}},
            "truth": probes,
            "situations": [
                {"name": f"no {name}", "breach": {"fault": "process.pause", "target": name}} for name in probes
            ],
            "every": "60ms",
            "detect_within": "4s",
            "recover_within": "4s",
            "steady_within": "1s" if manner in NEVER_RIGHT else "20s",
            **more,
        }
        return observe(
            "health.truth", targets["api"], others=(targets["llm"], targets["cache"]), expect=EXPECTED, **with_
        )


def table(seen: Observed) -> Table:
    """The cells that were found."""
    return {(row["situation"], row["component"]): (row["claimed"], row["true"]) for row in seen.facts["cells"]}


def broken(seen: Observed) -> set[str]:
    """The facts whose rules do not hold."""
    return {finding.fact for finding in seen.findings if not finding.held}


def test_a_true_report_passes() -> None:
    """Every breach is noticed and its end too; times are there; the table is the true one."""
    seen = observed("true")
    assert seen.held, seen.findings
    assert table(seen) == TRUE
    assert 0 < seen.facts["detect_ms"] < 4000
    assert 0 <= seen.facts["recover_ms"] < 4000
    assert seen.facts["status_follows_components"]
    rows = {(row["situation"], row["component"]): row for row in seen.facts["cells"]}
    assert rows["no llm", "llm"]["detected_ms"] > 0
    assert rows["no llm", "cache"]["detected_ms"] is None


@pytest.mark.parametrize("manner", LIES)
def test_the_table_of_a_lie_is_the_lie(manner: str) -> None:
    """A false claim of the report appears in its cell, and nowhere else."""
    seen = observed(manner, detect_within="1500ms", recover_within="1500ms")
    assert table(seen) == LIES[manner]
    assert not seen.held
    green = {
        f"{component}, {situation}" for (situation, component), cell in LIES[manner].items() if cell == (True, False)
    }
    red = {
        f"{component}, {situation}" for (situation, component), cell in LIES[manner].items() if cell == (False, True)
    }
    assert set(seen.facts["false_green"] or ()) == green
    assert set(seen.facts["false_red"] or ()) == red


@pytest.mark.parametrize(
    ("manner", "broken_rules"),
    [
        ("status-always-healthy", {"status_faults"}),
        ("never-recovers", {"not_recovered", "false_red"}),
        ("component-missing", {"missing_components"}),
    ],
)
def test_other_lies_are_named(manner: str, broken_rules: set[str]) -> None:
    """A status that does not follow, a report that never recovers, a component that is missing."""
    assert broken(observed(manner, detect_within="1500ms", recover_within="1500ms")) == broken_rules


def test_a_report_that_fails_when_something_is_wrong_is_read_all_the_same() -> None:
    """The body of a 500 counts, if it is a report: whether the status code may be 500 is for another check."""
    assert table(observed("fails-when-degraded")) == TRUE


def test_a_situation_without_effect_proves_nothing() -> None:
    """Where the probes see nothing broken, the check is an error, and does not pass for want of a lie."""
    situation = {"name": "nothing", "breach": {"fault": "process.pause", "target": "llm"}}
    probes = {"cache": {"kind": "http.request", "target": "cache", "with": {"path": "/", "timeout": "400ms"}}}
    with pytest.raises(Unmeasurable, match="nothing was broken by the probes of the check: nothing"):
        observed("true", truth=probes, situations=[situation], detect_within="1s")


def test_a_component_that_is_down_before_is_not_judged() -> None:
    """A stack that is not well beforehand is an error that names the part, and nothing is disturbed."""
    probes = {"llm": {"kind": "http.request", "target": "llm", "with": {"path": "/"}, "expect": {"status": 404}}}
    with pytest.raises(Unmeasurable, match=r"llm did not work within 0\.3 s"):
        observed("true", truth=probes, steady_within="300ms")


def test_what_is_reported_down_before_is_a_finding_of_the_stack_as_it_is() -> None:
    """It is a false alarm as it is; how soon its failure is noticed cannot be tried, and is not a finding."""
    seen = observed("always-red", detect_within="1s", recover_within="1s")
    assert "llm, as it is" in (seen.facts["false_red"] or ())
    assert (seen.facts["false_green"], seen.facts["detect_ms"], seen.facts["recover_ms"]) == (None, None, None)


def test_a_report_of_a_past_state_is_stale() -> None:
    """A report from a cache keeps the past state, for as long as the cache lives; a fresh one does not."""
    fresh, cached, never = (observed(manner, detect_within="3s") for manner in ("true", "cached-a-while", "cached"))
    assert fresh.facts["stale_ms"] < CACHED_S * 1000 / 2
    assert CACHED_S * 1000 / 2 < cached.facts["stale_ms"] < 3000
    assert cached.facts["false_green"] == []
    assert never.facts["stale_ms"] > 2000


@pytest.mark.parametrize(("manner", "tokens"), [("true", 0), ("generates", 3)])
def test_the_cost_of_a_report_is_counted(manner: str, tokens: int) -> None:
    """For each report its time, and by how much a counter moved."""
    counter = {"kind": "http.request", "target": "api", "with": {"path": "/count"}, "fact": "json", "path": "$.tokens"}
    seen = observed(manner, situations=[], cost={"tokens": counter}, cost_reports=5, settle="10ms")
    assert seen.facts["health_cost"]["tokens"] == tokens
    assert 0 < seen.facts["health_cost"]["ms"] < 1000


def test_work_before_the_cost_must_succeed() -> None:
    """It makes the counters appear; where it fails the cost cannot be measured."""
    counter = {"kind": "http.request", "target": "api", "with": {"path": "/count"}, "fact": "json", "path": "$.tokens"}
    work = {"kind": "http.request", "target": "api", "with": {"path": "/count"}}
    seen = observed("true", situations=[], cost={"tokens": counter}, before_cost=work)
    assert seen.facts["health_cost"]["tokens"] == 0
    with pytest.raises(Unmeasurable, match="the work before the numbers are read failed"):
        observed("true", situations=[], cost={"tokens": counter}, before_cost=work | {"expect": {"status": 503}})


def test_an_absent_counter_costs_no_number() -> None:
    """A mistyped counter does not pass as one that stands at 0: the rule about it does not hold."""
    counter = {"kind": "http.request", "target": "api", "with": {"path": "/count"}, "fact": "json", "path": "$.tokans"}
    seen = observed("true", situations=[], cost={"tokens": counter})
    assert set(seen.facts["health_cost"]) == {"ms"}
    rules, _ = parse_rules({"health_cost": {"tokens": 0}}, fact_types(Truth), kind="health.truth")
    assert [finding.held for finding in judge(rules, seen.facts)] == [False]


@pytest.mark.parametrize(("manner", "answers"), [("true", True), ("waits-for-work", False)])
def test_a_report_that_waits_for_the_work_does_not_come_meanwhile(manner: str, answers: bool) -> None:
    """While the stack is busy reports come, or do not."""
    work = {"kind": "http.request", "target": "api", "with": {"path": "/work", "timeout": "30s"}}
    seen = observed(manner, situations=[], busy=work)
    assert seen.facts["answers_while_busy"] is answers
    assert seen.facts["busy_ms"] > 0
    assert seen.facts["ineffective"] == []


def test_work_that_fails_keeps_nothing_busy() -> None:
    """Then it is unknown whether reports came while the stack was busy."""
    work = {
        "kind": "http.request",
        "target": "api",
        "with": {"path": "/work", "timeout": "30s"},
        "expect": {"status": 503},
    }
    assert observed("true", situations=[]).facts["answers_while_busy"] is None
    quick = {"kind": "http.request", "target": "api", "with": {"path": "/count"}}
    for busy in (quick, work):
        with pytest.raises(Unmeasurable, match="nothing was broken by the probes of the check: busy"):
            observed("true", situations=[], busy=busy)


def test_what_is_no_report_has_no_components() -> None:
    """Documents of any shape are read without an error; tiers and names are not components."""
    paths = Paths("$.components", "$.status")
    documents: list[JsonValue] = [None, [], "x", {"components": []}, {"status": "healthy"}]
    for document in documents:
        assert read(document, paths) == (None, None)
    mixed: JsonValue = {"status": 3, "components": {"a": True, "degradation_tier": 1, "tier_name": "Normal"}}
    assert read(mixed, paths) == ({"a": True}, None)


@pytest.mark.parametrize(("manner", "tokens"), [("others-generate", 0), ("generates-beside-others", 3)])
def test_what_others_generate_is_not_the_cost_of_a_report(manner: str, tokens: int) -> None:
    """Counters move by other clients too: what moves without reports, in as long a time, is subtracted."""
    counter = {"kind": "http.request", "target": "api", "with": {"path": "/count"}, "fact": "json", "path": "$.tokens"}
    seen = observed(manner, situations=[], cost={"tokens": counter}, cost_reports=3, settle="10ms")
    assert seen.facts["health_cost"]["tokens"] == tokens


def test_a_cost_that_others_hide_is_not_judged() -> None:
    """Where others generate much, and not the same in each round, the cost of a report is not taken for 0."""
    counter = {"kind": "http.request", "target": "api", "with": {"path": "/count"}, "fact": "json", "path": "$.tokens"}
    with pytest.raises(NotApplicable, match="without health reports tokens moved by 5 to 250"):
        observed("generates-beside-many", situations=[], cost={"tokens": counter}, cost_reports=3, settle="10ms")
