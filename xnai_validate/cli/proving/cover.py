"""A cover: as few defects as it takes for each check to fail under one of them, and each topic to have one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from xnai_validate.demo.defects import Defect


def cover(topics: Mapping[str, Iterable[Defect]]) -> list[Defect]:
    """Return a cover of all checks that the defects name and of all topics, in the order of the topics.

    Found greedily, so it may be a little larger than the smallest: first the defects that a check depends on because
    no other names it, then always the one that adds most checks. The same defects give the same cover.
    """
    defects = [defect for group in topics.values() for defect in group]
    goals = {defect.name: {*defect.checks, (topic,)} for topic, group in topics.items() for defect in group}
    reached_by: defaultdict[object, list[str]] = defaultdict(list)
    for name, its_goals in goals.items():
        for goal in its_goals:
            reached_by[goal].append(name)
    chosen = {names[0] for names in reached_by.values() if len(names) == 1}
    left = set(reached_by).difference(*(goals[name] for name in chosen))
    while left:
        best = max(defects, key=lambda defect: len(left & goals[defect.name]))
        chosen.add(best.name)
        left -= goals[best.name]
    return [defect for defect in defects if defect.name in chosen]
