"""Work that must reach its end, whatever becomes of the task that waits for it."""

from __future__ import annotations

import asyncio

import pytest

from xnai_validate.kit import uninterrupted


def test_a_cancellation_is_raised_after_the_work() -> None:
    """A task that is cancelled twice while it waits ends as cancelled, once the work is done."""
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append("work")

    async def main() -> None:
        waiting = asyncio.create_task(uninterrupted(work()))
        for _ in range(2):
            await asyncio.sleep(0.01)
            waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert done == ["work"]

    asyncio.run(main())


def test_the_result_and_the_error_of_the_work_are_those_of_the_call() -> None:
    """Without a cancellation the call is the work; an error of the work is raised also instead of a cancellation."""

    async def fail() -> None:
        await asyncio.sleep(0.02)
        raise ValueError("it failed")

    async def main() -> None:
        assert await uninterrupted(asyncio.sleep(0, "result")) == "result"
        waiting = asyncio.create_task(uninterrupted(fail()))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(ValueError, match="it failed"):
            await waiting

    asyncio.run(main())
