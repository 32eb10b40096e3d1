"""Counts and lists of checks as text."""

from __future__ import annotations

from xnai_validate.report.lists import listed


def test_listed_groups_by_suite_and_is_bounded() -> None:
    """Ids of one suite stand together; beyond the bound they are counted."""
    assert listed(["a/x:1", "b/y:1", "a/x:2"]) == "a/x: 1, 2; b/y: 1"
    assert listed([f"a/x:{n}" for n in range(70)], most=2) == "a/x: 0, 1; and 68 more"
