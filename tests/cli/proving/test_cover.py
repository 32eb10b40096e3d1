"""The cover of the defects: every check and every topic is in it, it is as small as it can be, and always the same."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from xnai_validate.cli.proving.cover import cover
from xnai_validate.demo.defects import CATALOGUE, TOPICS, Defect

CHECK_IDS = (Path(__file__).parent.parent.parent / "reference" / "check-ids.txt").read_text(encoding="utf-8").split()


def checks_of(defects: Iterable[Defect]) -> set[str]:
    """The checks that must catch some of the defects."""
    return {check for defect in defects for check in defect.checks}


def topics_of(defects: Iterable[Defect]) -> set[str]:
    """The topics that some of the defects belong to."""
    names = {defect.name for defect in defects}
    return {topic for topic, group in TOPICS.items() if names & {defect.name for defect in group}}


def test_every_bundled_check_and_every_topic_is_in_the_cover() -> None:
    """`make test` shows of each bundled check, by its id, that it can fail, and tries defects of each topic."""
    chosen = cover(TOPICS)
    assert checks_of(chosen) == set(CHECK_IDS)
    assert topics_of(chosen) == set(TOPICS)


def test_no_defect_could_be_left_out_of_the_cover() -> None:
    """Without any one of them, a check would fail under no defect; and it saves a quarter of the trials."""
    chosen = cover(TOPICS)
    for defect in chosen:
        others = [other for other in chosen if other is not defect]
        assert (checks_of(others), topics_of(others)) != (set(CHECK_IDS), set(TOPICS)), defect.name
    assert len(chosen) < 0.75 * len(CATALOGUE)


def test_the_cover_is_always_the_same() -> None:
    """It is derived from the catalogue alone, in the order of the catalogue."""
    names = [defect.name for defect in cover(TOPICS)]
    assert names == [defect.name for defect in cover(TOPICS)]
    assert names == [name for name in CATALOGUE if name in names]


@pytest.mark.parametrize(
    ("checks", "chosen"),
    [
        ({"one": {"a": "x", "b": "x y", "c": "y"}}, "b"),
        ({"one": {"a": "x", "b": "y", "c": "y z"}}, "a c"),
        ({"one": {"a": "x", "b": "x"}}, "a"),
        ({"one": {"a": "x y"}, "two": {"b": "x", "c": "y"}}, "a b"),
        ({"one": {"a": "x y", "b": "z v", "c": "y z v", "d": "x"}}, "a c"),
    ],
    ids=["fewest", "only-one", "alike", "topic", "greedy"],
)
def test_what_is_chosen(checks: dict[str, dict[str, str]], chosen: str) -> None:
    """As few as reach every check: of two that are alike the first, and one of each topic even if it adds no check."""
    topics = {
        topic: [Defect(name, "It breaks.", tuple(its.split())) for name, its in group.items()]
        for topic, group in checks.items()
    }
    assert [defect.name for defect in cover(topics)] == chosen.split()
