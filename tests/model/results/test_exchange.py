"""Which exchanges a report shows: those whose result did not hold, else the last ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from xnai_validate.model.results.exchange import KEPT, RECORDER, Exchange, recorder


@dataclass
class Asked:
    """An exchange that is known by its request."""

    request: str

    def exchange(self) -> Exchange:
        return Exchange(protocol="http", request=self.request)


def requests(kept: tuple[Exchange, ...]) -> list[str]:
    return [exchange.request for exchange in kept]


def test_the_last_ones_are_kept() -> None:
    """Of many exchanges none of which was marked, the last ones remain, in their order."""
    with recorder() as made:
        for number in range(KEPT + 4):
            RECORDER.get().append(Asked(str(number)))
    assert requests(made.exchanges()) == [str(number) for number in range(4, KEPT + 4)]


def test_marked_ones_come_before_later_ones() -> None:
    """An exchange whose result did not hold is shown although others that held came after it."""
    with recorder() as made:
        RECORDER.get().append(Asked("good"))
        RECORDER.get().append(Asked("bad"))
        RECORDER.get().mark()
        RECORDER.get().mark()
        for _ in range(KEPT):
            RECORDER.get().append(Asked("later"))
    assert requests(made.exchanges()) == ["bad"]


def test_tasks_of_a_measurement_record_into_it() -> None:
    """Each measurement keeps its own exchanges, also those of the tasks that it creates, and none of another."""

    async def measure(name: str) -> list[str]:
        with recorder() as made:
            await asyncio.gather(asyncio.create_task(ask(f"{name} 1")), asyncio.create_task(ask(f"{name} 2")))
        return sorted(requests(made.exchanges()))

    async def ask(request: str) -> None:
        await asyncio.sleep(0)
        RECORDER.get().append(Asked(request))

    async def both() -> list[list[str]]:
        return list(await asyncio.gather(measure("a"), measure("b")))

    assert asyncio.run(both()) == [["a 1", "a 2"], ["b 1", "b 2"]]


def test_outside_of_a_measurement_nothing_is_kept() -> None:
    """A request between two checks, such as a probe of a target, belongs to neither."""
    with recorder() as made:
        pass
    RECORDER.get().append(Asked("a probe"))
    RECORDER.get().mark()
    assert made.exchanges() == ()
