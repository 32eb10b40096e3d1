"""A family of checkers for tests of loading: facts of every type, params of every sort; none is ever measured."""

from __future__ import annotations

from typing import Annotated, Literal

from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    ErrorKind,
    Facts,
    FaultEntry,
    Field,
    Headers,
    Json,
    Milliseconds,
    Observation,
    Params,
    Ratio,
    Size,
    checker,
)


class Ask(Params):
    """Something to ask."""

    path: str
    """Where."""
    times: Annotated[int, Field(ge=1, le=10)] = 1
    mode: Literal["plain", "loud"] = "plain"
    timeout: Duration = 5.0
    cap: Size = 1024
    headers: dict[str, str] = Field(default_factory=dict)
    json_: Json = Field(None, alias="json")
    port: int | str | None = None


class Answer(Facts):
    """An answer."""

    error: ErrorKind | None
    status: Count | None
    total_ms: Milliseconds
    error_ratio: Ratio
    text: str
    mode: Literal["plain", "loud"]
    open_: bool = Field(alias="open")
    items: list[str]
    headers: Headers
    body: Json


class Watch(Params):
    """Something to read before and after."""

    read: Observation
    fact: str


class Compare(Params):
    """Something to do, and what to watch meanwhile."""

    during: list[Observation] = Field(default_factory=list)
    watch: dict[str, Watch] = Field(default_factory=dict)


class Disturb(Params):
    """The fault to inject."""

    one: FaultEntry | None = None
    list_: list[FaultEntry] = Field(default_factory=list, alias="list")


class Compared(Facts):
    """What moved."""

    moved: dict[str, float]


class NoParams(Params):
    """No params."""


class Load(Facts):
    """The machine's load."""

    load: float


@checker("toy.ask", expect={"error": None, "status": 200})
async def ask(params: Ask, ctx: Context) -> Answer:
    """Ask for an answer."""
    raise NotImplementedError


@checker("toy.compare", exclusive=True)
async def compare(params: Compare, ctx: Context) -> Compared:
    """Compare before and after."""
    raise NotImplementedError


@checker("toy.disturb")
async def disturb(params: Disturb, ctx: Context) -> Compared:
    """Disturb, and compare."""
    raise NotImplementedError


@checker("toy.load", target=False)
async def load(params: NoParams, ctx: Context) -> Load:
    """Measure the machine's load."""
    raise NotImplementedError
