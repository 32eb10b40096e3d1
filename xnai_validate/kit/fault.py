"""Declaring a fault: a reversible disturbance of the stack.

A fault is a class with five methods. Everything that reverting needs is in its `Undo` record: that is on disk before
the fault is injected, and `revert` may run in another process that has nothing but this record::

    class PauseParams(Params):
        duration: Duration = 30.0

    class PauseUndo(Undo):
        processes: tuple[ProcessId, ...]

    @fault("process.pause", limit_s=600)
    class Pause:
        "Stop the target's processes, as a machine does that has no time for them."

        def describe(self, params: PauseParams, target: str) -> str: ...
        async def prepare(self, params: PauseParams, ctx: FaultContext) -> PauseUndo: ...
        async def inject(self, params: PauseParams, undo: PauseUndo, ctx: FaultContext) -> ActiveFault | None: ...
        async def revert(self, undo: PauseUndo, ctx: FaultContext) -> None: ...
        async def fingerprint(self, undo: PauseUndo, ctx: FaultContext) -> JsonValue: ...
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, get_type_hints

from pydantic import JsonValue

from xnai_validate.kit.checker import Preload
from xnai_validate.kit.context import Clock
from xnai_validate.kit.params import Params
from xnai_validate.model.frozen_model import FrozenModel
from xnai_validate.model.target import Target

FAULT_MARK = "__xnai_fault__"


class Undo(FrozenModel):
    """What reverting a fault needs, as plain JSON on disk. The target and its secrets are stored beside it."""


class FaultContext(Protocol):
    """What the engine, or the process that reverts, offers to a fault."""

    @property
    def id(self) -> str:
        """A unique name of this injection, for keys, files and arguments by which it is recognized later."""

    @property
    def target(self) -> Target:
        """The target of the fault; raises NotApplicable if it has none."""

    @property
    def clock(self) -> Clock:
        """The clock to wait with."""

    @property
    def limit_s(self) -> float:
        """Seconds after which the fault is reverted in any case; anything that expires by itself should do so then."""


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """What lives in this process while the fault is active; `revert` must not need it."""

    url: str | None = None
    """Where the target is reached meanwhile, if not at its own url: the url of a proxy in front of it."""
    close: Callable[[], None] | None = None
    """Called after the fault was reverted, to release pipes and children."""


class FaultMethods(Protocol):
    """The methods of a fault. Each may raise XnaiError; any other exception is reported as an error of the tool."""

    def describe(self, params: Any, target: str) -> str:
        """Return one plain sentence: what the fault does to the target. It may be shown before the injection."""

    async def prepare(self, params: Any, ctx: FaultContext) -> Any:
        """Return everything that `revert` will need, found by reading only.

        Raises NotApplicable if the fault cannot be injected here, Unmeasurable if it could not be reverted.
        """

    async def inject(self, params: Any, undo: Any, ctx: FaultContext) -> ActiveFault | None:
        """Inject the fault; `revert` follows whatever this method returns or raises."""

    async def revert(self, undo: Any, ctx: FaultContext) -> None:
        """Revert the fault; harmless if it was never injected or is reverted already.

        May run in another process. Raises Gone if what was disturbed has ended, and the fault with it.
        """

    async def fingerprint(self, undo: Any, ctx: FaultContext) -> JsonValue:
        """Return a value that must be equal before the injection and after the revert.

        After `revert` it is read again for a while, until it is equal.
        """


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, with everything that was read from its declaration."""

    name: str
    """`family.name`."""
    methods: FaultMethods = field(repr=False)
    params: type[Params]
    undo: type[Undo]
    doc: str
    """The docstring; users read its first line."""
    limit_s: float
    """How long it may be active at most."""
    grace_s: float
    """How long reverting it may take."""
    needs_target: bool
    extra: str | None
    """The optional dependency group that it needs."""
    preload: Preload
    """Modules to import before the first check."""

    @property
    def family(self) -> str:
        """The module that declares it: `redis` of `redis.pause`."""
        return self.name.partition(".")[0]

    @property
    def title(self) -> str:
        """The first line of its documentation."""
        return self.doc.strip().partition("\n")[0].strip()


FaultClass = TypeVar("FaultClass", bound=FaultMethods)


def fault(
    name: str,
    *,
    limit_s: float,
    grace_s: float = 5.0,
    target: bool = True,
    extra: str | None = None,
    preload: Preload = (),
) -> Callable[[type[FaultClass]], type[FaultClass]]:
    """Declare a class with the methods of `FaultMethods` as the fault `name` (`family.name`).

    The class is created without arguments. Raises TypeError if annotations or the docstring are missing.

    Args:
        name: the name in profiles and suites.
        limit_s: how long the fault may be active at most.
        grace_s: how long reverting it, and proving that, may take.
        target: whether it needs a target.
        extra: the optional dependency group that it needs.
        preload: modules to import before the first check.
    """

    def declare(cls: type[FaultClass]) -> type[FaultClass]:
        """Verify the annotations of the class and attach its `Fault`. Raises TypeError."""
        hints = get_type_hints(cls.prepare)
        params, undo = hints.get("params"), hints.get("return")
        if not (isinstance(params, type) and issubclass(params, Params)):
            raise TypeError(f"{name}: `params` of prepare must be annotated with a subclass of Params")
        if not (isinstance(undo, type) and issubclass(undo, Undo)):
            raise TypeError(f"{name}: the return annotation of prepare must be a subclass of Undo")
        doc = inspect.cleandoc(cls.__doc__ or "")
        if not doc:
            raise TypeError(f"{name}: the fault has no docstring; its first line is what a user reads")
        declared = Fault(name, cls(), params, undo, doc, limit_s, grace_s, target, extra, preload)
        setattr(cls, FAULT_MARK, declared)
        return cls

    return declare
