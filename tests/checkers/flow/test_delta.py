"""Values that move while something is done, read from a family that another package brings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from tests.checkers import counting
from tests.checkers.flow.counters import ADD, API, CALLS, OTHER, watch
from tests.context import beside, call_checker, check_context, observe
from tests.engine.clock import VirtualClock, run_virtual
from xnai_validate.checkers.flow.delta import DeltaParams
from xnai_validate.kit import NotApplicable
from xnai_validate.model.source_location import InvalidConfig

pytestmark = pytest.mark.usefixtures("counters")


def test_work_moves_what_is_watched() -> None:
    """A counter that stands at 7 and is counted up by 5 calls has moved by 5, whatever shape its fact has."""
    counting.COUNTERS["calls"] = 7
    seen = observe(
        "flow.delta",
        API,
        watch={
            "plain": CALLS,
            "keyed": watch("by_name", "calls"),
            "found": watch("document", "$.samples[?@.name == 'calls'].value"),
            "first": watch("document", "$.samples[0].value"),
        },
        during=[ADD],
        times=5,
        expect={"moved": {"plain": 5, "keyed": {"min": 5}}},
    )
    assert seen.held
    assert seen.facts["moved"] == {"plain": 5, "keyed": 5, "found": 5, "first": 5}
    assert (seen.facts["before"]["plain"], seen.facts["after"]["plain"], seen.facts["step_count"]) == (7, 12, 5)


def test_a_counter_that_does_not_count_fails() -> None:
    """Where the value stands still the rule on it does not hold."""
    seen = observe(
        "flow.delta",
        API,
        watch={"calls": CALLS},
        during=[{"kind": "counting.add", "with": {"counter": "elsewhere"}}],
        expect={"moved": {"calls": 1}},
    )
    assert not seen.held
    assert [(f.fact, f.actual) for f in seen.findings if not f.held] == [("moved.calls", 0)]


def test_a_value_that_is_absent_before_and_after_is_no_number() -> None:
    """A mistyped name never passes as one that did not move, nor does a value that is gone after the work."""
    counting.COUNTERS.update(there=3)
    for name in ("mistyped", "going"):
        seen = observe(
            "flow.delta",
            API,
            watch={"it": watch("by_name", name)},
            during=[ADD | {"with": {"counter": "there", "by": 1}}],
            expect={"moved": {"it": 0}},
        )
        assert not seen.held
        assert (seen.facts["before"], seen.facts["after"], seen.facts["moved"]) == ({"it": None}, {"it": None}, {})


def test_an_absent_value_counts_from_zero_only_if_set_so() -> None:
    """A counter that appears with its first count has moved by it; with `absent_is_zero: false` that is not known."""
    settings: dict[str, Any] = {
        "watch": {"new": watch("by_name", "new")},
        "during": [ADD | {"with": {"counter": "new"}}],
    }
    seen = observe("flow.delta", API, **settings)
    assert seen.held
    assert (seen.facts["before"], seen.facts["moved"]) == ({"new": None}, {"new": 1})
    counting.COUNTERS.clear()
    seen = observe("flow.delta", API, **settings, absent_is_zero=False, expect={"moved": {"new": 1}})
    assert not seen.held
    assert seen.facts["moved"] == {}


def test_several_values_of_a_path_are_summed() -> None:
    """A path that finds a counter's values under several labels means their sum; what is null has not moved."""
    counting.COUNTERS.update(a=1, b=2)
    seen = observe(
        "flow.delta",
        API,
        watch={"all": watch("document", "$.samples[*].value"), "null": watch("total")},
        during=[ADD | {"with": {"counter": "a", "by": 10}}, ADD | {"with": {"counter": "b", "by": 20}}],
    )
    assert seen.facts["moved"] == {"all": 30}


