"""What checks share: opened once, closed in the reverse order, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.engine.clock import run_virtual
from xnai_validate.engine.attempts.shared import CANCELLED_S, CLOSE_S, Shared


class Log:
    """Resources that write down when they are opened and closed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.tasks: dict[str, set[object]] = {}

    def resource(
        self, name: str, *, opens_s: float = 0.0, closes_s: float = 0.0, error: Exception | None = None
    ) -> Callable[[], AbstractAsyncContextManager[str]]:
        @asynccontextmanager
        async def open_() -> AsyncIterator[str]:
            self.tasks[name] = {asyncio.current_task()}
            await asyncio.sleep(opens_s)
            self.lines.append(f"open {name}")
            try:
                yield name
            finally:
                self.tasks[name].add(asyncio.current_task())
                await asyncio.sleep(closes_s)
                self.lines.append(f"close {name}")
                if error is not None:
                    raise error

        return open_


def test_many_ask_and_one_opens() -> None:
    """Those who ask while it is being opened get the same value; it is entered and left in one task."""
    log = Log()

    async def main() -> None:
        shared = Shared(log.warnings.append)
        values = await asyncio.gather(*(shared.get("a", log.resource("a", opens_s=1.0)) for _ in range(50)))
        assert values == ["a"] * 50
        assert await shared.get("a", log.resource("other")) == "a"
        await shared.close()

    run_virtual(main())
    assert log.lines == ["open a", "close a"]
    assert len(log.tasks["a"]) == 1


def test_closing_goes_backwards_and_on_after_an_error() -> None:
    """Last opened, first closed; one that raises is reported and stops none of the others."""
    log = Log()

    async def main() -> None:
        shared = Shared(log.warnings.append)
        await shared.get(("http", "a"), log.resource("a"))
        await shared.get(("redis", "b"), log.resource("b", error=OSError("went away")))
        await shared.get(("http", "c"), log.resource("c", error=ValueError("odd")))
        await shared.close()

    run_virtual(main())
    assert log.lines[3:] == ["close c", "close b", "close a"]
    assert log.warnings == [
        "what checks of http share could not be closed: ValueError: odd",
        "what checks of redis share could not be closed: OSError: went away",
    ]


def test_what_needs_another_is_closed_before_it() -> None:
    """The order is that of being open, not of being asked for."""
    log = Log()

    async def main() -> None:
        shared = Shared(log.warnings.append)

        @asynccontextmanager
        async def outer() -> AsyncIterator[str]:
            async with log.resource("outer")():
                await shared.get("inner", log.resource("inner", opens_s=1.0))
                yield "outer"

        await shared.get("outer", outer)
        await shared.close()

    run_virtual(main())
    assert log.lines[-2:] == ["close outer", "close inner"]


def test_a_failed_opening_is_raised_to_all_and_may_be_retried() -> None:
    """All who wait get the exception; the next who asks opens anew."""
    log = Log()

    async def main() -> None:
        shared = Shared(log.warnings.append)

        @asynccontextmanager
        async def fails() -> AsyncIterator[str]:
            await asyncio.sleep(1.0)
            raise OSError("refused")
            yield "never"

        found = await asyncio.gather(*(shared.get("a", fails) for _ in range(3)), return_exceptions=True)
        assert [str(error) for error in found] == ["refused"] * 3
        assert await shared.get("a", log.resource("a")) == "a"
        await shared.close()

    run_virtual(main())
    assert log.lines == ["open a", "close a"]


def test_cancelling_one_waiter_does_not_disturb_the_others() -> None:
    """The opening belongs to the run, not to the check that asked first."""
    log = Log()

    async def main() -> None:
        shared = Shared(log.warnings.append)
        first = asyncio.create_task(shared.get("a", log.resource("a", opens_s=2.0)))
        second = asyncio.create_task(shared.get("a", log.resource("b")))
        await asyncio.sleep(1.0)
        first.cancel()
        assert await second == "a"
        with pytest.raises(asyncio.CancelledError):
            await first
        await shared.close()

    run_virtual(main())
    assert log.lines == ["open a", "close a"]


def test_closing_does_not_wait_for_ever() -> None:
    """A late close is cancelled with a notice; hurry shortens the time; an unfinished opening is dropped."""
    log = Log()

    async def main() -> tuple[float, float]:
        loop, took = asyncio.get_running_loop(), []
        for hurrying in (False, True):
            shared = Shared(log.warnings.append)
            await shared.get(("slow", 1), log.resource("slow", closes_s=1000.0))
            opening = asyncio.create_task(shared.get("opening", log.resource("opening", opens_s=1000.0)))
            await asyncio.sleep(0.1)
            begun = loop.time()
            if hurrying:
                loop.call_later(0.5, shared.cut_grace_short)
            await shared.close()
            took.append(loop.time() - begun)
            await asyncio.gather(opening, return_exceptions=True)
        return took[0], took[1]

    patient, hurried = run_virtual(main())
    assert patient == pytest.approx(CLOSE_S, abs=CANCELLED_S)
    assert hurried == pytest.approx(0.5, abs=0.1)
    assert log.warnings == ["what checks of slow share did not close in time"] * 2
    assert log.lines == ["open slow", "open slow"]
