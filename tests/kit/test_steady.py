"""A stack is waited for as long as it is given, and judged by what is seen after that."""

from __future__ import annotations

from tests.engine.clock import VirtualClock, run_virtual
from xnai_validate.kit import pause_s, wait_until_steady


class Stack:
    """A stack that is unsteady for some seconds, and whose every observation takes some."""

    def __init__(self, *, unsteady_s: float, look_s: float) -> None:
        self.clock = VirtualClock()
        self.looks = 0
        self._unsteady_s, self._look_s = unsteady_s, look_s

    async def why_unsteady(self) -> str | None:
        """Return what was so when the observation began: on a slow host it is known only later."""
        self.looks += 1
        why = "it recovers" if self.clock.monotonic() < self._unsteady_s else None
        await self.clock.sleep(self._look_s)
        return why

    async def wait(self, within_s: float) -> str | None:
        return await wait_until_steady(self.clock, self.why_unsteady, within_s=within_s)


def test_a_look_that_began_before_the_end_of_the_time_is_not_judged() -> None:
    """The first look lasts for longer than the time: it saw the stack before that was over, so another one decides."""
    stack = Stack(unsteady_s=2.0, look_s=4.0)
    assert run_virtual(stack.wait(3.0)) is None


def test_a_stack_that_stays_unsteady_is_reported_at_the_first_look_after_the_time() -> None:
    """The wait ends: no more looks are made than the one that begins when the time is over."""
    stack = Stack(unsteady_s=1e9, look_s=4.0)
    assert run_virtual(stack.wait(3.0)) == "it recovers"
    assert stack.looks == 2


def test_what_stays_away_is_looked_at_less_and_less_often() -> None:
    """What is back soon is noticed at once, and a minute and a half of absence takes a few hundred looks."""
    waited_s, looks = 0.0, 0
    while waited_s < 90:
        waited_s += pause_s(waited_s)
        looks += 1
    assert (pause_s(0.0), pause_s(90.0)) == (0.05, 0.5)
    assert looks < 400
