"""What checks send to a stack and what comes back, kept while a check measures: the evidence of a failure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal, Protocol

from pydantic import Field
from pydantic.dataclasses import dataclass

from xnai_validate.model.frozen_model import FROZEN

BODY_CAP = 2_000
"""Characters of a body, of a command or of a reply that are kept."""
END_CAP = 500
"""Characters of the end of a long body that are kept."""
HEADERS_CAP = 40
"""Headers that are kept of a request, and of a response."""
HEADER_CAP = 300
"""Characters of the value of a header that are kept."""
LOGS = frozenset({"container", "file"})
"""The protocols of exchanges that are the last lines of a log."""
NO_RESPONSE = "no response: "
"""The beginning of a failure that names the stage which did not end."""
KEPT = 3
"""Exchanges that are kept of an attempt."""


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class Exchange:
    """One request, or one command, and its answer."""

    protocol: Literal["http", "redis", "container", "file"]
    """`container` and `file`: the last lines of its log, and of a log file."""
    request: str
    """The method and the url, the command, the name of the container, or the path of the file."""
    request_headers: dict[str, str] = Field(default_factory=dict)
    request_body: str | None = None
    """The beginning of the body; null without a body, and if it is not text."""
    request_bytes: int = 0
    """The size of the whole body."""
    response: str | None = None
    """The status and its reason, or the reply; null if none came."""
    response_headers: dict[str, str] = Field(default_factory=dict)
    response_body: str | None = None
    """The beginning of the body as far as it was read, decoded; null without a body, and if it is not text."""
    response_end: str | None = None
    """The end of what was read of a body that is longer than `response_body`."""
    response_bytes: int = 0
    """The size of the body as far as it was read."""
    elapsed_ms: float = 0.0
    """From the beginning of the request to the last byte that came."""
    stages: dict[str, float] = Field(default_factory=dict)
    """Stage of an HTTP exchange -> milliseconds, in order: `lookup`, `connect`, `tls`, `send`, `wait` (for the headers
    of the response), `body`; without those that it did not have. If `failure` is set, the last one did not end."""
    failure: str | None = None
    """Why there is no response, or why it is not whole."""
    load_count: int | None = None
    """How many such requests a load sent, whose answers `response` counts by status; null for a single exchange."""
    options: dict[str, str] = Field(default_factory=dict)
    """What else a client needs to repeat the request, as options of `curl`, such as `--cacert` -> the file."""


def last_request(exchanges: Sequence[Exchange]) -> Exchange | None:
    """Return the last exchange that is not a log; else the last log; None without any exchange."""
    requests = [exchange for exchange in exchanges if exchange.protocol not in LOGS]
    return next(reversed(requests or exchanges), None)


class Recording(Protocol):
    """An exchange that may still be under way."""

    def exchange(self) -> Exchange:
        """Return the exchange as far as it has come."""


class Recorder(deque[Recording]):
    """The last exchanges of a measurement, and the last ones that were marked as the reason of a failure."""

    def __init__(self, kept: int = KEPT) -> None:
        super().__init__(maxlen=kept)
        self._marked: deque[Recording] = deque(maxlen=kept)

    def mark(self) -> None:
        """Mark the last exchange as the reason of a failure: a rule about its facts is broken."""
        if self and (not self._marked or self._marked[-1] is not self[-1]):
            self._marked.append(self[-1])

    def exchanges(self) -> tuple[Exchange, ...]:
        """Return the exchanges that were marked, in their order; if none was, the last ones."""
        return tuple(recording.exchange() for recording in self._marked or self)


RECORDER: ContextVar[Recorder] = ContextVar("RECORDER", default=Recorder(kept=0))  # noqa: B039 (it keeps nothing)
"""The recorder of the measurement that runs now; each exchange is appended to it, and outside of one dropped."""


@contextmanager
def recorder() -> Iterator[Recorder]:
    """A context in which exchanges are recorded, also those of the tasks that are created in it."""
    token = RECORDER.set(made := Recorder())
    try:
        yield made
    finally:
        RECORDER.reset(token)
