"""Passes events to the reporters of a run. A reporter that raises is dropped and reported; the run goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from xnai_validate.errors import XnaiError
from xnai_validate.model.results.events import Event, Progress
from xnai_validate.model.text import printable


class Sink(Protocol):
    """A reporter that receives the events of a run while it goes on."""

    @property
    def name(self) -> str:
        """The name under which it is reported if it breaks."""

    def take(self, event: Event) -> None:
        """Receive an event; they come in order."""

    def progress(self, progress: Progress) -> None:
        """Receive the progress of a long measurement."""

    def close(self) -> None:
        """Release what the sink holds; no event follows."""


class Sinks:
    """The reporters of a run."""

    def __init__(self, sinks: tuple[Sink, ...]) -> None:
        self._sinks = list(sinks)
        self.broken: list[str] = []
        """The reporters that broke, each with the reason."""

    def take(self, event: Event) -> None:
        """Pass an event to every reporter."""
        for sink in tuple(self._sinks):
            self.attempt(sink.name, partial(sink.take, event), sink)

    def progress(self, progress: Progress) -> None:
        """Pass a progress text to every reporter."""
        for sink in tuple(self._sinks):
            self.attempt(sink.name, partial(sink.progress, progress), sink)

    def close(self) -> None:
        """Close every reporter; a second call does nothing."""
        while self._sinks:
            sink = self._sinks.pop()
            self.attempt(sink.name, sink.close)

    def attempt(self, name: str, work: Callable[[], None], sink: Sink | None = None) -> bool:
        """Do some work of a reporter; return whether it succeeded. An error is added to `broken`, `sink` is dropped."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  # a reporter may break in any way, the run must go on
            self.broken.append(printable(_reason(name, error)[:300]))
            if sink in self._sinks:
                self._sinks.remove(sink)
            return False
        return True


def _reason(name: str, error: Exception) -> str:
    """Return what broke and why; with the type of an error whose text alone may not be enough."""
    if isinstance(error, XnaiError):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    return f"{name}: {type(error).__name__}: {error}"
