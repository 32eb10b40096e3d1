"""`kafka.lag` against the cluster that librdkafka brings: what is behind, what is missing, why there is no answer."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter, start_server
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.certificates import authority
from tests.checkers.beside import beside, tcp_server
from tests.checkers.kafka.cluster import Cluster, kafka_cluster
from tests.checkers.kafka.front import Front, in_front_of
from tests.context import observe
from xnai_validate.checkers.kafka._cluster import client_options
from xnai_validate.checkers.kafka._models import LagParams
from xnai_validate.kit import Target, Tls


@pytest.fixture(name="cluster", scope="module")
def _cluster() -> Iterator[Cluster]:
    with kafka_cluster() as cluster:
        cluster.produce("orders", 4, 3, 3)
        cluster.produce("mails", 5)
        cluster.commit("billing", "orders", 2, 3)
        yield cluster


@pytest.fixture(name="target")
def _target(cluster: Cluster) -> Target:
    return Target("kafka", f"kafka://127.0.0.1:{cluster.port}")


def test_the_lag_of_a_group_by_topic(target: Target) -> None:
    """What was not read counts, of partitions without a committed offset all; other topics are not the group's."""
    seen = observe("kafka.lag", target, group="billing", expect={"lag": {"max": 5}, "unread_partitions": ["orders-2"]})
    assert seen.held, seen.findings
    facts = seen.facts
    assert (facts["lag"], facts["max_lag"], facts["lag_by_topic"]) == (5, 3, {"orders": 5})
    assert facts["end_offset_by_topic"] == {"orders": 10}
    assert (facts["partitions"], facts["missing_topics"]) == (4, [])
    assert (facts["under_replicated"], facts["without_leader"]) == ([], [])
    assert facts["connect_ms"] is not None


def test_a_group_that_has_read_nothing_is_behind_by_all(target: Target) -> None:
    """Of the named topics; without names its lag is unknown: it never read, or its name is mistyped."""
    facts = observe("kafka.lag", target, group="new", topics=["orders"]).facts
    assert (facts["lag"], facts["unread_partitions"]) == (10, ["orders-0", "orders-1", "orders-2"])
    unknown = observe("kafka.lag", target, group="new", expect={"lag": {"max": 1000}})
    assert not unknown.held
    assert (unknown.facts["lag"], unknown.facts["unread_partitions"]) == (None, None)
    assert unknown.facts["error_detail"] == "the group new has committed no offset"


def test_topics_are_measured_without_a_group(target: Target) -> None:
    """Their end offsets and replicas; there is no lag."""
    facts = observe("kafka.lag", target).facts
    assert facts["end_offset_by_topic"] == {"orders": 10, "mails": 5}
    assert (facts["lag"], facts["unread_partitions"]) == (None, None)


def test_a_topic_that_is_missing_is_named_and_not_created(target: Target, cluster: Cluster) -> None:
    """The default rule fails."""
    seen = observe("kafka.lag", target, topics=["orders", "gone"])
    assert not seen.held
    assert seen.facts["missing_topics"] == ["gone"]
    assert "gone" not in cluster.producer.list_topics(timeout=20).topics


@pytest.mark.parametrize(
    ("url", "error", "detail"),
    [
        ("kafka://127.0.0.1:9", "refused", "127.0.0.1:9"),
        ("kafka://nowhere.invalid", "dns", "nowhere.invalid"),
    ],
)
def test_why_there_is_no_connection(url: str, error: str, detail: str) -> None:
    """The kind of the error, and its words."""
    facts = observe("kafka.lag", Target("kafka", url), group="billing").facts
    assert facts["error"] == error, facts
    assert detail in facts["error_detail"]
    assert facts["lag"] is None


