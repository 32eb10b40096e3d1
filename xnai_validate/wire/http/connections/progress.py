"""How far one HTTP exchange has come: its present stage, the duration of those that are over, and what was read."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Enum
from time import perf_counter


class Stage(Enum):
    """A part of an exchange that can take long; the value completes a sentence about a time-out."""

    LOOKUP = "the look-up of the name did not end"
    CONNECT = "no connection was made"
    TLS = "the TLS handshake did not end"
    SEND = "the server did not take the whole request"
    HEADERS = "no response came"
    BODY = "the body of the response did not end"

    @property
    def label(self) -> str:
        """The stage in one word."""
        return "wait" if self is Stage.HEADERS else self.name.lower()


@dataclass(slots=True)
class Progress:
    """The stages of one exchange, kept up to date by the network stream that carries it."""

    started: float = field(default_factory=perf_counter)
    stage: Stage = Stage.CONNECT
    dns_ms: float | None = None
    """Name look-up; None for an address, and on a connection that was open already."""
    connect_ms: float | None = None
    """Name look-up and TCP handshake; None on a connection that was open already."""
    tls_ms: float | None = None
    """TLS handshake; None without TLS, and on a connection that was open already."""
    sent_ms: float | None = None
    """From the start to the last byte of the request handed to the system."""
    received: int = 0
    """Bytes read from the socket, whatever they mean."""
    reads: int = 0
    """Reads of the socket so far."""
    read_at: float = 0.0
    """When the last of them returned."""
    peer_closed: bool = False
    """Whether a read has met the end of the connection."""

    def stages_ms(self, until: float, first_byte_ms: float | None) -> dict[str, float]:
        """Return the stages up to a time of `perf_counter` in their order, each with its milliseconds.

        `first_byte_ms`: from the start to the end of the response's headers; None if they have not come. The last
        stage is the present one.
        """
        ends = {
            Stage.LOOKUP: self.dns_ms,
            Stage.CONNECT: self.connect_ms,
            Stage.TLS: None if self.tls_ms is None else (self.connect_ms or 0.0) + self.tls_ms,
            Stage.SEND: self.sent_ms,
            Stage.HEADERS: first_byte_ms,
        }
        stages: dict[str, float] = {}
        since = 0.0
        for stage, end in ends.items():
            if end is not None:
                stages[stage.label] = round(max(end - since, 0.0), 1)
                since = max(since, end)
        whole = (until - self.started) * 1000
        last = Stage.BODY if first_byte_ms is not None else self.stage
        stages[last.label] = round(stages.get(last.label, 0.0) + max(whole - since, 0.0), 1)
        return stages

    def restart(self) -> None:
        """Begin again, for another exchange in place of this one."""
        fresh = Progress()
        for part in fields(fresh):
            setattr(self, part.name, getattr(fresh, part.name))

    @property
    def unfinished(self) -> str:
        """A sentence about the stage that has not ended."""
        if self.stage is Stage.HEADERS and self.received:
            return "the headers of the response did not end"
        return self.stage.value
