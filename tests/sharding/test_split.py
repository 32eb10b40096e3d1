"""How a plan is divided: every check in one shard, what belongs together in the same, no shard longer than it must."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.plans import make, plan_of
from tests.sharding.plans import BY, durations, plans
from xnai_validate.plan import Plan, PlannedCheck
from xnai_validate.sharding.split import Split, split, with_needs

COUNTS = st.integers(1, 6)


def where(made: Split) -> dict[str, int]:
    """Full id -> the number of its shard; fails if a check counts in two."""
    found: dict[str, int] = {}
    for number, share in enumerate(made.shares):
        for check_id in share:
            assert check_id not in found
            found[check_id] = number
    return found


def alone(check: PlannedCheck) -> bool:
    return check.runs_alone and check.skip is None


@given(plans(), COUNTS, st.data())
@settings(max_examples=60, deadline=None)
def test_every_check_counts_once_and_what_it_needs_is_measured_beside_it(
    plan: Plan, count: int, data: st.DataObject
) -> None:
    """The shares are a partition; a shard measures its share and all that this needs, and nothing else."""
    made = split(plan, count, data.draw(durations(plan)))
    assert where(made).keys() == {check.id for check in plan.checks}
    needs = {check.id: check.needs for check in plan.checks}
    assert made.measured == tuple(with_needs(share, needs) for share in made.shares)


@given(plans(), COUNTS, st.data())
@settings(max_examples=60, deadline=None)
def test_what_belongs_together_stays_together(plan: Plan, count: int, data: st.DataObject) -> None:
    """Groups, all that disturbs, an order, and what runs alone with all that needs it, for it is measured once."""
    made = split(plan, count, data.draw(durations(plan)))
    shard_of = where(made)
    needs = {check.id: check.needs for check in plan.checks}
    for one, other in combinations([check for check in plan.checks if alone(check)], 2):
        if one.info.disruptive and other.info.disruptive:
            assert shard_of[one.id] == shard_of[other.id]
        if one.together is not None and one.together == other.together:
            assert shard_of[one.id] == shard_of[other.id]
    for check in plan.checks:
        assert {shard_of[before] for before in check.after} <= {shard_of[check.id]}
        if alone(check):
            assert [check.id in measured for measured in made.measured].count(True) == 1
            assert {shard_of[one] for one in needs if check.id in with_needs([one], needs)} == {shard_of[check.id]}


@given(plans(), COUNTS, st.data())
@settings(max_examples=60, deadline=None)
def test_no_shard_is_much_longer_than_the_mean(plan: Plan, count: int, data: st.DataObject) -> None:
    """The longest takes at most the mean of all shards and the longest chain more, with what this needs.

    Where no check is needed by others, the mean is the total of the plan by the number of shards.
    """
    known_s = data.draw(durations(plan))
    made = split(plan, count, known_s)
    longest_chain = max(split(plan, 10 * len(plan.checks), known_s).costs_ms)  # a shard for each chain
    (total,) = split(plan, 1, known_s).costs_ms
    assert max(made.costs_ms) * count <= sum(made.costs_ms) + longest_chain * count
    if not any(check.needs for check in plan.checks):
        assert sum(made.costs_ms) == total
        assert max(made.costs_ms) * count <= total + longest_chain * count


def test_known_durations_divide_and_the_rest_is_divided_by_number() -> None:
    """Two long checks go to two shards; checks of which nothing is known are dealt out evenly."""
    plan = plan_of(*(make(f"a/s:c{number}", BY) for number in range(10)))
    shard_of = where(split(plan, 2, {"a/s:c3": 30.0, "a/s:c7": 31.0}))
    assert shard_of["a/s:c3"] != shard_of["a/s:c7"]
    assert sorted(map(len, split(plan, 3, {}).shares)) == [3, 3, 4]


def test_a_check_that_many_need_is_measured_in_each_shard_that_needs_it() -> None:
    """It counts in one, and does not tie all others to that one."""
    made = split(plan_of(make("a/s:up", BY), *(make(f"a/s:c{n}", BY, needs=("a/s:up",)) for n in range(8))), 4, {})
    assert sorted(map(len, made.shares)) == [2, 2, 2, 3]
    assert all("a/s:up" in measured for measured in made.measured)


def test_there_may_be_more_shards_than_chains() -> None:
    """The others are empty."""
    made = split(plan_of(make("a/s:one", BY), make("a/s:two", BY, needs=("a/s:one",))), 3, {})
    assert sorted(map(len, made.shares)) == [0, 0, 2]


def test_ten_thousand_checks_in_a_chain_and_in_a_ladder() -> None:
    """A chain is one piece; of a ladder of needs no list of all needs of all checks is kept."""
    chain = [make(f"a/s:c{n}", BY, needs=(f"a/s:c{n - 1}",) if n else ()) for n in range(10_000)]
    assert sorted(map(len, split(plan_of(*chain), 2, {}).shares)) == [0, 10_000]
    steps = [make(f"a/s:c{n}", BY, needs=tuple(f"a/s:c{m}" for m in (n - 1, n - 2) if m >= 0)) for n in range(300)]
    assert sum(map(len, split(plan_of(*steps), 4, {}).shares)) == 300


SCRIPT = """
from tests.engine.plans import make, plan_of
from tests.sharding.plans import BY
from xnai_validate.sharding.identity import digest_of_split, digests_by_suite
from xnai_validate.sharding.split import split
checks = [make(f"a/s:c{n}", BY, needs=(f"a/s:c{n // 7}",) if n > 6 else (), exclusive=n % 5 == 0) for n in range(60)]
plan = plan_of(*checks)
print(digest_of_split(split(plan, 3, {"a/s:c9": 1.5}).shares), digests_by_suite(plan, None))
"""


def test_another_process_divides_alike() -> None:
    """Whatever the seed of its hashes, on which the order of sets depends."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(printed) == 1
