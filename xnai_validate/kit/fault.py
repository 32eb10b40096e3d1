"""What the author of a fault writes: a reversible disturbance of the stack.

A fault is a class with four methods and a sentence. What it needs to be taken back is an `Undo`: it is on disk before
anything is disturbed, and `revert` may run in another process that knows nothing but this record::

    class PauseParams(Params):
        duration: Duration = 30.0

    class PauseUndo(Undo):
        processes: tuple[ProcessId, ...]

    @fault("process.pause", limit_s=120)
    class Pause:
        "Stop the target's processes, as a machine does that has no time for them."

        def says(self, params: PauseParams, target: str) -> str: ...
        async def prepare(self, params: PauseParams, ctx: FaultContext) -> PauseUndo: ...
        async def inject(self, params: PauseParams, undo: PauseUndo, ctx: FaultContext) -> InForce | None: ...
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
    """What is needed to take a fault back: plain JSON on disk. The target and its secrets are kept beside it."""


class FaultContext(Protocol):
    """What a fault may ask of the engine, or of the process that takes it back."""

    @property
    def id(self) -> str:
        """The name of this injection, unlike any other: for keys, files and arguments by which it is found again."""

    @property
    def target(self) -> Target:
        """The target that is disturbed; raises NotApplicable where it has none."""

    @property
    def clock(self) -> Clock:
        """The clock to wait with."""

    @property
    def limit_s(self) -> float:
        """Seconds after which the fault is taken back whatever happens; what expires by itself should do so then."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What lives in this process while the fault is in force; `revert` must not need it."""

    url: str | None = None
    """Where the target is reached meanwhile, if not at its own url: that of a proxy in front of it."""
    close: Callable[[], None] | None = None
    """Called after the fault was taken back: let go of pipes and children."""


class Disturbing(Protocol):
    """The methods of a fault. Each may raise XnaiError; what else they raise is told as a fault of the tool."""

    def says(self, params: Any, target: str) -> str:
        """A plain sentence of what it does to whom, which may be shown before it is done."""

    async def prepare(self, params: Any, ctx: FaultContext) -> Any:
        """All that `revert` will need, found out by reading only.

        Raises NotApplicable where it cannot be done here, Unmeasurable where it could not be undone.
        """

    async def inject(self, params: Any, undo: Any, ctx: FaultContext) -> InForce | None:
        """Put it in force; whatever happens in here or after it, `revert` follows."""

    async def revert(self, undo: Any, ctx: FaultContext) -> None:
        """Take it back; does no harm where it was never put in force, or was taken back before.

        May run in another process. Raises Gone where what was disturbed has ended, and the fault with it.
        """

    async def fingerprint(self, undo: Any, ctx: FaultContext) -> JsonValue:
        """What must be equal before and after; read again for a while after `revert`, until it is equal."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, with all that was read from its annotations."""

    name: str
    """`family.name`."""
    by: Disturbing = field(repr=False)
    params: type[Params]
    undo: type[Undo]
    doc: str
    """The docstring; its first line is a sentence a user reads."""
    limit_s: float
    """How long it may be in force at most."""
    grace_s: float
    """How long taking it back may take."""
    needs_target: bool
    extra: str | None
    """The optional dependency group that it needs, if any."""
    preload: Preload
    """Modules to import before the first check."""

    @property
    def family(self) -> str:
        """The module it lives in: `redis` of `redis.pause`."""
        return self.name.partition(".")[0]

    @property
    def title(self) -> str:
        """The first line of its documentation."""
        return self.doc.strip().partition("\n")[0].strip()


D = TypeVar("D", bound=Disturbing)


def fault(
    name: str,
    *,
    limit_s: float,
    grace_s: float = 5.0,
    target: bool = True,
    extra: str | None = None,
    preload: Preload = (),
) -> Callable[[type[D]], type[D]]:
    """Declare a class without arguments, whose methods are those of `Disturbing`, as the fault `name` (`family.name`).

    `limit_s`: how long it may be in force; `grace_s`: how long taking it back and proving it may take;
    `target=False`: needs no target. Raises TypeError where annotations or the docstring are missing.
    """

    def declare(cls: type[D]) -> type[D]:
        hints = get_type_hints(cls.prepare)
        params, undo = hints.get("params"), hints.get("return")
        if not (isinstance(params, type) and issubclass(params, Params)):
            raise TypeError(f"{name}: `params` of prepare must be annotated with a subclass of Params")
        if not (isinstance(undo, type) and issubclass(undo, Undo)):
            raise TypeError(f"{name}: the return annotation of prepare must be a subclass of Undo")
        doc = inspect.cleandoc(cls.__doc__ or "")
        if not doc:
            raise TypeError(f"{name}: the fault has no docstring; its first line is what a user reads")
        found = Fault(name, cls(), params, undo, doc, limit_s, grace_s, target, extra, preload)
        setattr(cls, FAULT_MARK, found)
        return cls

    return declare
