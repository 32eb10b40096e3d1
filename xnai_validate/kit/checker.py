"""Declaring a checker: params, facts and an async function that measures.

A checker returns facts and never decides; rules judge the facts::

    class Connect(Params):
        port: int | None = None

    class Connected(Facts):
        connected: bool
        error: ErrorKind | None
        connect_ms: Milliseconds | None

    @checker("tcp.connect", expect={"error": None})
    async def connect(params: Connect, ctx: Context) -> Connected:
        "Open a TCP connection and close it again."
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

from pydantic import JsonValue, ValidationError

from xnai_validate.errors import Unmeasurable
from xnai_validate.kit.context import Context
from xnai_validate.kit.params import FROM_FILE, Facts, Params
from xnai_validate.kit.waits import Inner, Waits
from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.fact_types import FactType, fact_types
from xnai_validate.model.target import Target

Measure = Callable[[Any, Context], Awaitable[Facts]]


@dataclass(frozen=True, slots=True)
class Checker:
    """The code of a kind of check, with everything that was read from its declaration."""

    kind: str
    measure: Measure = field(repr=False)
    params: type[Params]
    facts: type[Facts]
    expect: Mapping[str, JsonValue]
    """Rules that hold for every check of this kind unless it names the fact itself."""
    doc: str
    """The docstring; users read its first line."""
    needs_target: bool
    exclusive: bool
    """Whether no other check may run at the same time."""
    extra: str | None
    """The optional dependency group that it needs."""
    preload: Preload
    """Modules to import before the first check, so that loading them delays no measurement."""
    waits: WaitsOf | None
    """Returns the times of a measurement with given params; None if it is short."""
    notes: NotesOf | None = None
    """Returns what is noted for given params when a run begins; None if nothing is."""
    from_workers: bool = False
    """Whether it can be measured from workers, by its params and the description of its target alone."""

    @property
    def name(self) -> str:
        """The kind: checkers and faults are both registered by their name."""
        return self.kind

    @property
    def types(self) -> Mapping[str, FactType]:
        """Fact -> type, as rules see it. Raises TypeError for a type that rules do not support."""
        return fact_types(self.facts)

    @property
    def family(self) -> str:
        """The module that declares it: `tcp` of `tcp.connect`."""
        return self.kind.partition(".")[0]

    @property
    def title(self) -> str:
        """The first line of its documentation."""
        return self.doc.strip().partition("\n")[0].strip()

    def verify(self, raw: JsonObject) -> Params:
        """Verify params that become known during a run; raises Unmeasurable with the first error."""
        try:
            return self.params.model_validate(raw, context=FROM_FILE)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise Unmeasurable(f"{self.kind}: {f'{place}: ' if place else ''}{first['msg']}") from None


Preload = tuple[str, ...] | Callable[[Target | None], tuple[str, ...]]
"""Names of modules, or a function that returns them for the target of a check."""

WaitsOf = Callable[[Any, Inner], Waits]
"""Returns how long a measurement takes by its params; the second argument returns that of an observation in them."""

NotesOf = Callable[[Any], Mapping[Hashable, object]]
"""Returns what has to be known from the beginning of a run by its params: key -> value, for `Context.noted`."""

P = TypeVar("P", bound=Params)
F = TypeVar("F", bound=Facts)
MARK = "__xnai_checker__"


def checker(
    kind: str,
    *,
    expect: Mapping[str, JsonValue] | None = None,
    target: bool = True,
    exclusive: bool = False,
    extra: str | None = None,
    preload: Preload = (),
    waits: WaitsOf | None = None,
    notes: NotesOf | None = None,
    from_workers: bool = False,
) -> Callable[[Callable[[P, Context], Awaitable[F]]], Callable[[P, Context], Awaitable[F]]]:
    """Declare an async function `(params, ctx) -> facts` as the checker of `kind` (`family.name`).

    Raises TypeError if annotations or the docstring are missing.

    Args:
        kind: the name in suites.
        expect: rules that every check of the kind has, unless it names the fact itself.
        target: whether it needs a target.
        exclusive: whether no other check may run at the same time.
        extra: the optional dependency group that it needs.
        preload: modules to import before the first check, so that loading them delays no measurement; or a function
            that returns them for a target.
        waits: a function that returns how long a measurement takes by its params; by default it is short, and limited
            by the param `timeout` where that is given.
        notes: a function that is called with the params when a run begins, before any check: what it returns is found
            by `ctx.noted(key)`, such as the size that a log had then.
        from_workers: whether it can be measured from the workers of a run (`from` of a check): it only reads, and needs
            its params, the description of its target and the network, but no other target, no file, no process and no
            value of `ctx.shared` that another check has left.
    """

    def declare(measure: Callable[[P, Context], Awaitable[F]]) -> Callable[[P, Context], Awaitable[F]]:
        """Verify the annotations of the function and attach its `Checker`. Raises TypeError."""
        hints = get_type_hints(measure)
        params, facts = hints.get("params"), hints.get("return")
        if not (isinstance(params, type) and issubclass(params, Params)):
            raise TypeError(f"{kind}: the first parameter must be `params`, annotated with a subclass of Params")
        if not (isinstance(facts, type) and issubclass(facts, Facts)):
            raise TypeError(f"{kind}: the return annotation must be a subclass of Facts")
        doc = inspect.getdoc(measure) or ""
        if not doc:
            raise TypeError(f"{kind}: the checker has no docstring; its first line is what a user reads")
        declared = Checker(
            kind,
            measure,
            params,
            facts,
            dict(expect or {}),
            doc,
            target,
            exclusive,
            extra,
            preload,
            waits,
            notes,
            from_workers,
        )
        setattr(measure, MARK, declared)
        return measure

    return declare
