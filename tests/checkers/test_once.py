"""A measurement that many checks share is made once, whatever comes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.context import check_context
from xnai_validate.checkers._once import once
from xnai_validate.engine.attempts.context import CheckContext
from xnai_validate.kit import Params, Target, Unmeasurable

SERVER = Target("server", "tcp://127.0.0.1:9")


class Settings(Params):
    """The params of a check."""

    name: str = "a"


def again(ctx: CheckContext) -> CheckContext:
    """The context of the next identical check."""
    return replace(ctx, moved={}, active_faults=[], stages=[])


def test_a_drive_that_failed_is_shared_as_a_result_is() -> None:
    """The error of the first check is raised for the others at once; a second attempt of one measures anew."""
    drives = 0

    async def drive() -> int:
        nonlocal drives
        drives += 1
        raise Unmeasurable("the valve is stuck")

    async def scene() -> list[int]:
        counts = []
        async with check_context("tcp.connect", SERVER) as first:
            for ctx in (first, again(first), again(first), first):
                with pytest.raises(Unmeasurable, match="the valve is stuck"):
                    await once("drive", Settings(), ctx, drive)
                counts.append(drives)
        return counts

    assert asyncio.run(scene()) == [1, 1, 1, 2]


def test_a_drive_that_was_cut_off_is_not_begun_anew_by_each_check() -> None:
    """After one was ended by the time limit of its check, identical checks report that, with the stage it was at."""
    drives = 0

    async def drive() -> int:
        nonlocal drives
        drives += 1
        await asyncio.sleep(60)
        return 1

    async def scene() -> None:
        async with check_context("tcp.connect", SERVER, timeout_s=7.0) as first:
            first.progress("opening the valve")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await once("drive", Settings(), first, drive)
            with pytest.raises(Unmeasurable, match="cut off after 7 s, which was at: opening the valve"):
                await once("drive", Settings(), again(first), drive)

    asyncio.run(scene())
    assert drives == 1
