"""Deliveries in a thread of their own, with bounded retries, so that no run waits for the receiver of a message."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread

from xnai_validate.model.text import printable

BACKLOG = 100
"""Messages that wait; further ones are dropped, and counted as failures."""
PAUSES_S = (1.0, 4.0)
"""The pauses before the second and the third attempt."""
FAILURES_KEPT = 10


class NotDelivered(Exception):
    """A message was not accepted."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        """`final`: another attempt would not change that."""
        super().__init__(reason)
        self.reason = reason
        self.final = final


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way."""

    name: str
    """The option and the receiver, without secrets: `--ping https://hc-ping.com`."""
    send: Callable[[], None]
    """Sends it once. Raises NotDelivered."""
    retried: bool = True


class Deliveries:
    """Delivers messages in their order, each once; a failed attempt is repeated after each of `PAUSES_S`."""

    def __init__(self) -> None:
        self._queue: Queue[Delivery | None] = Queue(BACKLOG)
        self._failures: deque[str] = deque(maxlen=FAILURES_KEPT)
        self._hurried = Event()
        # A daemon: a receiver that never answers must not keep the process from ending.
        self._thread = Thread(target=self._deliver_all, name="deliveries", daemon=True)
        self._thread.start()

    def put(self, delivery: Delivery) -> None:
        """Deliver a message soon."""
        try:
            self._queue.put_nowait(delivery)
        except Full:
            self._failures.append(f"{delivery.name}: {BACKLOG} messages wait already")

    def failures(self) -> list[str]:
        """Return a sentence for each message that could not be delivered since the last call, at most ten."""
        return [self._failures.popleft() for _ in range(len(self._failures))]

    def close(self, within_s: float) -> None:
        """Deliver what waits, for at most `within_s` seconds; what is left then is a failure."""
        end = time.monotonic() + within_s
        with suppress(Full):
            self._queue.put(None, timeout=within_s)
        self._thread.join(max(0.0, end - time.monotonic()))
        self._hurried.set()
        if self._thread.is_alive():
            self._failures.append(f"messages were not delivered within {within_s:g} s")

    def _deliver_all(self) -> None:
        """Deliver what is queued until the end is queued, or the time for the rest is over."""
        while not self._hurried.is_set():
            try:
                delivery = self._queue.get(timeout=1.0)
            except Empty:
                continue
            if delivery is None:
                return
            self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        """Deliver one message; try again after each pause, and note the failure if all fail."""
        pauses = list(PAUSES_S) if delivery.retried else []
        while True:
            try:
                delivery.send()
                return
            except NotDelivered as error:
                if error.final or not pauses:
                    self._failures.append(printable(f"{delivery.name}: {error.reason}"[:300]))
                    return
            except Exception as error:  # noqa: BLE001 - a proxy, a file of certificates or a service's plugin may raise anything
                self._failures.append(f"{delivery.name}: {type(error).__name__}")  # its words may hold the url
                return
            self._hurried.wait(pauses.pop(0))
