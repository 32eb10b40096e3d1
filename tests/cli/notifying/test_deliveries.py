"""Deliveries: in order, each once, with bounded retries, never in the way of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

import pytest

from xnai_validate.cli.notifying import deliveries as module
from xnai_validate.cli.notifying.deliveries import BACKLOG, Deliveries, Delivery, NotDelivered


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short pauses between attempts."""
    monkeypatch.setattr(module, "PAUSES_S", (0.01, 0.02))


def hanging_until(event: Event) -> Callable[[], None]:
    """Return a receiver that answers when the event is set."""

    def hang() -> None:
        event.wait(30)

    return hang


class Flaky:
    """A receiver that refuses its first messages."""

    def __init__(self, refusals: int, *, final: bool = False) -> None:
        self.refusals, self.final = refusals, final
        self.attempts = 0

    def __call__(self) -> None:
        self.attempts += 1
        if self.attempts <= self.refusals:
            raise NotDelivered("refused", final=self.final)


@pytest.mark.parametrize(
    ("refusals", "final", "retried", "attempts", "failures"),
    [
        (0, False, True, 1, 0),
        (2, False, True, 3, 0),
        (9, False, True, 3, 1),
        (9, True, True, 1, 1),
        (9, False, False, 1, 1),
    ],
)
def test_attempts_are_bounded(refusals: int, final: bool, retried: bool, attempts: int, failures: int) -> None:
    """Three attempts at most, one where another cannot help; a failure is reported once, with the receiver's name."""
    running, receiver = Deliveries(), Flaky(refusals, final=final)
    running.put(Delivery("--ping x", receiver, retried))
    running.close(5)
    assert receiver.attempts == attempts
    assert running.failures() == ["--ping x: refused"] * failures
    assert running.failures() == []


def test_a_receiver_that_hangs_ends_no_later_than_the_bound() -> None:
    """Closing waits for at most the given time, and what is left is a failure."""
    running, never = Deliveries(), Event()
    running.put(Delivery("--notify x", hanging_until(never)))
    begun = time.monotonic()
    running.close(0.2)
    assert time.monotonic() - begun < 2
    assert running.failures() == ["messages were not delivered within 0.2 s"]
    never.set()


def test_the_backlog_is_bounded() -> None:
    """While a receiver hangs, at most BACKLOG messages wait; those beyond are failures."""
    running, never, order = Deliveries(), Event(), list[int]()
    running.put(Delivery("--notify x", hanging_until(never)))
    time.sleep(0.1)  # the first one has left the queue
    for number in range(BACKLOG + 2):
        running.put(Delivery("--notify x", lambda number=number: order.append(number)))  # type: ignore[misc]
    assert running.failures() == [f"--notify x: {BACKLOG} messages wait already"] * 2
    never.set()
    running.close(10)
    assert order == list(range(BACKLOG))


def test_an_error_of_another_kind_is_a_failure_and_later_messages_are_delivered() -> None:
    """A plugin or a proxy may raise anything; its words are not shown, for they may hold the url."""

    def broken() -> None:
        raise ValueError("https://user:secret@proxy")

    running, receiver = Deliveries(), Flaky(0)
    running.put(Delivery("--notify x", broken, True))
    running.put(Delivery("--ping x", receiver, True))
    running.close(5)
    assert receiver.attempts == 1
    assert running.failures() == ["--notify x: ValueError"]
