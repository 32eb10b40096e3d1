"""The context of a measurement on a worker."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from xnai_validate.engine.clock import SystemClock
from xnai_validate.kit import (
    Clock,
    FaultEntry,
    JsonValue,
    NotApplicable,
    Observation,
    Observed,
    Target,
    Unmeasurable,
)

T = TypeVar("T")


class WorkerContext:
    """Offers at most one target and shared values; a worker injects no fault and judges nothing."""

    def __init__(self, target: Target | None) -> None:
        self.clock: Clock = SystemClock()
        self.timeout_s = 0.0
        """Set when the measurement begins."""
        self.vars: Mapping[str, JsonValue] = {}
        self.active_faults: Sequence[str] = ()
        self.spare_bytes = sys.maxsize
        self.stage = ""
        self.secrets: list[str] = []
        """What the checker has found and what must be masked wherever it is reported."""
        self._target = target
        self._open = AsyncExitStack()
        self._shared: dict[Hashable, Any] = {}

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[WorkerContext]:
        """Close at the end what was shared."""
        async with self._open:
            yield self

    @property
    def target(self) -> Target:
        """The target of the measurement; raises NotApplicable if it has none."""
        if self._target is None:
            raise NotApplicable("the check has no target")
        return self._target

    async def log_in(self) -> None:
        """The coordinating process has logged in."""

    def target_named(self, name: str) -> Target:
        """The target of the measurement is the only one; raises NotApplicable for others."""
        if self._target is None or name != self._target.name:
            raise NotApplicable(f"target {name} is not known to workers")
        return self._target

    async def observe(self, observation: Observation, values: Mapping[str, JsonValue] | None = None) -> Observed:
        """Raise Unmeasurable: what is made of other measurements is made by the coordinating process."""
        raise Unmeasurable(f"{observation.kind} cannot be observed from a worker")

    def injected(self, entry: FaultEntry) -> AbstractAsyncContextManager[None]:
        """Raise NotApplicable: faults are injected by the coordinating process alone."""
        raise NotApplicable("a worker injects no fault")

    async def shared(self, key: Hashable, open_: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """Return a value that lives as long as the measurement."""
        if key not in self._shared:
            self._shared[key] = await self._open.enter_async_context(open_())
        value: T = self._shared[key]
        return value

    def noted(self, key: Hashable) -> object:
        """Nothing is noted on a worker."""
        return None

    def mask(self, secret: str) -> None:
        """Keep a secret, for the coordinating process masks where events are made."""
        self.secrets.append(secret)

    def progress(self, text: str) -> None:
        """Keep what the measurement is doing."""
        self.stage = text