def test_a_certificate_that_is_not_trusted_is_named(tmp_path: Path) -> None:
    """The kind of the error is tls, not that of a broker that is not found."""

    async def silent(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read()

    context = authority(tmp_path).server("127.0.0.1")

    @asynccontextmanager
    async def serving() -> AsyncIterator[int]:
        server = await start_server(silent, "127.0.0.1", 0, ssl=context)
        async with server:
            yield server.sockets[0].getsockname()[1]

    with beside(serving) as port:
        facts = observe("kafka.lag", Target("kafka", f"kafkas://127.0.0.1:{port}"), group="billing").facts
    assert facts["error"] == "tls", facts
    assert "certificate" in facts["error_detail"]


@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_is_no_broker_is_an_error(greeting: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """Silence ends at the time limit, another protocol at once or then; the client's own log stays off stderr."""

    async def talk(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(1)
        writer.write(greeting)
        await reader.read()

    with tcp_server(talk) as port:
        facts = observe("kafka.lag", Target("kafka", f"kafka://127.0.0.1:{port}"), group="a", timeout="1500ms").facts
    assert facts["error"] in ("timeout", "reset", "protocol"), facts
    assert facts["lag"] is None
    assert capfd.readouterr().err == ""


def test_user_and_tls_of_the_target_are_those_of_the_client() -> None:
    """SASL for a user, TLS by the scheme."""
    plain = client_options(Target("k", "kafka://[::1]"), "PLAIN")
    assert (plain["bootstrap_servers"], plain["security_protocol"]) == ("[::1]:9092", "PLAINTEXT")
    full = client_options(Target("k", "kafkas://me%40x@h:1", password="p"), "SCRAM-SHA-256")
    assert (full["security_protocol"], full["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-256")
    assert (full["sasl_plain_username"], full["sasl_plain_password"]) == ("me@x", "p")
    assert full["ssl_context"].check_hostname


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_user_logs_in(cluster: Cluster, tmp_path: Path, mechanism: str, over_tls: bool) -> None:
    """By the mechanism that the check names, on every connection; with `kafkas` all of it goes over TLS."""
    ours = authority(tmp_path)
    front = Front(ours.server("127.0.0.1") if over_tls else None, "a,b=c", "p@ss")
    with in_front_of(cluster.ports, front):
        url = f"{'kafkas' if over_tls else 'kafka'}://a%2Cb%3Dc@127.0.0.1:{front.port}"
        target = Target("kafka", url, password="p@ss", tls=Tls(ca=ours.ca))
        facts = observe("kafka.lag", target, group="billing", mechanism=mechanism).facts
    assert (facts["error"], facts["lag"]) == (None, 5), facts["error_detail"]
    assert set(front.logins) == {mechanism}


def test_tls_without_a_user(cluster: Cluster, tmp_path: Path) -> None:
    """The brokers that the first one names are reached over TLS too."""
    ours = authority(tmp_path)
    with in_front_of(cluster.ports, Front(ours.server("127.0.0.1"))) as front:
        target = Target("kafka", f"kafkas://127.0.0.1:{front.port}", tls=Tls(ca=ours.ca))
        facts = observe("kafka.lag", target, group="billing").facts
    assert (facts["error"], facts["lag"]) == (None, 5), facts["error_detail"]


@pytest.mark.parametrize(
    ("password", "mechanism", "detail"),
    [
        ("wrong", "PLAIN", "SaslAuthenticationFailed"),
        ("wrong", "SCRAM-SHA-256", "SaslAuthenticationFailed"),
        ("right", "SCRAM-SHA-512", "UnsupportedSaslMechanismError"),
    ],
)
def test_a_login_that_is_refused_is_named(cluster: Cluster, password: str, mechanism: str, detail: str) -> None:
    """The kind of the error is auth, not that of a broker that is not found."""
    with in_front_of(cluster.ports, Front(None, "me", "right", ("PLAIN", "SCRAM-SHA-256"))) as front:
        target = Target("kafka", f"kafka://me@127.0.0.1:{front.port}", password=password)
        facts = observe("kafka.lag", target, mechanism=mechanism).facts
    assert facts["error"] == "auth", facts
    assert detail in facts["error_detail"]
    assert front.logins == []


def test_a_refusal_in_the_words_of_scram_is_a_refusal(cluster: Cluster) -> None:
    """Some brokers send the error of RFC 5802 where the signature would stand."""
    front = Front(None, "me", "right", refusal=b"e=invalid-proof")
    with in_front_of(cluster.ports, front):
        target = Target("kafka", f"kafka://me@127.0.0.1:{front.port}", password="wrong")
        facts = observe("kafka.lag", target, mechanism="SCRAM-SHA-256").facts
    assert facts["error"] == "auth", facts
    assert "SCRAM-SHA-256" in facts["error_detail"]


def test_a_target_of_another_protocol_is_refused_when_loaded() -> None:
    """The error names the url that it would have."""
    with pytest.raises(ValueError, match="kafka://host:9092"):
        LagParams().verify_target(Target("kafka", "http://127.0.0.1:8082"))
