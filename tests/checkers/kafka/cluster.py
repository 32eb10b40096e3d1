"""A cluster that speaks Kafka's protocol over sockets: the one that librdkafka brings for tests of clients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

QUIET = {"log_level": 0}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of three brokers; a topic that is written to has four partitions."""

    ports: list[int]
    """The ports of its brokers."""
    producer: Any

    @property
    def port(self) -> int:
        """The port of one of its brokers."""
        return self.ports[0]

    def produce(self, topic: str, *counts: int) -> None:
        """Write so many messages to each partition of a topic."""
        for partition, count in enumerate(counts):
            for _ in range(count):
                self.producer.produce(topic, b"x", partition=partition)
        assert self.producer.flush(20) == 0

    def commit(self, group: str, topic: str, *offsets: int) -> None:
        """Commit an offset of each partition for a group."""
        servers = f"127.0.0.1:{self.port}"
        consumer = Consumer({"bootstrap.servers": servers, "group.id": group, "enable.auto.commit": False, **QUIET})
        try:
            places = [TopicPartition(topic, partition, offset) for partition, offset in enumerate(offsets)]
            consumer.commit(offsets=places, asynchronous=False)
        finally:
            consumer.close()


@contextmanager
def kafka_cluster() -> Iterator[Cluster]:
    """A cluster that is up."""
    producer = Producer({"bootstrap.servers": "unused", "test.mock.num.brokers": 3, **QUIET})
    brokers = producer.list_topics(timeout=20).brokers
    yield Cluster([broker.port for broker in brokers.values()], producer)
    del producer
