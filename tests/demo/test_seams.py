"""Seams: functions that run as written, unless a wrapper is active."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from xnai_validate.demo.seams import activated, seam


@seam
def doubled(number: int) -> int:
    """Twice a number."""
    return 2 * number


@seam
async def doubled_later(number: int) -> int:
    """Twice a number, as a coroutine."""
    return 2 * number


class Counter:
    """A class with seams."""

    def __init__(self) -> None:
        self.count = 0

    @seam
    def add(self, number: int = 1) -> int:
        """Count."""
        self.count += number
        return self.count

    @seam
    @asynccontextmanager
    async def counting(self) -> AsyncIterator[int]:
        """Count for the time of the block."""
        self.count += 1
        yield self.count
        self.count -= 1


def plus_one(original: Callable[[int], int], /, number: int) -> int:
    """A wrapper of `doubled`."""
    return original(number) + 1


def squared(original: Callable[[int], int], /, number: int) -> int:
    """Another wrapper of `doubled`."""
    return int(original(number) ** 2)


def test_without_a_wrapper_a_seam_runs_as_written() -> None:
    """Results, coroutine-ness, names and documentation are those of the function."""
    assert doubled(2) == 4
    assert asyncio.run(doubled_later(2)) == 4
    assert inspect.iscoroutinefunction(doubled_later)
    assert not inspect.iscoroutinefunction(doubled)
    assert (doubled.__name__, doubled.__doc__) == ("doubled", "Twice a number.")


def test_a_wrapper_is_in_force_inside_the_block_only() -> None:
    """The wrapper gets the original and the arguments; after the block the seam runs as written."""
    with activated([(doubled, plus_one)]):
        assert doubled(2) == 5
    assert doubled(2) == 4


def test_the_first_of_several_wrappers_is_the_innermost() -> None:
    """Wrappers of one seam are nested in the order in which they are given."""
    with activated([(doubled, plus_one), (doubled, squared)]):
        assert doubled(2) == 25
    with activated([(doubled, squared), (doubled, plus_one)]):
        assert doubled(2) == 17


def test_methods_and_context_managers_are_wrapped_too() -> None:
    """A wrapper of a method gets the object after the original; a context manager is wrapped by another."""

    def add_ten(original: Callable[..., int], /, self: Counter, number: int = 1) -> int:
        return original(self, 10 * number)

    @asynccontextmanager
    async def count_twice(original: Callable[..., object], /, self: Counter) -> AsyncIterator[int]:
        self.count += 1
        async with original(self) as count:  # type: ignore[attr-defined]
            yield count
        self.count -= 1

    async def count() -> int:
        async with Counter().counting() as number:
            return number

    with activated([(Counter.add, add_ten), (Counter.counting, count_twice)]):
        assert Counter().add(number=2) == 20
        assert asyncio.run(count()) == 2


def test_side_by_side_tasks_have_their_own_wrappers() -> None:
    """Two stacks in one process can have different defects: a task keeps the wrappers it was started with."""

    async def both() -> list[int]:
        async def later() -> int:
            await asyncio.sleep(0.01)
            return doubled(2)

        with activated([(doubled, plus_one)]):
            wrapped = asyncio.create_task(later())
        plain = asyncio.create_task(later())
        return [await wrapped, await plain, await asyncio.to_thread(doubled, 2)]

    assert asyncio.run(both()) == [5, 4, 4]


def test_forked_processes_and_threads_of_asyncio_inherit_the_wrappers() -> None:
    """A part that is forked while a wrapper is active has it, as has a thread that a task starts."""
    with activated([(doubled, plus_one)]):
        assert asyncio.run(asyncio.to_thread(doubled, 2)) == 5
        pid = os.fork()
        if pid == 0:
            os._exit(doubled(2))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
