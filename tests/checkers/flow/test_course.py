"""A step that is made again until it holds is judged by an attempt that began when its time was over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from tests.engine.clock import VirtualClock, run_virtual
from xnai_validate.checkers.flow._course import Course
from xnai_validate.checkers.flow._step import Step
from xnai_validate.kit import Context, JsonValue, Observation, Observed
from xnai_validate.model.judging.findings import Finding


class SlowHost:
    """A context whose every measurement lasts for 4 s, and shows what was so when it began."""

    def __init__(self, holds_from_s: float) -> None:
        self.clock = VirtualClock()
        self.attempts = 0
        self._holds_from_s = holds_from_s

    def progress(self, text: str) -> None:
        pass

    async def observe(self, _observation: Observation, _values: Mapping[str, JsonValue] | None = None) -> Observed:
        self.attempts += 1
        held = self.clock.monotonic() >= self._holds_from_s
        await self.clock.sleep(4.0)
        return Observed({}, (Finding("status", "equals", 200, 200 if held else 503, held, "expect"),))


def made(host: SlowHost) -> bool | None:
    course = Course(cast(Context, host))
    run_virtual(course.make([Step(name="ask", kind="http.request", within=3.0)]))
    return course.results[0].held


def test_an_attempt_that_began_before_the_end_is_not_judged() -> None:
    """What holds from the second second on holds within three, however slow the host is."""
    assert made(SlowHost(holds_from_s=2.0)) is True


def test_a_step_that_never_holds_ends_with_the_attempt_after_its_time() -> None:
    """One attempt is under way when the time is over, one more is made."""
    host = SlowHost(holds_from_s=1e9)
    assert made(host) is False
    assert host.attempts == 2
