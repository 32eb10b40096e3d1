"""Driving a breaker from outside: calling it, making calls fail, and waiting for what it promises to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from xnai_validate.checkers.breaker._calls import Call, Outcome, make
from xnai_validate.checkers.breaker._params import BreakerParams
from xnai_validate.checkers.breaker._phases import Closing, Opening, Waiting
from xnai_validate.checkers.breaker._readings import Reading, Readings
from xnai_validate.checkers.breaker._timeline import Timeline
from xnai_validate.checkers.breaker._trips import failing
from xnai_validate.kit import Context, NotApplicable, Observation, Unmeasurable


class Driver:
    """One breaker being driven, one call at a time; every call is followed by a reading of the key."""

    def __init__(self, params: BreakerParams, ctx: Context) -> None:
        self.params, self.ctx = params, ctx
        self.readings = Readings(params, ctx)
        self.timeline = Timeline(params.successes, params.recovery, params.settle)
        self.last: Reading | None = None
        """The key as it was read last."""
        self.meanwhile: list[Reading] = []
        """The key as it was while the last call was under way."""
        self.succeeded = self.failed = self.unanswered = 0
        self._blind = False
        self._opens_after: int | None = None
        """After how many failures it opened, where it did."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return self.ctx.clock.monotonic()

    async def call(self, wanted: Observation | None = None) -> Call:
        """Make a call, by default the one that succeeds, and read the key."""
        call, meanwhile = await self._made(wanted or self.params.call)
        self.succeeded += call.outcome is Outcome.SUCCEEDED
        self.failed += call.outcome is Outcome.FAILED
        self.unanswered += call.outcome is Outcome.UNANSWERED
        self.timeline.called(call)
        reading = None if self._blind else await self.readings.key()
        if reading is not None:
            for one in (*meanwhile, reading):
                self.timeline.see(one)
            self.last = reading
        self.meanwhile = meanwhile
        return call

    async def _made(self, wanted: Observation) -> tuple[Call, list[Reading]]:
        """A call, and the key as it was every `every` while that was under way."""
        meanwhile: list[Reading] = []
        sampling = asyncio.create_task(self._sample(meanwhile))
        try:
            call = await make(self.ctx, wanted, self.params.name)
        finally:
            sampling.cancel()
            await asyncio.wait((sampling,))
        return call, meanwhile

    async def _sample(self, into: list[Reading]) -> None:
        while self.readings.keyed and not self._blind:
            await self.ctx.clock.sleep(self.params.every)
            if (reading := await self.readings.key()) is not None:
                into.append(reading)

    @property
    def told(self) -> str | None:
        """The state that the key told last; None where it tells nothing."""
        return self.last.state if self.last else None

    @contextmanager
    def blind(self) -> Iterator[None]:
        """Within, the key is not read after calls, for Redis is gone: each reading would wait for it."""
        self._blind, self.last = True, None
        try:
            yield
        finally:
            self._blind = False

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Observation]:
        """The call that fails within."""
        async with failing(self.params, self.ctx) as wanted:
            yield wanted

    async def fail(self, wanted: Observation) -> Call:
        """Make a call that is to fail; raises NotApplicable where it succeeds."""
        call = await self.call(wanted)
        if call.outcome is Outcome.SUCCEEDED:
            raise NotApplicable(f"a call through the breaker {self.params.name} that was to fail succeeded")
        return call

    async def ready(self) -> bool:
        """Bring the breaker to closed, with no failure counted; whether that came about.

        Waits for the recovery time and the patience where it is open from before. Raises Unmeasurable where calls fail
        although nothing was done to the dependency yet.
        """
        self.ctx.progress(f"breaker {self.params.name}: waiting until it is closed")
        end_s = self.now() + self.params.recovery + self.params.patience
        streak = failures = 0
        while streak <= 2 * self.params.successes + 2:
            call = await self.call()
            if call.outcome is Outcome.SUCCEEDED:
                streak += 1
                if self.told == "closed" or (self.told is None and streak > self.params.successes):
                    return True
                continue
            streak = 0
            if call.outcome is not Outcome.REFUSED:
                failures += 1
                if failures > 1:
                    raise Unmeasurable(f"calls fail though nothing is done to make them fail: {call.says}")
            if self.now() >= end_s:
                return False
            await self.ctx.clock.sleep(self.params.every)
        return False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Opening]:
        """Bring the breaker to open as is configured; within, the dependency works.

        Raises NotApplicable where nothing is configured for that. A planted state is taken back at the end.
        """
        if self.params.trip.planted is None:
            async with self.failing() as wanted:
                opening = await self.open(wanted)
            yield opening
            return
        begun_s = self.now()
        async with self.ctx.injected(self.params.trip.planted):
            opening = Opening(planted=(begun_s, self.now()))
            reading = await self.readings.key()
            if reading is not None:
                self.timeline.jump(reading)
            call = await self.call()
            if call.outcome is Outcome.REFUSED:
                opening.refusal, opening.refused = call, self.last
            yield opening

    async def open(self, wanted: Observation) -> Opening:
        """Make calls fail until one is refused, or until twice as many have failed as promised."""
        self.ctx.progress(f"breaker {self.params.name}: making calls fail")
        opening = Opening()
        while opening.refusal is None and len(opening.failed) < 2 * self.params.failures + 2:
            call = await self.fail(wanted)
            if call.outcome is Outcome.REFUSED:
                opening.refusal, opening.refused, self._opens_after = call, self.last, len(opening.failed)
                break
            opening.failed.append(call)
            if self.last is not None:
                opening.counted.append(self.last)
            opening.shut_until_s = self._shut_until_s()
            if opening.told_after is None and self.told == "open":
                opening.told_after = len(opening.failed)
        return opening

    def _shut_until_s(self) -> float | None:
        """Until when the key told another state than `open` while the last call was under way, if it did at all.

        It may tell a change `settle` late.
        """
        asked = [one.asked_s for one in self.meanwhile if one.state not in (None, "open")]
        return max(asked) - self.params.settle if asked else None

    async def wait(self, since_s: float, wanted: Observation | None = None) -> Waiting:
        """Call an open breaker again and again until it lets one through, at most for recovery time and patience.

        `since_s`: when it opened.
        """
        waiting = Waiting()
        end_s = since_s + self.params.recovery + self.params.patience
        while True:
            self.ctx.progress(f"breaker {self.params.name}: open for {self.now() - since_s:.1f} s")
            call = await self.call(wanted)
            if call.let_through:
                waiting.admitted = call
                return waiting
            if call.outcome is Outcome.REFUSED:
                waiting.refusals.append(call)
                if self.last is not None:
                    waiting.readings.append(self.last)
            if self.now() >= end_s:
                return waiting
            await self.ctx.clock.sleep(self.params.every)

    async def close(self, admitted: Call) -> Closing:
        """Let calls succeed until the key says `closed`, or, where it says nothing, as often as promised.

        `admitted`: the first call that was let through. Raises Unmeasurable where a call fails.
        """
        self.ctx.progress(f"breaker {self.params.name}: half open")
        closing, end_s, call = Closing(), self.now() + self.params.recovery + self.params.patience, admitted
        while True:
            if call.outcome is Outcome.SUCCEEDED:
                closing.successes += 1
                if closing.successes == self.params.successes and self.readings.keyed:
                    self._see(await self.readings.until("closed"))
                if self.told == "closed":
                    closing.told_after = closing.successes
                    return closing
                enough = self.params.successes if self.told is None else 2 * self.params.successes + 2
                if closing.successes >= enough:
                    return closing
            elif call.outcome is Outcome.REFUSED:
                closing.refused += 1
                if self.now() >= end_s:
                    return closing
                await self.ctx.clock.sleep(self.params.every)
            else:
                raise Unmeasurable(f"a call failed that was to succeed after the recovery time: {call.says}")
            call = await self.call()

    def _see(self, reading: Reading | None) -> None:
        if reading is not None:
            self.timeline.see(reading)
            self.last = reading

    async def tolerates_a_failure(self) -> bool | None:
        """Whether one failure leaves the breaker as it is, as it does in `closed` and not in `half_open`.

        None where one failure opens it anyway, or no call can be made to fail. A call that succeeds follows, so that no
        failure stays counted.
        """
        if 1 in (self.params.failures, self._opens_after) or self.params.trip.planted is not None:
            return None
        async with self.failing() as wanted:
            if (await self.fail(wanted)).outcome is Outcome.REFUSED:
                return False
        return (await self.call()).outcome is not Outcome.REFUSED
