"""How two plans differ, in sentences."""

from __future__ import annotations

from dataclasses import replace

from xnai_validate.model.results.plan_identity import PlanIdentity, differences

PLAN = PlanIdentity(
    files={"checks/a.yaml": "1", "checks/b.yaml": "2"},
    vars={"api.prefix": "3"},
    targets={"api": "http://127.0.0.1:8000", "ui": None},
    criteria="4",
    skips={"needs --allow disruptive": 2},
)


def test_equal_plans_do_not_differ() -> None:
    """The same digests are the same plan."""
    assert differences(PLAN, replace(PLAN)) == []


def test_each_difference_is_named() -> None:
    """Targets, vars, skipped checks and criteria are named; files only where these do not explain their change."""
    other = PlanIdentity(
        files={"checks/a.yaml": "9"},
        vars={"api.prefix": "9"},
        targets={"api": "http://127.0.0.1:8001"},
        criteria="9",
        skips={},
    )
    assert differences(PLAN, other) == [
        "target api: http://127.0.0.1:8000 before, http://127.0.0.1:8001 now",
        "var api.prefix",
        "skipped checks: 2 before, 0 now (needs --allow disruptive)",
        "success criteria",
    ]
    assert differences(PLAN, replace(PLAN, files={"checks/a.yaml": "9", "checks/b.yaml": "2"})) == [
        "checks of checks/a.yaml"
    ]
