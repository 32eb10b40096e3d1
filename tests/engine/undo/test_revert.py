"""A fault that was reverted is proven by readings, which become rarer while they differ from the one before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tests.engine.clock import VirtualClock, run_virtual
from xnai_validate.engine.undo.revert import revert


@dataclass(frozen=True, slots=True)
class Stuck:
    """The methods of a fault whose revert changes nothing."""

    clock: VirtualClock
    read_at: list[float] = field(default_factory=list)

    async def revert(self, undo: object, ctx: object) -> None:
        """Change nothing."""

    async def fingerprint(self, undo: object, ctx: object) -> str:
        """Return another state than before."""
        self.read_at.append(self.clock.monotonic())
        return "down"


def test_what_stays_away_is_read_less_and_less_often() -> None:
    """At first twenty times a second, after half a minute twice, and once more when the time is over."""
    clock = VirtualClock()
    stuck = Stuck(clock)
    fault: Any = SimpleNamespace(methods=stuck, grace_s=60.0)
    ctx: Any = SimpleNamespace(clock=clock)
    undo: Any = None
    proof = run_virtual(revert(fault, undo, "up", ctx, asyncio.Event()))
    assert (proof.proven, proof.why) == (False, 'before it was "up", now it is "down"')
    first, last = stuck.read_at[1] - stuck.read_at[0], stuck.read_at[-1] - stuck.read_at[-2]
    assert [first, last] == pytest.approx([0.05, 0.5])
    assert stuck.read_at[-1] - stuck.read_at[0] >= 60
