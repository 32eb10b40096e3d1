"""Exit codes are decided in one place."""

from __future__ import annotations

import itertools

import pytest

from xnai_validate.model.results.status import Status
from xnai_validate.model.results.verdict import Exit, decide, verdict_of, with_broken_reporter

S = Status


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([], 0),
        ([S.PASS, S.FLAKY, S.WARN, S.SKIP], 0),
        ([S.PASS, S.ERROR], 3),
        ([S.ERROR, S.FAIL], 1),
        ([S.FAIL], 1),
    ],
)
def test_statuses_decide(statuses: list[Status], code: int) -> None:
    """A failure outranks what could not be measured; flaky, warn and skip pass."""
    assert decide(statuses) == code


def test_what_outranks_what() -> None:
    """Not undone, then interrupted, then stopped, then failed."""
    assert decide([S.FAIL], not_undone=True, stopped="interrupted") == Exit.NOT_UNDONE
    assert decide([S.FAIL], stopped="interrupted") == Exit.INTERRUPTED
    assert decide([S.FAIL], stopped="killed") == Exit.INTERRUPTED
    assert decide([S.FAIL], stopped="deadline") == decide([], stopped="memory") == Exit.STOPPED
    assert decide([S.PASS], criteria_met=False) == Exit.FAILED
    assert decide([S.ERROR], criteria_met=False) == Exit.FAILED
    assert decide([S.FAIL], stopped="fail-fast") == Exit.FAILED


def test_fail_on_makes_more_fail() -> None:
    """A gate may refuse warnings and flaky checks too, and never less than failures."""
    assert decide([S.WARN], fail_on=(S.WARN,)) == Exit.FAILED
    assert decide([S.FLAKY], fail_on=(S.WARN,)) == Exit.PASSED
    assert decide([S.FAIL], fail_on=(S.WARN,)) == Exit.FAILED


def test_a_run_that_judged_nothing_is_no_pass_where_that_is_asked_for() -> None:
    """With fail_if_none all skipped is undecided; one check that passed is enough."""
    assert decide([S.SKIP, S.SKIP], fail_if_none=True) == Exit.UNDECIDED
    assert decide([S.SKIP, S.PASS], fail_if_none=True) == Exit.PASSED
    assert decide([S.SKIP]) == Exit.PASSED


def test_a_broken_reporter_is_never_a_pass() -> None:
    """The exit is at least 3, and a failure stays a failure."""
    assert [with_broken_reporter(code) for code in (0, 1, 3, 4, 5, 130)] == [3, 1, 3, 4, 5, 130]


def test_every_outcome_has_a_word() -> None:
    """Every verdict has a text."""
    for statuses in itertools.chain.from_iterable(itertools.combinations(Status, n) for n in range(3)):
        for stopped in (None, "interrupted", "deadline", "memory", "fail-fast", "killed"):
            for undone in (True, False):
                assert verdict_of(decide(statuses, stopped=stopped, not_undone=undone))
