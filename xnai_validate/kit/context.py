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
    """What the engine offers to a checker."""

    @property
    def target(self) -> Target:
        """The target of the check; raises NotApplicable if it has none."""

    @property
    def clock(self) -> Clock:
        """The clock to measure and wait with."""

    @property
    def timeout_s(self) -> float:
        """Seconds after which the engine ends this measurement: a time-out of the stack, or an error if it is of many
        steps.
        """

    @property
    def vars(self) -> Mapping[str, JsonValue]:
        """The profile's vars."""

    async def log_in(self) -> None:
        """Log in to the target of the check, if it has a login, so that no time that is measured includes it.

        The engine does so before each measurement. Raises Unmeasurable if the login fails.
        """

    def target_named(self, name: str) -> Target:
        """Another target of the stack; raises NotApplicable if it is not configured."""

    async def observe(self, observation: Observation, values: Mapping[str, JsonValue] | None = None) -> Observed:
        """Measure and judge an observation of the check's params.

        `values`: the values of the references of a `Template`. Raises Unmeasurable if its params or rules are invalid
        with them.
        """

    def injected(self, entry: FaultEntry) -> AbstractAsyncContextManager[None]:
        """A context in which a fault of the check's params is active.

        On entering, its undo record is on disk before it is injected; on leaving, whatever the reason, it is reverted
        and that is proven. Raises NotApplicable or Unmeasurable if it cannot be injected: then nothing was changed.
        A check whose params contain a fault runs alone, and only if `disruptive` is allowed.
        """

    @property
    def active_faults(self) -> Sequence[str]:
        """The faults that are active for this check now, one sentence each."""

    @property
    def spare_bytes(self) -> int:
        """Memory of the host that may be used now before the guard ends the run; for measurements that need much."""

    async def shared(self, key: Hashable, open_: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """Return a value that lives as long as the run, such as a connection pool or a TLS context.

        It is opened at its first use and closed when the run ends. `key` begins
        with the family: `("http", "client", target.origin)`.
        """

    def noted(self, key: Hashable) -> object:
        """Return what the checker has noted under a key when the run began (`@checker(notes=...)`); None if nothing."""

    def mask(self, secret: str) -> None:
        """Mask a secret that was found while measuring, such as a session token, in all that the run reports."""

    def progress(self, text: str) -> None:
        """Show on the live display what a long measurement is doing."""

    @property
    def stage(self) -> str:
        """The last text of `progress`; empty before the first."""