def test_failed_steps_are_named_and_counted() -> None:
    """Work that fails is reported and fails the check, though counters moved; words are capped, counts are not."""
    broken = {"kind": "counting.add", "target": "other", "with": {"by": -1}}
    seen = observe("flow.delta", API, others=(OTHER,), watch={"calls": CALLS}, during=[ADD, broken], times=30)
    assert not seen.held
    assert seen.facts["failed_steps"][0] == "counting.add other: ok expected true, got false"
    assert (len(seen.facts["failed_steps"]), seen.facts["failed_step_count"]) == (20, 30)
    assert seen.facts["moved"] == {"calls": 0}


def test_an_expectation_of_a_step_is_judged() -> None:
    """A step's own `expect` counts besides what its kind expects."""
    step = {"kind": "counting.add", "expect": {"target": {"matches": "^gate"}}}
    seen = observe("flow.delta", API, watch={"calls": CALLS}, during=[step])
    assert seen.facts["failed_steps"] == ['counting.add: target expected matches "^gate", got "api"']


def test_together_means_at_once() -> None:
    """Eight steps that each wait for the eighth only end when all are under way at the same time."""
    step = {"kind": "counting.add", "with": {"gather": 8}}
    seen = observe("flow.delta", API, watch={"calls": CALLS}, during=[step, step], times=4, together=True)
    assert seen.held
    assert seen.facts["moved"] == {"calls": 8}


def test_a_failed_reading_is_not_zero() -> None:
    """A reading whose own rules do not hold is a failed step, and nothing is reported about its movement."""
    seen = observe("flow.delta", API, watch={"calls": watch("calls", broken=True), "good": CALLS}, during=[ADD])
    assert not seen.held
    assert seen.facts["moved"] == {"good": 1}
    assert [text.split(":")[0] for text in seen.facts["failed_steps"]] == ["calls before", "calls after"]


def test_text_that_spells_a_number_counts() -> None:
    """Redis and metrics give numbers as text; other text is a failed step that shows it."""
    settings = {"said": watch("text", text="41.5"), "not": watch("document", "$.text")}
    seen = observe("flow.delta", API, watch=settings, during=[ADD])
    assert seen.facts["before"] == {"said": 41.5}
    assert seen.facts["failed_steps"][0] == 'not before: "n/a" is not a number'


def test_a_fact_that_the_kind_lacks_is_an_error_with_a_guess() -> None:
    """A misspelt fact is an error of the suite, with the nearest name."""
    with pytest.raises(InvalidConfig, match=r'unknown fact "call" of counting.read; did you mean "calls"\?'):
        observe("flow.delta", API, watch={"calls": watch("call")}, during=[ADD])


@pytest.mark.parametrize("together", [False, True])
def test_what_does_not_apply_in_a_step_does_not_apply_as_a_whole(together: bool) -> None:
    """A step without its thing on this stack makes the check a skip, not a failure, also within a group."""
    with pytest.raises(NotApplicable, match="nothing to count"):
        observe(
            "flow.delta",
            API,
            watch={"calls": CALLS},
            during=[ADD, ADD | {"with": {"missing": True}}],
            together=together,
        )


def test_a_path_that_is_none_is_refused_at_load() -> None:
    """A misspelt JSONPath is an error of the check, found before anything is measured."""
    with pytest.raises(ValidationError, match="is not a JSONPath"):
        DeltaParams.model_validate({"watch": {"calls": watch("document", "$.samples[")}, "during": [ADD]})


def test_the_wait_ends_once_the_values_have_moved_enough() -> None:
    """A counter that counts late is waited for as long as that takes, not for all of `settle`."""

    async def scene() -> float:
        late: dict[str, Any] = {"watch": {"calls": CALLS}, "during": [ADD], "settle": "1h", "enough": {"calls": 3}}
        async with check_context("flow.delta", API, **late) as ctx:
            ctx = replace(ctx, scope=replace(ctx.scope, clock=VirtualClock()))
            others = asyncio.create_task(count_each_s(2))
            facts = await call_checker(ctx)
            await others
            assert facts.moved == {"calls": 3}  # type: ignore[attr-defined]
            return ctx.clock.monotonic()

    assert run_virtual(scene()) == pytest.approx(2.0, abs=0.1)


