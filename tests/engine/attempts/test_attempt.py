"""Retries, waiting for something to hold, time limits, and checkers that misbehave."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.engine.clock import VirtualClock, run_virtual
from tests.engine.plans import (
    OK_RULE,
    Answer,
    Script,
    Stage,
    collect,
    declared,
    engine_of,
    finished,
    make,
    plan_of,
    scripted,
)
from xnai_validate.engine.attempts.attempt import attempt
from xnai_validate.engine.attempts.context import CheckContext, Scope
from xnai_validate.engine.attempts.shared import Shared
from xnai_validate.kit import Context, checker
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import AttemptFinished, CheckFinished, Event, Notice
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Retry, Until


def run_check(tmp_path: Path, **more: Any) -> tuple[CheckFinished, list[Event], Stage]:
    """Run a single check and return how it ended."""
    stage = Stage()
    events = run_virtual(collect(engine_of(plan_of(make("c", scripted(stage), **more)), tmp_path)))
    return finished(events)["c"], events, stage


def test_a_check_that_holds_passes_with_its_evidence(tmp_path: Path) -> None:
    """Facts and findings are kept on success too."""
    end, _, _ = run_check(tmp_path, script={"text": "hello", "takes_s": 0.25})
    assert (end.status, end.reason, end.attempts, end.elapsed_ms) == (Status.PASS, None, 1, 250.0)
    assert end.facts["text"] == "hello"
    assert end.findings[0].held


def test_a_rule_that_does_not_hold_fails_with_a_sentence(tmp_path: Path) -> None:
    """The reason of a failure is what was expected and what was measured."""
    end, _, _ = run_check(tmp_path, script={"answers": [503]})
    assert (end.status, end.reason) == (Status.FAIL, "status: expected 200, got 503")


def test_a_warn_rule_warns(tmp_path: Path) -> None:
    """A check whose `warn` rule alone does not hold has status warn, with the reason."""
    rules = (OK_RULE, Rule("text", "equals", "b", level="warn"))
    end, _, _ = run_check(tmp_path, rules=rules, script={"text": "a"})
    assert (end.status, end.reason) == (Status.WARN, 'text: expected "b", got "a"')


def test_a_retry_that_holds_is_flaky_and_names_the_failure_before(tmp_path: Path) -> None:
    """Passing at a later attempt is flaky; each attempt is an event; the pause is that of the check."""
    end, events, _ = run_check(tmp_path, script={"answers": [503, 502, 200]}, retry=Retry(attempts=4, delay_s=2.0))
    assert (end.status, end.attempts) == (Status.FLAKY, 3)
    assert end.reason == "passed at attempt 3; before that: status: expected 200, got 502"
    tries = [event for event in events if isinstance(event, AttemptFinished)]
    assert [(event.attempt, event.held) for event in tries] == [(1, False), (2, False), (3, True)]
    assert tries[2].at - tries[0].at == pytest.approx(4.0)


def test_a_retry_that_never_holds_fails_with_the_last_reason(tmp_path: Path) -> None:
    """After the last attempt the check fails; no more attempts are made than allowed."""
    end, _, stage = run_check(tmp_path, script={"answers": [500, 501]}, retry=Retry(attempts=2))
    assert (end.status, end.reason) == (Status.FAIL, "status: expected 200, got 501")
    assert stage.tries["c"] == 2


def test_errors_are_retried_and_what_does_not_apply_is_not(tmp_path: Path) -> None:
    """Not being able to measure may pass; that something does not exist on this stack will not."""
    end, _, _ = run_check(tmp_path / "a", script={"answers": ["unmeasurable", 200]}, retry=Retry(attempts=2))
    assert end.status is Status.FLAKY
    end, _, stage = run_check(tmp_path / "b", script={"answers": ["na", 200]}, retry=Retry(attempts=2))
    assert (end.status, end.reason, stage.tries["c"]) == (Status.SKIP, "said so", 1)


def test_until_polls_and_holding_later_is_a_pass(tmp_path: Path) -> None:
    """A check that becomes true by itself passes, not flaky, as soon as it holds."""
    end, events, _ = run_check(tmp_path, script={"answers": [503, 503, 200]}, until=Until(within_s=10.0, every_s=1.0))
    assert (end.status, end.reason, end.attempts) == (Status.PASS, None, 3)
    assert events[-1].at - events[0].at == pytest.approx(2.0)


def test_until_gives_up_when_its_time_is_over(tmp_path: Path) -> None:
    """The last look is at the end of the time, not before and not after."""
    end, events, stage = run_check(tmp_path, script={"answers": [503]}, until=Until(within_s=2.0, every_s=0.75))
    assert end.reason == "status: expected 200, got 503, still so after 2 s"
    assert stage.tries["c"] == 4
    assert events[-1].at - events[0].at == pytest.approx(2.0)


def test_an_attempt_that_began_before_the_end_of_the_time_is_not_judged(tmp_path: Path) -> None:
    """A slow attempt that ends after the time has seen the stack as it was before: one more is made, and counts."""
    script = {"answers": [503, 503, 200], "takes_s": 4.0}
    until = Until(within_s=6.0, every_s=0.5)
    end, events, _ = run_check(tmp_path / "a", script=script, until=until, timeout_s=30.0)
    assert (end.status, end.attempts) == (Status.PASS, 3)
    assert events[-1].at - events[0].at == pytest.approx(12.5)
    end, _, stage = run_check(tmp_path / "b", script=script | {"answers": [503]}, until=until, timeout_s=30.0)
    assert (end.status, end.reason) == (Status.FAIL, "status: expected 200, got 503, still so after 6 s")
    assert stage.tries["c"] == 3


def test_no_result_within_the_time_limit_is_a_failure_of_the_stack(tmp_path: Path) -> None:
    """A time-out is a fail, with the limit in the reason, and the checker is cancelled."""
    end, events, stage = run_check(tmp_path, script={"takes_s": 60.0}, timeout_s=10.0)
    assert (end.status, end.reason, end.elapsed_ms) == (Status.FAIL, "no result within 10 s", 10_000.0)
    assert stage.cancelled == ["c"]
    assert events[-1].at - events[0].at == pytest.approx(10.0)


def test_a_measurement_of_many_steps_that_is_cut_off_is_an_error(tmp_path: Path) -> None:
    """Its steps have time limits of their own: that the check's was too short is not the stack's failure."""
    stage = Stage()
    check = make("c", scripted(stage, exclusive=True), script={"takes_s": 60.0}, timeout_s=10.0)
    end = finished(run_virtual(collect(engine_of(plan_of(check), tmp_path))))["c"]
    assert end.status is Status.ERROR
    assert end.reason == "not at its end within 10 s, the time limit of the check; give it a longer `timeout`"


def test_what_cannot_be_measured_is_an_error_with_its_hint(tmp_path: Path) -> None:
    """Unmeasurable becomes status error, with message and hint."""
    end, _, _ = run_check(tmp_path, script={"answers": ["unmeasurable"], "text": "no socket"})
    assert (end.status, end.reason) == (Status.ERROR, "no socket; look there")


@pytest.mark.parametrize(
    ("answer", "message"),
    [("broken", "Interrupt: boom"), ("timeout", "TimeoutError: boom"), ("cancelled", "CancelledError")],
)
def test_a_checker_that_breaks_is_an_error_that_names_the_place(tmp_path: Path, answer: str, message: str) -> None:
    """Any other exception, even a stray cancellation, is an error of the tool: one line, a place, no traceback."""
    end, events, _ = run_check(tmp_path, script={"answers": [answer], "text": "boom"})
    assert end.status is Status.ERROR
    assert end.reason is not None
    assert end.reason.startswith(f"the checker script.play broke: {message} (engine/plans.py:")
    assert "\n" not in end.reason
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert "a fault of the tool" in notices[0]


def test_too_few_descriptors_are_an_error_with_the_remedy(tmp_path: Path) -> None:
    """The limit is one of this process, so neither the stack nor the tool is at fault; the reason names it."""
    end, events, _ = run_check(tmp_path, script={"answers": ["no-files"], "text": "Too many open files"})
    assert end.status is Status.ERROR
    assert end.reason is not None
    assert re.match(r"not judged: this process may open \d+ files, connections included, and needs more; ", end.reason)
    assert [event for event in events if isinstance(event, Notice)] == []


def test_a_group_of_exceptions_is_read_by_its_first(tmp_path: Path) -> None:
    """A checker that uses a TaskGroup loses none of the meaning of what its tasks raise."""
    end, _, _ = run_check(tmp_path, script={"answers": ["group"], "text": "no socket"})
    assert (end.status, end.reason) == (Status.ERROR, "no socket")


def test_a_broken_checker_is_reported_once_a_kind(tmp_path: Path) -> None:
    """Ten checks of a broken kind are ten errors and one notice."""
    by = scripted(Stage())
    checks = [make(f"c{n}", by, script={"answers": ["broken"]}) for n in range(10)]
    events = run_virtual(collect(engine_of(plan_of(*checks), tmp_path)))
    assert sum(isinstance(event, Notice) for event in events) == 1
    assert {event.status for event in finished(events).values()} == {Status.ERROR}


def test_facts_of_the_wrong_type_are_the_checkers_fault(tmp_path: Path) -> None:
    """A checker that returns something else than its facts is broken, and judged by no rule."""

    @checker("script.wrong", target=False)
    async def wrong(params: Script, ctx: Context) -> Answer:
        """Return what was not promised."""
        return {"status": 200}  # type: ignore[return-value]

    events = run_virtual(collect(engine_of(plan_of(make("c", declared(wrong))), tmp_path)))
    reason = finished(events)["c"].reason
    assert reason is not None
    assert "TypeError: it returned dict instead of Answer" in reason


def test_large_facts_are_cut(tmp_path: Path) -> None:
    """However much a server sent, the evidence stays small, and shows that it was cut."""
    end, _, _ = run_check(tmp_path, script={"text": "x" * 100_000})
    text = end.facts["text"]
    assert isinstance(text, str)
    assert len(text) < 3000
    assert text.endswith("(100000 characters)")


def test_being_cancelled_is_no_outcome() -> None:
    """The cancellation of the task that measures passes through, and is not taken for a broken checker."""
    stage = Stage()
    measurement = make("c", scripted(stage), script={"takes_s": 100.0}).measurement

    async def main() -> None:
        scope = Scope({}, {}, VirtualClock(), Shared(lambda _: None), lambda _id, _text: None)
        task = asyncio.create_task(attempt(measurement, CheckContext(scope, measurement, "c", 300.0), 300.0))
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtual(main())
    assert stage.cancelled == ["c"]
