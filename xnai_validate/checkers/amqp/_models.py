"""The params and facts of `amqp.queue`."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.kit import (
    Count,
    Duration,
    ErrorKind,
    Facts,
    Milliseconds,
    Params,
    StringConstraints,
    Target,
    field_validator,
)

LONGEST = 255
"""Bytes of a short string."""
SCHEMES = ("amqp", "amqps", "tcp")


class QueueParams(Params):
    """Which queue."""

    queue: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """Its name; at most 255 bytes (AMQP 0-9-1, short string)."""
    timeout: Duration = 10.0
    """How long connecting, logging in and the answer may take together."""

    @field_validator("queue")
    @classmethod
    def _verify_length(cls, queue: str) -> str:
        """Return the name. Raises ValueError if it has more than 255 bytes (AMQP 0-9-1)."""
        if len(queue.encode()) > LONGEST:
            raise ValueError(f"the name of a queue has at most {LONGEST} bytes in UTF-8")
        return queue

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target that speaks no AMQP."""
        if target.url and target.scheme not in SCHEMES:
            raise ValueError(other_protocol(target))


class QueueFacts(Facts):
    """The queue, and what is known about the broker."""

    error: ErrorKind | None = None
    """Why the broker could not be asked: refused, timeout, auth, tls, dns ..."""
    error_detail: str | None = None
    """The error in words."""
    exists: bool | None = None
    """Whether the queue exists; null where the broker does not show that to this user."""
    messages: Count | None = None
    """How many messages are ready: those that were delivered and not acknowledged are not counted."""
    consumers: Count | None = None
    """How many consumers it has."""
    broker_error: str | None = None
    """Why the broker refused, in its words: `NOT_FOUND - no queue 'orders' in vhost '/'`."""
    broker_code: int | None = None
    """Its reply code for that: 403 access refused, 404 not found, 405 exclusive to another connection,
    530 not allowed."""
    connect_ms: Milliseconds | None = None
    """Name look-up, TCP handshake, and TLS."""
    login_ms: Milliseconds | None = None
    """The handshake of AMQP: user, virtual host, channel."""
    product: str | None = None
    """The name that the broker gives itself: `RabbitMQ`."""
    product_version: str | None = None
    """Its version, in its words."""


def other_protocol(target: Target) -> str:
    """The error for a target that speaks another protocol."""
    return f"target {target.name} speaks {target.scheme}, not AMQP: its url would be amqp://user@host:5672/vhost"
