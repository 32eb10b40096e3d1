"""A family of checkers for tests of checks made of others: counters that can be moved and read."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from importlib.metadata import EntryPoint

import pytest

from xnai_validate import registry
from xnai_validate.kit import Context, Count, Facts, JsonValue, NotApplicable, Params, checker

COUNTERS: defaultdict[str, float] = defaultdict(float)
WAITING: list[asyncio.Event] = []
READS: list[str] = []
"""The texts of all measurements of `counting.read`."""


class AddParams(Params):
    """What is added to which counter."""

    counter: str = "calls"
    by: float = 1
    gather: int = 0
    """Wait until that many are under way at once."""
    turns: int = 0
    """Let all else that is due run so many times first."""
    missing: bool = False
    """Raise that the counter does not exist on this stack."""


class Added(Facts):
    """What came of it."""

    ok: bool
    target: str


class ReadParams(Params):
    """Which facts are given."""

    broken: bool = False
    text: str | None = None


class Read(Facts):
    """The counters in every shape that a fact may have."""

    ok: bool
    calls: float
    total: Count | None
    by_name: dict[str, float]
    document: JsonValue
    text: str | None


@checker("counting.add", expect={"ok": True}, target=False)
async def add(params: AddParams, ctx: Context) -> Added:
    """Add to a counter."""
    if params.missing:
        raise NotApplicable("there is nothing to count here")
    if params.gather:
        mine = asyncio.Event()
        WAITING.append(mine)
        if len(WAITING) >= params.gather:
            for event in WAITING:
                event.set()
        await asyncio.wait_for(mine.wait(), 10)
    for _ in range(params.turns):
        await asyncio.sleep(0)
    COUNTERS[params.counter] += params.by
    return Added(ok=params.by >= 0, target=ctx.target.name)


@checker("counting.read", expect={"ok": True}, target=False)
async def read(params: ReadParams, ctx: Context) -> Read:
    """Read the counters."""
    READS.append(params.text or "")
    counters = dict(COUNTERS)
    return Read(
        ok=not params.broken,
        calls=COUNTERS["calls"],
        total=None,
        by_name=counters,
        document={"samples": [{"name": name, "value": value} for name, value in counters.items()], "text": "n/a"},
        text=params.text,
    )


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the family known, as a package would that brings one, and start from nothing."""
    entry = EntryPoint("counting", "tests.checkers.counting", registry.CHECKERS.group)
    monkeypatch.setattr(registry.CHECKERS, "entry_points", lambda: (entry,))
    registry.CHECKERS.forget()
    COUNTERS.clear()
    WAITING.clear()
    READS.clear()
