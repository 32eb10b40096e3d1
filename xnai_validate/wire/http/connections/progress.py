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
