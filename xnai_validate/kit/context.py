"""What the engine offers to a checker while it measures."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from pydantic import JsonValue

from xnai_validate.kit.observation import FaultEntry, Observation, Observed
from xnai_validate.model.target import Target


class Clock(Protocol):
    """Time and sleep; tests of the engine use one that needs no time."""

    def time(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


T = TypeVar("T")


class Context(Protocol):
    """What a checker may ask of the engine."""

    @property
    def target(self) -> Target:
        """The target of the check; raises NotApplicable where it has none."""

    @property
    def clock(self) -> Clock:
        """The clock to measure and wait with."""

    @property
    def timeout_s(self) -> float:
        """Seconds after which the engine ends this measurement as a time-out of the stack."""

    @property
    def vars(self) -> Mapping[str, JsonValue]:
        """The profile's vars."""

    def target_named(self, name: str) -> Target:
        """Another target of the stack; raises NotApplicable where it is not configured."""

    async def observe(self, observation: Observation, values: Mapping[str, JsonValue] | None = None) -> Observed:
        """Measure and judge an observation that stands in the check's params.

        `values`: what the references of a `Template` stand for. Raises Unmeasurable where they make params or rules of
        it that are none.
        """

    def injected(self, disturbance: FaultEntry) -> AbstractAsyncContextManager[None]:
        """A context in which a disturbance that stands in the check's params is in force.

        On entering, its undo record is on disk before it is injected; on leaving, whatever the reason, it is taken back
        and that is proven. Raises NotApplicable or Unmeasurable where it cannot be injected: then nothing was touched.
        A check whose params hold a disturbance runs alone, and only where `disruptive` is allowed.
        """

    @property
    def active_faults(self) -> Sequence[str]:
        """What disturbs the stack for this check at the moment, in sentences: what is measured now holds only then."""

    @property
    def spare_bytes(self) -> int:
        """Memory of the host that may be taken now before the guard ends the run; for what takes much at once."""

    async def shared(self, key: Hashable, open_: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """A value that lives as long as the run (a connection pool, a TLS context): opened at first use.

        It is closed when the run ends. `key` should begin with the family: `("http", "client", target.origin)`.
        """

    def progress(self, text: str) -> None:
        """Tell the live display what a long measurement is doing."""
