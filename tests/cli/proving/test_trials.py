"""The trials of defects: what was missed is tried again, each check by itself."""

from __future__ import annotations

from xnai_validate.cli.proving.trials import Trial, TrialResult
from xnai_validate.model.results.status import Status

FIRST = TrialResult(
    Trial("A", "slow", ("a/b:one", "a/b:two", "a/b:three")),
    {"a/b:one": Status.FAIL, "a/b:two": Status.ERROR, "a/b:three": Status.PASS, "a/b:needed": Status.PASS},
    {"a/b:two": "not steady"},
)


def test_each_check_that_did_not_fail_is_tried_on_a_stack_of_its_own() -> None:
    """One check can leave the stack so that the next one cannot be measured; what failed is not tried again."""
    assert FIRST.missed
    assert [trial.only for trial in FIRST.second_trials()] == [("a/b:two",), ("a/b:three",)]
    assert {(trial.layout, trial.defect) for trial in FIRST.second_trials()} == {("A", "slow")}


def test_second_trials_complete_the_first() -> None:
    """What fails in a trial of its own is caught; what passes there as well stays missed, with its reason."""
    two, three = FIRST.second_trials()
    result = FIRST.with_second(TrialResult(two, {"a/b:two": Status.FAIL}, {"a/b:two": "too slow"}))
    result = result.with_second(TrialResult(three, {"a/b:three": Status.PASS}, {}))
    assert (result.killed, result.survived, result.again) == (("a/b:one", "a/b:two"), ("a/b:three",), True)
    assert result.reasons["a/b:two"] == "too slow"
    other = TrialResult(Trial("A", "other", ("a/b:three",)), {"a/b:three": Status.FAIL}, {})
    assert result.with_second(other) == result


def test_a_trial_that_could_not_be_run_is_made_again_whole() -> None:
    """A stack that did not start says nothing about any check."""
    broken = TrialResult(FIRST.trial, {}, {}, broke="no port")
    assert broken.second_trials() == [FIRST.trial]
    again = broken.with_second(FIRST)
    assert (again.broke, again.again, again.killed) == (None, True, ("a/b:one",))


def test_alarms_of_a_healthy_stack_are_tried_again_together() -> None:
    """What did not pass beside other trials must pass by itself; what fails again stays an alarm."""
    healthy = Trial("A", None)
    statuses = {"a/b:ok": Status.PASS, "a/b:late": Status.FAIL, "a/b:odd": Status.ERROR, "a/b:not": Status.SKIP}
    first = TrialResult(healthy, statuses, {"a/b:late": "408 ms"})
    assert first.missed
    [again] = first.second_trials()
    assert (again.layout, again.defect, again.only) == ("A", None, ("a/b:late", "a/b:odd"))
    second = first.with_second(TrialResult(again, {"a/b:late": Status.PASS, "a/b:odd": Status.ERROR}, {"a/b:odd": "x"}))
    assert (second.alarms, second.again) == (("a/b:odd",), True)
    assert second.passed == ("a/b:late", "a/b:ok")
    assert not TrialResult(healthy, {"a/b:ok": Status.PASS}, {}).missed