def test_what_does_not_move_enough_is_judged_when_the_wait_is_over() -> None:
    """`enough` shortens a wait, it does not prolong it."""
    few: dict[str, Any] = {"watch": {"calls": CALLS}, "during": [ADD], "settle": "60ms", "enough": {"calls": 2}}
    seen = observe("flow.delta", API, **few, expect={"moved": {"calls": {"min": 2}}})
    assert not seen.held
    assert seen.facts["moved"] == {"calls": 1}


def test_enough_of_a_value_that_is_not_watched_is_refused_at_load() -> None:
    """A misspelt name would end no wait."""
    with pytest.raises(ValidationError, match="enough: call is not among the values of watch"):
        DeltaParams.model_validate({"watch": {"calls": CALLS}, "during": [ADD], "enough": {"call": 1}})


QUIET: dict[str, Any] = {"watch": {"calls": CALLS}, "during": [ADD], "quiet": "20ms"}


def test_counters_that_others_move_are_not_judged_at_a_second_attempt() -> None:
    """An attempt that did not hold is followed by a look whether the counter stands still: if not, others use it."""

    async def scene() -> None:
        async with check_context("flow.delta", API, **QUIET) as ctx:
            others = asyncio.create_task(count_for_ever())
            try:
                assert (await call_checker(ctx)).moved["calls"] >= 1  # type: ignore[attr-defined]
                with pytest.raises(NotApplicable, match=r"other clients use the stack: .* calls by "):
                    await call_checker(ctx)
                assert (await call_checker(beside(ctx, "flow.delta", QUIET))).moved["calls"] >= 1  # type: ignore[attr-defined]
            finally:
                others.cancel()
            again = await call_checker(ctx)
            assert again.moved == {"calls": 1}, "a counter that has come to rest is judged"  # type: ignore[attr-defined]

    asyncio.run(scene())


def test_counters_that_move_only_since_the_first_attempt_are_judged() -> None:
    """What the work has begun may go on for long, as a generation that does not stop: that is the stack's own."""

    async def scene() -> None:
        async with check_context("flow.delta", API, **QUIET) as ctx:
            first = await call_checker(ctx)
            assert first.moved == {"calls": 1}  # type: ignore[attr-defined]
            begun = asyncio.create_task(count_for_ever())
            try:
                for _ in range(2):
                    assert (await call_checker(ctx)).moved["calls"] >= 1  # type: ignore[attr-defined]
            finally:
                begun.cancel()

    asyncio.run(scene())


def test_a_check_does_not_wait_again_for_what_stands_still_since_an_earlier_one() -> None:
    """Values that an earlier check has read, and that are the same still, stood still from then on: the time counts."""
    settings = {**QUIET, "quiet": "500ms", "settle": "500ms"}

    async def scene() -> list[float]:
        clock, waits = VirtualClock(), []
        async with check_context("flow.delta", API, others=(OTHER,), **settings) as ctx:
            ctx = replace(ctx, scope=replace(ctx.scope, clock=clock))
            elsewhere = replace(ctx.measurement, target=OTHER.name)
            for target, counted_by_others in ((None, 0), (None, 0), (None, 1), (None, 0), (elsewhere, 0)):
                counting.COUNTERS["calls"] += counted_by_others
                begun_s = clock.monotonic()
                check = beside(ctx, "flow.delta", settings)
                facts = await call_checker(check if target is None else replace(check, measurement=target))
                assert facts.moved == {"calls": 1}  # type: ignore[attr-defined]
                waits.append(clock.monotonic() - begun_s)
        return waits

    waits = run_virtual(scene())
    assert waits == pytest.approx([1.0, 0.6, 1.0, 0.6, 1.0]), "others, or another target, make a whole look necessary"


async def count_for_ever() -> None:
    """What other clients do to a counter, or work that does not end."""
    while True:
        counting.COUNTERS["calls"] += 1
        await asyncio.sleep(0.005)


async def count_each_s(times: int) -> None:
    """A counter that counts after the answers, one a second."""
    for _ in range(times):
        await asyncio.sleep(1)
        counting.COUNTERS["calls"] += 1
