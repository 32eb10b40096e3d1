"""The state of topics and the committed offsets of a group, by the client aiokafka."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.structs import TopicPartition

from xnai_validate.checkers.kafka._models import LagFacts, LagParams
from xnai_validate.kit import ErrorKind, Target
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.net.connection import dial
from xnai_validate.wire.net.tls import client_context

PORT = 9092
_REFUSALS = (
    SaslAuthenticationFailed,
    AuthenticationFailedError,
    UnsupportedSaslMechanismError,
    IllegalSaslStateError,
    GroupAuthorizationFailedError,
)
# The client reports each failed connection to its logger, which would reach stderr.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, as the cluster describes it."""

    key: Any
    """What the client calls it by."""
    leads: bool
    """Whether one of its replicas leads."""
    in_sync: bool

    @property
    def name(self) -> str:
        """`orders-0`, as Kafka names its folder."""
        return f"{self.key.topic}-{self.key.partition}"


async def measured(target: Target, params: LagParams) -> LagFacts:
    """Measure the topics, and the lag of the group. Raises WireError where the cluster gives no answer."""
    host, port = target.host, urlsplit(target.url or "").port or PORT
    # By itself, for the client reports only that it found no broker, whatever is wrong with its certificate.
    over_tls = urlsplit(target.url or "").scheme == "kafkas"
    context = client_context(target.tls) if over_tls else None
    dialled = await dial(host, port, context=context, server_name=target.tls.server_name)
    dialled.pipe.abort()
    options = client_options(target, params.mechanism)
    try:
        if "sasl_mechanism" in options:
            await _log_in(host, port, options)
        async with _open_client(AIOKafkaAdminClient(**options)) as admin:
            partitions = _partitions(await admin.describe_topics(), params.topics)
            keys = [partition.key for partition in partitions]
            committed = await _committed_offsets(admin, params.group, keys)
        if params.group is not None and not params.topics:
            read = {key.topic for key, offset in committed.items() if offset >= 0}
            partitions = [partition for partition in partitions if partition.key.topic in read]
        led = [partition.key for partition in partitions if partition.leads]
        begin, end = await _offsets(options, led)
    except _REFUSALS as error:
        raise WireError(ErrorKind.AUTH, f"the broker refuses: {_describe_error(error)}") from None
    except KafkaTimeoutError as error:
        raise WireError(ErrorKind.TIMEOUT, _describe_error(error)) from None
    except KafkaConnectionError as error:
        raise WireError(ErrorKind.RESET, _describe_error(error)) from None
    except KafkaError as error:
        raise WireError(ErrorKind.PROTOCOL, _describe_error(error)) from None
    except OSError as error:
        raise wire_error(error, f"connect to {host}:{port}") from None
    facts = _facts_of(partitions, params.topics).model_copy(update={"connect_ms": dialled.connect_ms})
    sums = _sums({key: end[key] for key in led})
    facts = facts.model_copy(update={"end_offset_by_topic": sums})
    if params.group is None:
        return facts
    if not params.topics and not partitions:  # its lag is unknown, not 0: it never read, or its name is wrong
        return facts.model_copy(update={"error_detail": f"the group {params.group} has committed no offset"})
    return facts.model_copy(update=_lag(led, committed, begin, end))


def client_options(target: Target, mechanism: str) -> dict[str, Any]:
    """The options of a client: where the broker is, TLS for `kafkas`, SASL for a user in the url."""
    parts = urlsplit(target.url or "")
    over_tls = parts.scheme == "kafkas"
    host = f"[{target.host}]" if ":" in target.host else target.host
    options: dict[str, Any] = {
        "bootstrap_servers": f"{host}:{parts.port or PORT}",
        "client_id": "xnai-validate",
        "request_timeout_ms": 10_000,
        "security_protocol": f"{'SASL_' if parts.username else ''}{'SSL' if over_tls else 'PLAINTEXT'}",
    }
    if over_tls:
        options["ssl_context"] = client_context(target.tls)
    if parts.username:
        options |= {
            "sasl_mechanism": mechanism,
            "sasl_plain_username": unquote(parts.username),
            "sasl_plain_password": target.password or unquote(parts.password or ""),
        }
    return options


