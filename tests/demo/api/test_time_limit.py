"""The time limit of the application's calls, on a quiet machine and on one that has no processor for a while."""

from __future__ import annotations

import asyncio
import time

import pytest

from xnai_validate.demo.api.time_limit import time_limit


def test_what_takes_longer_is_ended() -> None:
    """The block is cancelled, and the time-out raised where the limit was set."""

    async def wait() -> None:
        async with time_limit(0.05):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        asyncio.run(wait())


def test_time_without_a_processor_is_not_counted() -> None:
    """An answer that has come while the process stood still, for longer than the limit, is read."""

    async def wait() -> str:
        answer = asyncio.get_running_loop().create_future()
        async with time_limit(0.2):
            asyncio.get_running_loop().call_later(0.15, answer.set_result, "an answer")
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(time.sleep, 0.5)
            await asyncio.sleep(0)
            return str(await answer)

    assert asyncio.run(wait()) == "an answer"


def test_the_limit_ends_with_its_block() -> None:
    """What comes after the block may take longer, and a block within one has the shorter limit."""

    async def wait() -> bool:
        async with time_limit(10):
            with pytest.raises(TimeoutError):
                async with time_limit(0.02):
                    await asyncio.Event().wait()
            async with time_limit(0.02):
                pass
            await asyncio.sleep(0.06)
        return True

    assert asyncio.run(wait())
