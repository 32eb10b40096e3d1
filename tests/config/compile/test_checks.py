"""Many checks: what a suite of thousands costs, and what its checks share."""

from __future__ import annotations

import tracemalloc

from tests.config.home import Home, allowing
from xnai_validate.config.compile.checks import configured_parts
from xnai_validate.model.json import JsonObject
from xnai_validate.plan import Plan

FEW, MANY = 500, 2_500
KEPT_BYTES = 1_300
"""What a planned check may take, its texts included."""


def suite(count: int) -> str:
    """A suite of checks that differ in their ids, titles and params only."""
    checks = (
        f"  - id: c{number:05}\n    title: Path {number} answers\n    kind: toy.ask\n    target: api\n"
        f"    with: {{path: /c/{number}}}\n    expect: {{status: {{in: [200, 204]}}}}\n"
        for number in range(count)
    )
    return f"title: Many\nchecks:\n{''.join(checks)}"


def measured(home: Home, count: int) -> tuple[Plan, int]:
    """The plan of a number of checks, and the bytes that it takes."""
    home.suite(suite(count), name="case/many")
    tracemalloc.start()
    try:
        plan = home.load()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(plan.checks) == count
    return plan, kept


def test_a_check_takes_little_memory(home: Home) -> None:
    """What a check adds to a plan is bounded, and nothing else of its suite is kept: ten thousand take some 7 MB."""
    home.profile()
    measured(home, 10)  # what is loaded once is loaded
    plan, kept = measured(home, FEW)
    del plan
    _, more_kept = measured(home, MANY)
    assert (more_kept - kept) / (MANY - FEW) < KEPT_BYTES


def test_checks_that_want_the_same_share_it(home: Home) -> None:
    """Rules are compiled once for all checks that write the same, and are not shared with those that write others."""
    home.profile()
    another = "{id: other, title: Other, kind: toy.ask, target: api, with: {path: /}, expect: {status: 200}}"
    home.suite(f"{suite(3)}  - {another}\n")
    first, second, third, other = (check.measurement.rules for check in home.load().checks)
    assert first is second is third
    assert [rule.operand for rule in first if rule.fact == "status"] == [[200, 204]]
    assert [rule.operand for rule in other if rule.fact == "status"] == [200]


def test_a_tightened_check_still_disturbs(home: Home) -> None:
    """A threshold replaces rules and nothing else: the disturbances of the params stay what they are."""
    home.profile(
        "title: Base\nsuites: [case/*]\ntargets: {store: {url: 'redis://127.0.0.1:2/0'}}\n"
        "thresholds: {'case/one:it': {moved: {b: 2}}}\n"
    )
    home.suite(
        "title: One\nchecks:\n  - {id: it, title: It, kind: toy.disturb, target: store, "
        "with: {list: [{fault: redis.readonly}]}, expect: {moved: {a: 1}}}\n"
    )
    (check,) = home.load(options=allowing(home.options(), "disruptive")).checks
    assert [rule.path for rule in check.measurement.rules] == ["b"]
    assert [fault.fault.name for fault in check.faults] == ["redis.readonly"]


LLM: JsonObject = {"fault": "process.pause", "target": "llm", "if_configured": True}


def test_a_marked_part_of_a_missing_target_is_left_out() -> None:
    """An entry of a list and a key of a mapping vanish; what is not marked, or is configured, stays."""
    marked: JsonObject = {"name": "a", "if_configured": True, "breach": {"target": "llm"}}
    value: JsonObject = {"situations": [marked], "trip": {"fault": LLM}}
    assert configured_parts(value, {"redis"}) == {"situations": [], "trip": {}}
    assert configured_parts(value, {"redis", "llm"}) == value
    plain: JsonObject = {"trip": {"fault": {"fault": "process.pause", "target": "llm"}}}
    assert configured_parts(plain, set()) == plain
