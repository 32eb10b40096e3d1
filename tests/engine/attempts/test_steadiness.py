"""After a fault the whole stack is as before, or that is reported and nothing more is disturbed until it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.engine.clock import VirtualClock, run_virtual
from tests.engine.plans import Stage, declared, make, scripted
from xnai_validate.engine.attempts.context import Scope
from xnai_validate.engine.attempts.shared import Shared
from xnai_validate.engine.attempts.steadiness import NotBegun, Steadiness
from xnai_validate.kit import Checker, Context, Facts, NotApplicable, Params, checker
from xnai_validate.model.judging.rules import Rule
from xnai_validate.plan import CompiledMeasurement, Steady

UP = (Rule("up", "equals", True),)


class Part(Params):
    """Which part is looked at."""

    name: str


class Seen(Facts):
    """Whether it is up."""

    up: bool


class Stack:
    """Parts that are up or down, each by a function of the time and of the calls so far."""

    def __init__(self, **parts: Callable[[float, int], bool]) -> None:
        self.parts = parts
        self.calls = 0
        self.clock = VirtualClock()
        self.notices: list[str] = []

    def checker(self) -> Checker:
        """A look at a part; the part `call` counts as a call."""

        @checker("stack.part", target=False)
        async def look(params: Part, ctx: Context) -> Seen:
            """Look at a part."""
            if params.name == "call":
                self.calls += 1
                return Seen(up=True)
            if params.name not in self.parts:
                raise NotApplicable("not configured")
            return Seen(up=self.parts[params.name](self.clock.monotonic(), self.calls))

        return declared(look)

    def steadiness(self, *names: str, within_s: float = 30.0) -> Steadiness:
        """What looks at these parts."""
        by = self.checker()
        parts = {name: CompiledMeasurement(by, Part(name=name), UP, None) for name in names}
        call = CompiledMeasurement(by, Part(name="call"), UP, None)
        scope = Scope({}, {}, self.clock, Shared(lambda _: None), lambda _id, _text: None)
        return Steadiness(Steady(parts, (call,), within_s), scope, self.notices.append)


CHECK = make("recovery/restart:ui", scripted(Stage()))


async def disturbed(steadiness: Steadiness, stack: Stack) -> tuple[str | None, float, str | None]:
    """Why the first fault must not begin, how long is waited after it, and why the next must not begin."""
    first = await steadiness.before(CHECK)
    begun_s = stack.clock.monotonic()
    await steadiness.after(CHECK, passed=True)
    waited_s = stack.clock.monotonic() - begun_s
    then = await steadiness.before(replace(CHECK, info=replace(CHECK.info, id="x/y:next")))
    return first.why if first else None, waited_s, then.why if then else None


def test_a_stack_that_is_well_costs_a_look() -> None:
    """Where all holds no time passes, no call is made, and parts that are not configured are passed over."""
    stack = Stack(api=lambda at, calls: True)
    steadiness = stack.steadiness("api", "worker")
    assert run_virtual(disturbed(steadiness, stack)) == (None, 0.0, None)
    assert (stack.calls, stack.notices) == (0, [])


def test_it_waits_until_all_is_as_before() -> None:
    """An open breaker is waited for, with the calls that let it close, and then the next fault may begin."""
    stack = Stack(api=lambda at, calls: True)
    stack.parts["breaker"] = down_after_first_look(until_calls=4)
    first, waited_s, then = run_virtual(disturbed(stack.steadiness("api", "breaker"), stack))
    assert (first, then, stack.notices) == (None, None, [])
    assert 0 < waited_s < 5
    assert stack.calls >= 4


def down_after_first_look(until_calls: int) -> Callable[[float, int], bool]:
    """A part that holds at the first look, and then only after a number of calls: a breaker that has opened."""
    looks = 0

    def is_up(_at: float, calls: int) -> bool:
        nonlocal looks
        looks += 1
        return looks == 1 or calls >= until_calls

    return is_up


def test_what_does_not_come_back_is_reported_with_its_fault_and_keeps_the_next_from_beginning() -> None:
    """The notice and the reason name the check, the part and why; the wait ends in its time."""
    stack = Stack(api=lambda at, calls: True)
    stack.parts["ui"] = down_after_first_look(until_calls=10_000)
    first, waited_s, then = run_virtual(disturbed(stack.steadiness("api", "ui"), stack))
    assert first is None
    assert 30 <= waited_s < 32
    assert stack.notices[0].startswith("30 s after recovery/restart:ui () the stack is not as before: ui: ")
    assert then is not None
    assert then.startswith("not begun: since recovery/restart:ui () the stack is not as before: ui: ")


def test_what_comes_back_later_lets_the_next_begin() -> None:
    """Before the next fault is looked once more: nothing is held up by what is over."""
    stack = Stack()
    stack.parts["ui"] = down_after_first_look(until_calls=10_000)

    async def late() -> NotBegun | None:
        steadiness = stack.steadiness("ui")
        await disturbed(steadiness, stack)
        stack.parts["ui"] = lambda at, calls: True
        return await steadiness.before(CHECK)

    assert run_virtual(late()) is None


@pytest.mark.parametrize(("passed", "reported_by"), [(True, [None, "x/y:0"]), (False, [CHECK.id, CHECK.id])])
def test_a_stack_that_is_not_as_before_is_reported_by_one_check(passed: bool, reported_by: list[str | None]) -> None:
    """The check that left it so reports it where it failed, else the next one; all others are blocked by that one."""
    stack = Stack(ui=down_after_first_look(until_calls=10_000))

    async def following() -> list[str | None]:
        steadiness = stack.steadiness("ui")
        await steadiness.before(CHECK)
        await steadiness.after(CHECK, passed=passed)
        checks = [replace(CHECK, info=replace(CHECK.info, id=f"x/y:{number}")) for number in range(2)]
        answers = [await steadiness.before(check) for check in checks]
        return [answer.blocked_by for answer in answers if answer]

    assert run_virtual(following()) == reported_by


@pytest.mark.parametrize("name", ["docs", "voice"])
def test_what_was_not_well_before_is_not_waited_for(name: str) -> None:
    """A part that is broken anyway is named once, and holds nothing up."""
    stack = Stack(api=lambda at, calls: True, **{name: lambda at, calls: False})
    first, waited_s, then = run_virtual(disturbed(stack.steadiness("api", name), stack))
    assert (first, waited_s, then) == (None, 0.0, None)
    assert stack.notices[0].startswith(f"not well before the first fault, so not waited for after faults: {name}: ")
