"""A circuit breaker that keeps what the stack promises, its state in Redis; and some that each break one promise."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError, WatchError

FAILURES, SUCCESSES = 3, 3
RECOVERY_S = 0.8
SLOW_S = 0.4
HOLD_OFF_S = 0.4
"""How long Redis is left alone when it did not answer."""
FRESH: dict[str, Any] = {
    "state": "closed",
    "failure_count": 0,
    "last_failure_time": None,
    "success_count": 0,
    "last_success_time": None,
    "total_calls": 0,
    "total_failures": 0,
    "total_successes": 0,
}
State = dict[str, Any]


class RefusedError(Exception):
    """The breaker refuses a call."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("refused")
        self.retry_after_s = retry_after_s


class Breaker:
    """The reference: one breaker as one worker has it."""

    failures, successes, recovery_s, ttl_s = FAILURES, SUCCESSES, RECOVERY_S, 60.0
    refused_status = 503
    answer_s = 0.2
    """How long Redis may take to answer."""

    def __init__(self, redis: Redis, key: str, now: Callable[[], float] = time.time) -> None:
        self.redis, self.key, self.now = redis, key, now
        self.memory: State = dict(FRESH)
        self.trials = 0
        self.gone = False
        """Whether Redis did not answer last time, so that it has to learn what happened meanwhile."""
        self.hold_off_s = 0.0
        """Before this time of the monotonic clock Redis is not tried again."""

    async def start(self) -> None:
        """The worker begins."""

    # What a call does

    async def admit(self) -> bool:
        """Whether the call is a trial; raises RefusedError."""
        state = await self.change(self.on_trial)
        if state["state"] == "open":
            raise RefusedError(self.retry_after_s(state))
        if state["state"] != "half_open":
            return False
        if self.trials >= self.most_trials():
            raise RefusedError(self.retry_after_s(state))
        self.trials += 1
        return True

    async def end(self, failed: bool, trial: bool) -> None:
        """A call that was admitted has ended."""
        self.trials -= trial
        await self.change(lambda state: self.ended(state, failed, trial))

    # How the state changes

    def on_trial(self, state: State) -> State:
        """The state when a call arrives."""
        if state["state"] == "open" and self.now() >= (state["last_failure_time"] or 0) + self.recovery_s:
            return state | {"state": "half_open", "success_count": 0}
        return state

    def ended(self, state: State, failed: bool, trial: bool) -> State:
        """The state when an admitted call has ended."""
        state = state | {"total_calls": state["total_calls"] + 1}
        if failed:
            state["total_failures"] += 1
            return self.after_failure(state, trial)
        state["total_successes"] += 1
        return self.after_success(state, trial)

    def after_failure(self, state: State, trial: bool) -> State:
        """The state after a failure."""
        if state["state"] == "open" or (state["state"] == "half_open" and not trial):
            return state
        state |= {"failure_count": state["failure_count"] + 1, "last_failure_time": self.now(), "success_count": 0}
        if state["state"] == "half_open" or state["failure_count"] >= self.failures:
            state["state"] = "open"
        return state

    def after_success(self, state: State, trial: bool) -> State:
        """The state after a success."""
        if state["state"] == "open" or (state["state"] == "half_open" and not trial):
            return state
        state |= {"success_count": state["success_count"] + 1, "last_success_time": self.now()}
        if state["state"] == "closed":
            state["failure_count"] = 0
        elif state["success_count"] >= self.successes:
            state |= {"state": "closed", "failure_count": 0, "success_count": 0}
        return state

    # What it reports

    def most_trials(self) -> int:
        """How many calls are let through at once while half open."""
        return self.successes

    def retry_after_s(self, state: State) -> float:
        """Seconds until a call may be let through."""
        return max(0.0, (state["last_failure_time"] or 0) + self.recovery_s - self.now())

    def retry_after(self, remaining_s: float) -> str | None:
        """The header Retry-After of a refusal."""
        return str(max(1, int(-(-remaining_s // 1))))

    def state_name(self) -> str:
        """The state as the metric and the health report give it."""
        return str(self.memory["state"])

    def envelope(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body of a refusal."""
        return body

    async def refusing(self) -> None:
        """Called before a refusal is answered."""

    async def working(self, work: Callable[[], Any]) -> None:
        """Do the work of an admitted call."""
        await work()

    # Where it is kept

    def content(self, state: State) -> str:
        """What the key holds."""
        return json.dumps(state)

    def parsed(self, text: str) -> State:
        """The state that the key holds."""
        found: State = json.loads(text)
        return found

    async def change(self, by: Callable[[State], State]) -> State:
        """Change the state in Redis, again as long as another worker was quicker; in memory while Redis is gone."""
        if time.monotonic() >= self.hold_off_s:
            try:
                async with asyncio.timeout(self.answer_s):
                    self.memory = await self.swapped(by)
                self.gone = False
                return self.memory
            except (RedisError, OSError, TimeoutError):
                self.gone, self.hold_off_s = True, time.monotonic() + HOLD_OFF_S
        self.memory = by(dict(self.memory))
        return self.memory

    async def swapped(self, by: Callable[[State], State]) -> State:
        """The state in Redis after the change."""
        async with self.redis.pipeline() as pipe:
            while True:
                await pipe.watch(self.key)
                text = await pipe.get(self.key)
                before = self.parsed(str(text)) if text and not self.gone else dict(self.memory)
                after = by(dict(before))
                if after == before and text and not self.gone:
                    await pipe.unwatch()  # type: ignore[no-untyped-call]
                    return after
                pipe.multi()  # type: ignore[no-untyped-call]
                pipe.set(self.key, self.content(after), px=int(self.ttl_s * 1000))
                try:
                    await pipe.execute()
                except WatchError:
                    continue
                return after


class NeverOpens(Breaker):
    """However often calls fail, it stays closed."""

    failures = 1_000_000


class OpensLate(Breaker):
    """It opens one failure too late."""

    failures = FAILURES + 1


class OpensEarly(Breaker):
    """It opens one failure too early."""

    failures = FAILURES - 1


class ForgetsAtHalfOpen(Breaker):
    """One success closes it."""

    successes = 1


class AdmitsAll(Breaker):
    """Half open, it lets everybody through."""

    def most_trials(self) -> int:
        return 1_000_000


class StuckHalfOpen(Breaker):
    """No success closes it."""

    successes = 1_000_000

    def most_trials(self) -> int:
        return SUCCESSES


class NeverRecovers(Breaker):
    """It stays open."""

    recovery_s = 3600.0

    def retry_after_s(self, state: State) -> float:
        return RECOVERY_S


class RecoversEarly(Breaker):
    """It lets calls through long before the recovery time is over."""

    recovery_s = RECOVERY_S / 8


class RecoversLate(Breaker):
    """It lets calls through long after the recovery time is over."""

    recovery_s = RECOVERY_S * 4


class NeverForgives(Breaker):
    """A success does not reset the count of failures."""

    def after_success(self, state: State, trial: bool) -> State:
        count, before = state["failure_count"], state["state"]
        state = super().after_success(state, trial)
        return state | {"failure_count": count} if before == "closed" else state


class ShortTtl(Breaker):
    """The key expires before the recovery time is over."""

    ttl_s = RECOVERY_S / 2


class MemoryOnly(Breaker):
    """Nothing is kept in Redis."""

    async def swapped(self, by: Callable[[State], State]) -> State:
        return by(dict(self.memory))


class WrittenOnce(Breaker):
    """The state is written once and then kept in memory."""

    wrote = False

    async def swapped(self, by: Callable[[State], State]) -> State:
        if not self.wrote:
            self.wrote = True
            return await super().swapped(by)
        return by(dict(self.memory))


class Garbage(Breaker):
    """The key holds something that is not JSON."""

    def content(self, state: State) -> str:
        return repr(state)

    def parsed(self, text: str) -> State:
        return dict(self.memory)


class NoRetryAfter(Breaker):
    """Refusals come without Retry-After."""

    def retry_after(self, remaining_s: float) -> str | None:
        return None


class RetryAfterTooLong(Breaker):
    """Retry-After is a minute, always."""

    def retry_after(self, remaining_s: float) -> str | None:
        return "60"


class RetryAfterTooShort(Breaker):
    """Retry-After is nothing, always."""

    def retry_after(self, remaining_s: float) -> str | None:
        return "0"


class SlowRefusal(Breaker):
    """A refusal takes its time."""

    async def refusing(self) -> None:
        await asyncio.sleep(SLOW_S)


class RefusesWith500(Breaker):
    """A refusal looks like a failure of the server."""

    refused_status = 500


class NamelessRefusal(Breaker):
    """A refusal does not state which service is spared."""

    def envelope(self, body: dict[str, Any]) -> dict[str, Any]:
        return body | {"details": {}}


class Serialised(Breaker):
    """Calls are done one by one."""

    def __init__(self, redis: Redis, key: str, now: Callable[[], float] = time.time) -> None:
        super().__init__(redis, key, now)
        self.lock = asyncio.Lock()

    async def working(self, work: Callable[[], Any]) -> None:
        async with self.lock:
            await work()


class ForgivesAtHalfOpen(Breaker):
    """Half open, a failure does not open it again."""

    def after_failure(self, state: State, trial: bool) -> State:
        return state if state["state"] == "half_open" else super().after_failure(state, trial)


class Leaks(Breaker):
    """Open, it lets every third call through."""

    refused = 0

    async def admit(self) -> bool:
        try:
            return await super().admit()
        except RefusedError:
            self.refused += 1
            if self.refused % 3 == 0:
                return False
            raise


class Alone(Breaker):
    """Each worker counts by itself and only writes its state to Redis."""

    async def swapped(self, by: Callable[[State], State]) -> State:
        after = by(dict(self.memory))
        await self.redis.set(self.key, self.content(after), px=int(self.ttl_s * 1000))
        return after


class ForgetsOnRestart(Breaker):
    """A worker that begins closes the breaker."""

    async def start(self) -> None:
        await self.redis.delete(self.key)


class FailsWithoutRedis(Breaker):
    """Without Redis every call is refused."""

    async def change(self, by: Callable[[State], State]) -> State:
        after = await super().change(by)
        if self.gone:
            raise RefusedError(1)
        return after


class OpensNotWithoutRedis(Breaker):
    """Without Redis nothing is counted."""

    async def change(self, by: Callable[[State], State]) -> State:
        before = self.memory
        after = await super().change(by)
        self.memory = before if self.gone else after
        return self.memory


class NeverReturns(Breaker):
    """Once Redis was gone, it is not used again."""

    left = False

    async def change(self, by: Callable[[State], State]) -> State:
        if self.left:
            self.memory = by(dict(self.memory))
            return self.memory
        after = await super().change(by)
        self.left = self.gone
        return after


class ClosesWithKey(Breaker):
    """Where the key is lost, it is taken for closed."""

    async def swapped(self, by: Callable[[State], State]) -> State:
        if not await self.redis.exists(self.key):
            self.memory = dict(FRESH)
        return await super().swapped(by)


class CountsRefusals(Breaker):
    """A refused call counts as a failure, so it never recovers while it is called."""

    async def refusing(self) -> None:
        await self.change(lambda state: state | {"last_failure_time": self.now()})


class CountsTwice(Breaker):
    """Every failure is counted twice in the totals."""

    def ended(self, state: State, failed: bool, trial: bool) -> State:
        state = super().ended(state, failed, trial)
        return state | {"total_failures": state["total_failures"] + failed, "total_calls": state["total_calls"] + 1}


class SkipsHalfOpen(Breaker):
    """The recovery time over, it is closed at once."""

    def on_trial(self, state: State) -> State:
        state = super().on_trial(state)
        return state | {"state": "closed", "failure_count": 0} if state["state"] == "half_open" else state


class MetricStuck(Breaker):
    """The metric is always closed."""

    def state_name(self) -> str:
        return "closed"