async def _log_in(host: str, port: int, options: dict[str, Any]) -> None:
    """Log in on a connection of its own. Raises the error of the login, for which the client reports no broker."""
    own = {name: value for name, value in options.items() if name != "bootstrap_servers"}
    try:
        connection = await create_conn(host, port, **own)
    except (LookupError, ValueError, AssertionError) as error:
        # The client reads each message of SCRAM as the one of success; a refusal has another form (RFC 5802 section 7).
        raise WireError(ErrorKind.AUTH, f"the broker refuses the login by {options['sasl_mechanism']}") from error
    connection.close()


@asynccontextmanager
async def _open_client(client: Any) -> AsyncIterator[Any]:
    """Yield a connected client; stop it at the end, also if it could not connect."""
    stop = client.stop if isinstance(client, AIOKafkaConsumer) else client.close
    try:
        await client.start()
        yield client
    finally:
        await stop()


def _partitions(topics: list[dict[str, Any]], names: list[str]) -> list[Partition]:
    """The partitions of the named topics; without names, of all but internal ones."""
    return [
        Partition(
            TopicPartition(topic["topic"], entry["partition"]),
            entry["leader"] >= 0,
            set(entry["isr"]) >= set(entry["replicas"]),
        )
        for topic in topics
        if (topic["topic"] in names if names else not topic.get("is_internal"))
        for entry in topic["partitions"]
    ]


async def _committed_offsets(admin: Any, group: str | None, keys: list[Any]) -> dict[Any, int]:
    """Return the offset that the group has committed for each partition; -1 for none."""
    if group is None or not keys:
        return {}
    offsets = await admin.list_consumer_group_offsets(group, partitions=keys)
    return {key: offset.offset for key, offset in offsets.items()}


async def _offsets(options: dict[str, Any], keys: list[Any]) -> tuple[dict[Any, int], dict[Any, int]]:
    """The first and the next offset of each partition."""
    if not keys:
        return {}, {}
    async with _open_client(AIOKafkaConsumer(**options, group_id=None)) as consumer:
        return await consumer.beginning_offsets(keys), await consumer.end_offsets(keys)


def _facts_of(partitions: list[Partition], names: list[str]) -> LagFacts:
    """Return the facts of the partitions of the named topics."""
    known = {partition.key.topic for partition in partitions}
    return LagFacts(
        missing_topics=[name for name in names if name not in known],
        partitions=len(partitions),
        under_replicated=[partition.name for partition in partitions if not partition.in_sync],
        without_leader=[partition.name for partition in partitions if not partition.leads],
    )


def _lag(led: list[Any], committed: dict[Any, int], begin: dict[Any, int], end: dict[Any, int]) -> dict[str, Any]:
    """The facts of the group. What retention has removed cannot be read any more, and is not lag."""
    offsets = {key: committed.get(key, -1) for key in led}
    lags = {key: max(0, end[key] - max(offset, begin[key])) for key, offset in offsets.items()}
    unread = [f"{key.topic}-{key.partition}" for key, offset in offsets.items() if offset < 0 and lags[key]]
    return {
        "lag": sum(lags.values()),
        "max_lag": max(lags.values(), default=0),
        "lag_by_topic": _sums(lags),
        "unread_partitions": unread,
    }


def _sums(values: dict[Any, int]) -> dict[str, int]:
    """Topic -> the sum over its partitions."""
    sums: dict[str, int] = {}
    for key, value in values.items():
        sums[key.topic] = sums.get(key.topic, 0) + value
    return sums


def _describe_error(error: Exception) -> str:
    """Return the type and the message of an error."""
    return f"{type(error).__name__}: {error}"
