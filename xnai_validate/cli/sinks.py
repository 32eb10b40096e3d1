"""Hands events to reporters; one that raises is dropped and remembered, and neither ends the run nor vanishes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from xnai_validate.errors import XnaiError
from xnai_validate.model.results.events import Event, Progress
from xnai_validate.model.text import printable


class Sink(Protocol):
    """Something that wants to see the events of a run."""

    @property
    def name(self) -> str:
        """What it is called when it breaks."""

    def take(self, event: Event) -> None:
        """One event, in order."""

    def progress(self, progress: Progress) -> None:
        """What a long measurement says it is doing."""

    def close(self) -> None:
        """No event follows."""


class Sinks:
    """The reporters of a run."""

    def __init__(self, sinks: tuple[Sink, ...]) -> None:
        self._sinks = list(sinks)
        self.broken: list[str] = []
        """What broke, each with its reason."""

    def take(self, event: Event) -> None:
        """Give one event to every reporter."""
        for sink in tuple(self._sinks):
            self.attempt(sink.name, partial(sink.take, event), sink)

    def progress(self, progress: Progress) -> None:
        """Give a progress text to every reporter."""
        for sink in tuple(self._sinks):
            self.attempt(sink.name, partial(sink.progress, progress), sink)

    def close(self) -> None:
        """Close every reporter; a second call does nothing."""
        while self._sinks:
            sink = self._sinks.pop()
            self.attempt(sink.name, sink.close)

    def attempt(self, name: str, work: Callable[[], None], sink: Sink | None = None) -> bool:
        """Do some work of a reporter and say whether it was done; what it raises is remembered, and `sink` dropped."""
        try:
            work()
        except Exception as error:  # noqa: BLE001  # a reporter of any kind may break in any way, the run must not
            self.broken.append(printable(_said(name, error)[:300]))
            if sink in self._sinks:
                self._sinks.remove(sink)
            return False
        return True


def _said(name: str, error: Exception) -> str:
    """What broke and why; the type of an error only where its words may not say enough."""
    if isinstance(error, XnaiError):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    return f"{name}: {type(error).__name__}: {error}"
