"""Random plans for the tests of shards: needs, order, groups, what runs alone, what is skipped, any result."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.engine.plans import Script, Stage, make, plan_of, scripted
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.report import Criterion
from xnai_validate.plan import Plan, PlannedCheck

BY = scripted(Stage())
ANSWERS: tuple[tuple[Any, ...], ...] = ((200,), (500,), ("unmeasurable",), ("na",))
MOST = 14


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Return a plan of up to MOST checks with success criteria."""
    checks: list[PlannedCheck] = []
    for number in range(draw(st.integers(1, MOST))):
        before = [check.id for check in checks]
        some = st.lists(st.sampled_from(before), max_size=3, unique=True) if before else st.just([])
        alone = draw(st.sampled_from(("", "", "", "exclusive", "disruptive", "one", "two")))
        checks.append(
            make(
                f"{draw(st.sampled_from('abc'))}/s:c{number}",
                BY,
                category="abc"[number % 3],
                params=Script(answers=draw(st.sampled_from(ANSWERS[:1] * 4 + ANSWERS)), text="s"),
                disruptive=alone == "disruptive",
                exclusive=bool(alone),
                together=alone if alone in ("one", "two") else None,
                needs=tuple(draw(some)),
                after=tuple(draw(some)),
                skip=draw(st.sampled_from((None, None, None, "not on this stack"))),
            )
        )
    counts = st.sampled_from(("passed", "failed", "errors", "skipped"))
    scopes = st.sampled_from(("total", "a", "b", "c"))
    bounds = draw(st.lists(st.tuples(scopes, counts, st.integers(0, 5)), max_size=3))
    criteria = [
        Criterion(scope=scope, rule=Rule(count, "min" if count == "passed" else "max", bound))
        for scope, count, bound in bounds
    ]
    return plan_of(*checks, criteria=tuple(criteria))


def durations(plan: Plan) -> st.SearchStrategy[dict[str, float]]:
    """Return how long some checks of a plan take, in seconds by their ids; also of a check that the plan lacks."""
    ids = st.sampled_from([*(check.id for check in plan.checks), "a/s:gone"])
    return st.dictionaries(ids, st.floats(0, 100), max_size=MOST)
