"""The params and facts of `kafka.lag`."""

from __future__ import annotations

from typing import Annotated, Literal

from xnai_validate.kit import (
    Count,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Milliseconds,
    Needs,
    Params,
    StringConstraints,
    Target,
)

SCHEMES = ("kafka", "kafkas", "tcp")
Name = Annotated[str, StringConstraints(min_length=1, max_length=249)]


class LagParams(Params):
    """Which group and which topics."""

    group: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    """The consumer group; without one, only the topics themselves are measured."""
    topics: Annotated[list[Name], Field(max_length=100)] = Field(default_factory=list)
    """The topics; by default all that the group has read from, and without a group all but internal ones."""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """The mechanism of SASL, where the target has a user."""
    timeout: Duration = 15.0
    """How long connecting and all answers may take together."""

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target that does not speak Kafka's protocol."""
        if target.url and target.scheme not in SCHEMES:
            raise ValueError(other_protocol(target))


class LagFacts(Facts):
    """How far the group is behind, and the state of the topics; null where the broker could not be asked."""

    error: ErrorKind | None = None
    """Why the broker could not be asked: refused, timeout, auth, tls, dns ..."""
    error_detail: str | None = None
    """The error in words."""
    lag: Annotated[Count | None, Needs("group")] = None
    """Messages that the group has not read, over all partitions; null without a group."""
    max_lag: Annotated[Count | None, Needs("group")] = None
    """The largest lag of one partition."""
    lag_by_topic: Annotated[dict[str, Count] | None, Needs("group")] = None
    """Topic -> its lag."""
    unread_partitions: Annotated[list[str] | None, Needs("group")] = None
    """Partitions that have messages and of which the group has committed no offset, `orders-0`: all of them count."""
    end_offset_by_topic: dict[str, Count] | None = None
    """Topic -> the sum of the offsets that the next messages of its partitions get."""
    missing_topics: list[str] | None = None
    """Those of `topics` that do not exist."""
    partitions: Count | None = None
    """How many partitions the topics have."""
    under_replicated: list[str] | None = None
    """Partitions of which a replica is not in sync, `orders-0`."""
    without_leader: list[str] | None = None
    """Partitions that cannot be read or written, because none of their replicas leads."""
    connect_ms: Milliseconds | None = None
    """Name look-up and TCP handshake with the broker of the url."""


def other_protocol(target: Target) -> str:
    """The error for a target that speaks another protocol."""
    return f"target {target.name} speaks {target.scheme}, not Kafka: its url would be kafka://host:9092"
