"""What the author of a checker writes: params, facts and an async function; and what it may ask of the engine.

A checker measures and returns facts; rules judge them elsewhere::

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
import json
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Protocol, TypeVar, get_type_hints

from xnai_validate.errors import NotApplicable, Unmeasurable, XnaiError
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.json import Json, JsonObject, JsonValue, bounded
from xnai_validate.model.judging.fact_types import FactType, IgnoreCase, Whole, fact_types
from xnai_validate.model.judging.references import filled, is_template, references
from xnai_validate.model.judging.rules import Finding
from xnai_validate.model.marks import (
    AfterValidator,
    BeforeValidator,
    Field,
    Ge,
    Gt,
    Le,
    Len,
    Lt,
    MinLen,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from xnai_validate.model.record import Record, errors_of
from xnai_validate.model.target import Target, Tls
from xnai_validate.model.units import duration_s, size_bytes

__all__ = [
    "AfterValidator", "BeforeValidator", "Bytes", "Checker", "Clock", "Context", "Count", "Disturbance", "Duration",
    "ErrorKind", "Facts", "Field", "Finding", "Ge", "Gt", "Headers", "Json", "JsonObject", "JsonValue", "Le", "Len",
    "Lt", "Mebibytes", "Milliseconds", "MinLen", "NotApplicable", "Observation", "Observed", "Params", "Percent",
    "Preload", "Ratio", "Seconds", "Size", "Target", "Template", "Tls", "Unmeasurable", "Whole", "XnaiError", "bounded",
    "checker", "field_validator", "model_validator",
]  # fmt: skip

# Facts: what a number is, said in its annotation; the unit stands at the end of the fact's name.
Count = Annotated[int, Ge(0)]
Milliseconds = Annotated[float, Ge(0)]
Seconds = Annotated[float, Ge(0)]
Bytes = Annotated[int, Ge(0)]
Mebibytes = Annotated[float, Ge(0)]
Ratio = Annotated[float, Ge(0), Le(1)]
Percent = Annotated[float, Ge(0)]
Headers = Annotated[dict[str, str], IgnoreCase()]
"""Names in lower case; several of one name are joined by a comma and a space."""

# Params: quantities as people write them.
Duration = Annotated[
    float,
    BeforeValidator(lambda v, info: duration_s(v) if isinstance(v, str) else _refuse_bare(v, info)),
    Ge(0),
    WithJsonSchema({"type": "string", "pattern": r"^(\s*[0-9]+(\.[0-9]+)?\s*(us|ms|s|min|m|h|d))+\s*$"}),
]
"""Seconds, written with a unit: `500ms`, `2s`, `1m30s`."""
Size = Annotated[
    int,
    BeforeValidator(lambda v: size_bytes(v) if isinstance(v, str) else v),
    Ge(0),
    WithJsonSchema(
        {"type": ["integer", "string"], "minimum": 0, "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[KMGkmg]?i?[Bb]\s*$"}
    ),
]
"""Bytes, written as a number or with a unit: `64KiB`, `10MB`."""


WRITTEN = "written by a person"
"""The validation context of params that come from a file: there a duration carries its unit."""


def _refuse_bare(value: object, info: ValidationInfo) -> object:
    bare = isinstance(value, int) or (info.context == WRITTEN and isinstance(value, float))
    if bare and not isinstance(value, bool):
        raise ValueError(f"a duration carries a unit: {value}s or {value}ms")
    return value  # floats come from code, where seconds are seconds


class Params(Record, by_name=True):
    """The `with:` of a check: frozen, unknown keys refused."""


class Facts(Record, by_name=True):
    """What a checker measured: frozen; every number carries its unit in its name."""


class Observation(Params):
    """A measurement inside another check: its kind, target and parameters are verified when the profile is loaded."""

    kind: str
    """A kind of check, as in a suite."""
    target: str | None = None
    """The target of the measurement; by default that of the check it stands in."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The parameters of the kind."""
    expect: JsonObject | None = None
    """What must hold of its facts, besides what the kind expects by itself."""

    @cached_property
    def key(self) -> str:
        """The identity of the observation: equal observations have equal keys."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)

    @property
    def facts_read(self) -> Mapping[tuple[str, ...], str]:
        """The facts of the kind that are read besides its rules: where each is named below this one -> its name."""
        return {}


class Template(Observation):
    """An observation in whose `with` and `expect` `{{name}}` stands for what is known only when it is made."""

    @cached_property
    def references(self) -> tuple[str, ...]:
        """The names that it refers to."""
        return references([self.with_, self.expect])

    @cached_property
    def is_template(self) -> bool:
        """Whether it differs from what it will be when it is made."""
        return is_template([self.with_, self.expect])

    def filled(self, values: Mapping[str, JsonValue]) -> Observation:
        """The observation as it is made with these values; raises KeyError where one is missing."""
        raw = {"kind": self.kind, "target": self.target, "with": filled(self.with_, values)}
        return Observation.model_validate({**raw, "expect": filled(self.expect, values)})


class Disturbance(Params):
    """A fault that is in force for a while: verified when the profile is loaded, always taken back."""

    fault: str
    """A fault such as `redis.pause`; `xnai-validate list faults` has them all."""
    target: str | None = None
    """What is disturbed; by default the target of the check it stands in."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The parameters of the fault."""

    @cached_property
    def key(self) -> str:
        """The identity of the disturbance: equal disturbances have equal keys."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Observed:
    """What an observation measured, and its rules judged."""

    facts: Mapping[str, Any]
    """Fact name -> value."""
    findings: tuple[Finding, ...]

    @property
    def held(self) -> bool:
        """Whether every rule holds."""
        return all(finding.held for finding in self.findings)


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

    def disturbed(self, disturbance: Disturbance) -> AbstractAsyncContextManager[None]:
        """A context in which a disturbance that stands in the check's params is in force.

        On entering, its undo record is on disk before it is injected; on leaving, whatever the reason, it is taken back
        and that is proven. Raises NotApplicable or Unmeasurable where it cannot be injected: then nothing was touched.
        A check whose params hold a disturbance runs alone, and only where `disruptive` is allowed.
        """

    @property
    def in_force(self) -> Sequence[str]:
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


Measure = Callable[[Any, Context], Awaitable[Facts]]


@dataclass(frozen=True, slots=True)
class Checker:
    """The code of a kind of check, with all that was read from its annotations."""

    kind: str
    measure: Measure = field(repr=False)
    params: type[Params]
    facts: type[Facts]
    expect: Mapping[str, JsonValue]
    """Rules that hold for every check of this kind unless it names the fact itself."""
    doc: str
    """The docstring; its first line is a sentence a user reads."""
    needs_target: bool
    exclusive: bool
    """Whether nothing else may run meanwhile."""
    extra: str | None
    """The optional dependency group that it needs, if any."""
    preload: Preload
    """Modules to import before the first check, so that loading them delays no measurement."""

    @property
    def name(self) -> str:
        """The kind: checkers and faults are both registered by their name."""
        return self.kind

    @property
    def types(self) -> Mapping[str, FactType]:
        """What each fact is, as rules see it. Raises TypeError for one that rules cannot speak about."""
        return fact_types(self.facts)

    @property
    def family(self) -> str:
        """The module it lives in: `tcp` of `tcp.connect`."""
        return self.kind.partition(".")[0]

    @property
    def title(self) -> str:
        """The first line of its documentation."""
        return self.doc.strip().partition("\n")[0].strip()

    def verified(self, raw: JsonObject) -> Params:
        """Params that are known only now; raises Unmeasurable, which says what is wrong with them."""
        try:
            return self.params.model_validate(raw, context=WRITTEN)
        except ValueError as error:
            first = errors_of(error)[0]
            place = ".".join(map(str, first["loc"]))
            raise Unmeasurable(f"{self.kind}: {f'{place}: ' if place else ''}{first['msg']}") from None


Preload = tuple[str, ...] | Callable[[Target | None], tuple[str, ...]]
"""Names of modules, or what tells them for the target of a check."""

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
) -> Callable[[Callable[[P, Context], Awaitable[F]]], Callable[[P, Context], Awaitable[F]]]:
    """Declare an async function `(params, ctx) -> facts` as the checker of `kind` (`family.name`).

    `expect`: rules that every check of the kind has unless it names the fact itself; `target=False`: needs no target.
    `preload`: modules that are imported before the first check, since loading them takes long; a function says which
    they are for a target.
    `extra`: the optional dependency group that is needed. Raises TypeError where annotations are missing.
    """

    def declare(measure: Callable[[P, Context], Awaitable[F]]) -> Callable[[P, Context], Awaitable[F]]:
        hints = get_type_hints(measure)
        params, facts = hints.get("params"), hints.get("return")
        if not (isinstance(params, type) and issubclass(params, Params)):
            raise TypeError(f"{kind}: the first parameter must be `params`, annotated with a subclass of Params")
        if not (isinstance(facts, type) and issubclass(facts, Facts)):
            raise TypeError(f"{kind}: the return annotation must be a subclass of Facts")
        doc = inspect.getdoc(measure) or ""
        if not doc:
            raise TypeError(f"{kind}: the checker has no docstring; its first line is what a user reads")
        found = Checker(kind, measure, params, facts, dict(expect or {}), doc, target, exclusive, extra, preload)
        setattr(measure, MARK, found)
        return measure

    return declare
