"""Drive a breaker from outside: call it, make calls fail, and wait for what it promises to do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from xnai_validate.checkers.breaker._driver.calls import Call, Outcome, make
from xnai_validate.checkers.breaker._driver.others import OtherClients
from xnai_validate.checkers.breaker._driver.phases import Closing, Opening, Waiting
from xnai_validate.checkers.breaker._driver.readings import PAUSE_S, Reading, Readings
from xnai_validate.checkers.breaker._driver.timeline import Timeline
from xnai_validate.checkers.breaker._driver.trips import failing
from xnai_validate.checkers.breaker._models import BreakerParams
from xnai_validate.kit import Context, FaultLimitReached, NotApplicable, Observation, Unmeasurable


class Driver:
    """Drives one breaker, one call at a time; every call is followed by a reading of the key."""

    def __init__(self, params: BreakerParams, ctx: Context) -> None:
        self.params, self.ctx = params, ctx
        self.readings = Readings(params, ctx)
        self.timeline = Timeline(params.successes, params.recovery, params.settle, self.now())
        self.last: Reading | None = None
        """The last reading of the key."""
        self.meanwhile: list[Reading] = []
        """Readings of the key during the last call."""
        self.succeeded = self.failed = self.unanswered = 0
        self._others = OtherClients(ctx, params.name, self.readings)
        self._blind = False
        self._opens_after: int | None = None
        """After how many failures it opened, if it did."""

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return self.ctx.clock.monotonic()

    async def call(self, observation: Observation | None = None) -> Call:
        """Make a call, by default the one that succeeds, and read the key."""
        call, meanwhile = await self._call_and_sample(observation or self.params.call)
        self.succeeded += call.outcome is Outcome.SUCCEEDED
        self.failed += call.outcome is Outcome.FAILED
        self.unanswered += call.outcome is Outcome.UNANSWERED
        self.timeline.add_call(call)
        reading = None if self._blind else await self.readings.key()
        if reading is not None:
            for each in (*meanwhile, reading):
                self.timeline.add_reading(each)
            self.last = reading
            self._others.note(reading)
        self.meanwhile = meanwhile
        return call

    async def _call_and_sample(self, observation: Observation) -> tuple[Call, list[Reading]]:
        """Make a call, and read the key at intervals of `every` during it."""
        meanwhile: list[Reading] = []
        sampling = asyncio.create_task(self._sample_state(meanwhile))
        try:
            call = await make(self.ctx, observation, self.params.name)
        finally:
            sampling.cancel()
            await asyncio.wait((sampling,))
        return call, meanwhile

    async def _sample_state(self, into: list[Reading]) -> None:
        """Read the breaker's key again and again until cancelled, unless it cannot be read."""
        while self.readings.keyed and not self._blind:
            await self.ctx.clock.sleep(self.params.every)
            if (reading := await self.readings.key()) is not None:
                into.append(reading)

    def _show(self, doing: str) -> None:
        """Show on the live display what is being done, and the state that the key in Redis names."""
        shown = f", Redis shows {self.known_state.replace('_', ' ')}" if self.known_state else ""
        self.ctx.progress(f"breaker {self.params.name}: {doing}{shown}")

    @property
    def known_state(self) -> str | None:
        """The state in the last reading of the key; None if it shows none."""
        return self.last.state if self.last else None

    @contextmanager
    def blind(self) -> Iterator[None]:
        """Do not read the key after calls within the context: without Redis, each reading would wait for it."""
        self._blind, self.last = True, None
        try:
            yield
        finally:
            self._blind = False

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Observation]:
        """Make calls fail within the context; the value is the call."""
        async with failing(self.params, self.ctx) as observation:
            yield observation

    async def fail(self, observation: Observation) -> Call:
        """Make a call that should fail; raises NotApplicable if it succeeds."""
        call = await self.call(observation)
        if call.outcome is Outcome.SUCCEEDED:
            raise NotApplicable(f"a call through the breaker {self.params.name} that should fail succeeded")
        return call

    async def begin(self) -> None:
        """Wait until calls succeed and the breaker is closed, before anything is disturbed.

        Raises Unmeasurable if calls still fail after `steady_within`, or if the breaker does not close within its
        recovery time and the patience.
        """
        end_s = self.now() + self.params.steady_within
        failing: Unmeasurable | None = None
        while True:
            is_last = self.now() >= end_s
            try:
                closed = await self.ready()
            except Unmeasurable as error:
                failing = error
                if is_last:
                    raise
                await self.ctx.clock.sleep(PAUSE_S)
                continue
            if closed:
                await self._others.begin(self.last)
                return
            if failing is not None:  # these calls have opened it
                raise failing
            waited_s = self.params.recovery + self.params.patience
            raise Unmeasurable(
                f"the breaker {self.params.name} was not closed before it was to be opened, and did not close within"
                f" {waited_s:g} s of calls that it refused or let through: nothing was disturbed or judged"
            )

    async def refuse_others(self) -> None:
        """Raise NotApplicable if other clients have called through the breaker meanwhile: nothing is judged then."""
        await self._others.refuse()

    async def ready(self) -> bool:
        """Make calls until the breaker is closed, with no failure counted; return whether it is.

        Waits for the recovery time and the patience if it is open already, and again after a call that failed, since
        that one may have opened it anew. Raises Unmeasurable if more than one call fails.
        """
        self._show("waiting until it is closed")
        end_s = self.now() + self.params.recovery + self.params.patience
        streak = failures = 0
        while streak <= 2 * self.params.successes + 2:
            call = await self.call()
            if call.outcome is Outcome.SUCCEEDED:
                streak += 1
                if self.known_state == "closed" or (self.known_state is None and streak > self.params.successes):
                    return True
                continue
            streak = 0
            if call.outcome is not Outcome.REFUSED:
                failures += 1
                if failures > 1:
                    raise Unmeasurable(
                        f"calls through the breaker {self.params.name} fail while no fault is in force: {call.summary}"
                    )
                end_s = self.now() + self.params.recovery + self.params.patience
            if call.sent_s >= end_s:
                return False
            await self.ctx.clock.sleep(self.params.every)
        self._note_reading(await self.readings.until("closed"))
        return self.known_state == "closed"

    async def ready_again(self) -> bool:
        """Return whether the breaker is closed, as `ready` does, but retry for up to `steady_within` while calls fail.

        After an outage, or a crowd of calls, the dependency may still be working off its backlog. Raises Unmeasurable
        if calls still fail then.
        """
        end_s = self.now() + self.params.steady_within
        while True:
            is_last = self.now() >= end_s
            try:
                return await self.ready()
            except Unmeasurable:
                if is_last:
                    raise
            await self.ctx.clock.sleep(PAUSE_S)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Opening]:
        """Open the breaker as configured; within the context, the dependency works.

        Raises NotApplicable if nothing is configured for that, Unmeasurable if a state is to be planted where the
        breaker keeps none. A planted state is reverted at the end.
        """
        planted = self.params.trip.planted_alone
        if planted is None:
            opening = Opening(began_s=self.now())
            try:
                async with self.failing() as observation:
                    await self.open(observation, opening)
            except FaultLimitReached as error:
                opening.cut_off, opening.ended_s = error.message, self.now()
            yield opening
            return
        if self.last is not None and self.last.readable and not self.last.present:
            raise Unmeasurable(
                f"the breaker {self.params.name} keeps no state at {self.params.key} in Redis, where it would be set to"
                " open: its calls succeeded, and the key is not there"
            )
        begun_s = self.now()
        async with self.ctx.injected(planted):
            opening = Opening(planted=(begun_s, self.now()))
            reading = await self.readings.key()
            if reading is not None:
                self.timeline.skip_to(reading)
            call = await self.call()
            if call.outcome is Outcome.REFUSED:
                opening.refusal, opening.refused = call, self.last
            yield opening

    async def open(self, observation: Observation, opening: Opening) -> None:
        """Make calls fail until one is refused, or until twice as many have failed as promised.

        `opening` notes all, also what was seen before a fault reached its limit.
        """
        opening.began_s = self.now()
        while opening.refusal is None and len(opening.failed) < 2 * self.params.failures + 2:
            self._show(f"making calls fail, {len(opening.failed)} of {self.params.failures}")
            call = await self.fail(observation)
            if call.outcome is Outcome.REFUSED:
                opening.refusal, opening.refused, self._opens_after = call, self.last, len(opening.failed)
                break
            opening.failed.append(call)
            if self.last is not None:
                opening.counted.append(self.last)
            opening.not_open_until_s = self._not_open_until_s()
            if opening.noted_after is None and self.known_state == "open":
                opening.noted_after = len(opening.failed)
        opening.ended_s = self.now()

    def _not_open_until_s(self) -> float | None:
        """Until when the key showed another state than `open` during the last call; None if it did not.

        It may show a change `settle` late.
        """
        not_open = [reading.begun_s for reading in self.meanwhile if reading.state not in (None, "open")]
        return max(not_open) - self.params.settle if not_open else None

    async def wait(self, since_s: float, observation: Observation | None = None) -> Waiting:
        """Call an open breaker repeatedly until it lets one through, at most for recovery time and patience.

        `since_s`: when it opened.
        """
        waiting = Waiting()
        end_s = since_s + self.params.recovery + self.params.patience
        while True:
            self._show(f"open for {self.now() - since_s:.1f} of {self.params.recovery:g} s")
            call = await self.call(observation)
            if call.let_through:
                waiting.admitted = call
                return waiting
            if call.outcome is Outcome.REFUSED:
                waiting.refusals.append(call)
                if self.last is not None:
                    waiting.readings.append(self.last)
            if call.sent_s >= end_s:
                return waiting
            await self.ctx.clock.sleep(self.params.every)

    async def close(self, admitted: Call) -> Closing:
        """Let calls succeed until the key is `closed`, or, if it shows no state, as often as promised.

        `admitted`: the first call that was let through. Raises Unmeasurable if a call fails.
        """
        closing, end_s, call = Closing(), self.now() + self.params.recovery + self.params.patience, admitted
        while True:
            self._show(f"half open, {closing.successes} of {self.params.successes} successes")
            if call.outcome is Outcome.SUCCEEDED:
                closing.successes += 1
                if closing.successes == self.params.successes and self.readings.keyed:
                    self._note_reading(await self.readings.until("closed"))
                if self.known_state == "closed":
                    closing.noted_after = closing.successes
                    return closing
                enough = self.params.successes if self.known_state is None else 2 * self.params.successes + 2
                if closing.successes >= enough:
                    return closing
            elif call.outcome is Outcome.REFUSED:
                closing.refused += 1
                if call.sent_s >= end_s:
                    return closing
                await self.ctx.clock.sleep(self.params.every)
            else:
                raise Unmeasurable(f"a call failed that should succeed after the recovery time: {call.summary}")
            call = await self.call()

    def _note_reading(self, reading: Reading | None) -> None:
        """Add a reading to the timeline and remember it as the last one."""
        if reading is not None:
            self.timeline.add_reading(reading)
            self.last = reading

    async def tolerates_a_failure(self) -> bool | None:
        """Whether one failure leaves the breaker as it is: it does in `closed`, and not in `half_open`.

        None if one failure opens it anyway, or no call can be made to fail. A successful call follows, so that no
        failure stays counted.
        """
        if 1 in (self.params.failures, self._opens_after) or self.params.trip.planted_alone is not None:
            return None
        async with self.failing() as observation:
            if (await self.fail(observation)).outcome is Outcome.REFUSED:
                return False
        return (await self.call()).outcome is not Outcome.REFUSED
