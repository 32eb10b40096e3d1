"""`amqp.queue` against a broker on a socket: what a queue has, and every way in which there is no answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.checkers.amqp.broker import PASSWORD, USER, Broker, serving
from tests.checkers.beside import beside
from tests.context import observe
from tests.eventually import eventually
from xnai_validate.checkers.amqp._models import QueueParams
from xnai_validate.kit import Target


@pytest.fixture(name="broker")
def _broker() -> Iterator[Broker]:
    with beside(partial(serving, Broker({"orders": (7, 2), "mails": (0, 0)}, {"locked"}))) as broker:
        yield broker


def target(broker: Broker, virtual_host: str = "", **fields: Any) -> Target:
    """The broker as a target."""
    url = f"amqp://{USER}@127.0.0.1:{broker.port}{virtual_host}"
    return replace(Target("broker", url, password=PASSWORD), **fields)


@pytest.mark.parametrize("virtual_host", ["", "/", "/shop", "/%2F"])
def test_a_queue_is_asked_for_and_not_changed(broker: Broker, virtual_host: str) -> None:
    """Messages and consumers by a passive declaration; the connection ends as AMQP wants it."""
    seen = observe("amqp.queue", target(broker, virtual_host), queue="orders")
    assert seen.held
    assert (seen.facts["exists"], seen.facts["messages"], seen.facts["consumers"]) == (True, 7, 2)
    assert (seen.facts["product"], seen.facts["product_version"]) == ("Test broker", "1.2.3")
    assert seen.facts["login_ms"] > 0
    assert broker.declared == [True]
    assert eventually(lambda: broker.closed == ["done"])


@pytest.mark.parametrize(
    ("name", "exists", "code", "text"),
    [("gone", False, 404, "NOT_FOUND - no queue 'gone'"), ("locked", True, 405, "RESOURCE_LOCKED")],
)
def test_what_the_broker_refuses_is_a_fact(broker: Broker, name: str, exists: bool, code: int, text: str) -> None:
    """A queue that is not there, and one that another connection has for itself."""
    seen = observe("amqp.queue", target(broker), queue=name)
    assert seen.held is exists
    assert (seen.facts["error"], seen.facts["exists"], seen.facts["broker_code"]) == (None, exists, code)
    assert text in seen.facts["broker_error"]
    assert (seen.facts["messages"], seen.facts["consumers"]) == (None, None)


@pytest.mark.parametrize(
    ("change", "error", "detail"),
    [
        ({"password": "wrong"}, "auth", "ACCESS_REFUSED"),
        ({"url": "amqp://127.0.0.1:9"}, "refused", "refused"),
        ({"url": "amqp://nowhere.invalid"}, "dns", "nowhere.invalid"),
        ({"url": "amqps://127.0.0.1:{port}"}, "reset", "TLS handshake"),
    ],
)
def test_why_there_is_no_answer(broker: Broker, change: dict[str, str], error: str, detail: str) -> None:
    """The kind of the error, and its words."""
    changed = {key: value.format(port=broker.port) for key, value in change.items()}
    facts = observe("amqp.queue", target(broker, **changed), queue="orders", timeout="3s").facts
    assert facts["error"] == error, facts
    assert detail.lower() in facts["error_detail"].lower()
    assert facts["exists"] is None


def test_a_virtual_host_that_is_not_there_is_refused(broker: Broker) -> None:
    """The connection is closed with the broker's reason."""
    facts = observe("amqp.queue", target(broker, "/none"), queue="orders").facts
    assert (facts["error"], facts["exists"], facts["broker_code"]) == (None, None, 530)
    assert "vhost none not found" in facts["broker_error"]


@pytest.mark.parametrize(
    ("greeting", "error", "detail"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol", "speaks no AMQP"),
        (b"AMQP\x00\x01\x00\x00", "protocol", "another version of AMQP: 1.0.0"),
        (b"\x01\x00\x00\xff\xff\xff\xff", "too_large", "4294967295 bytes"),
        (b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x33\xce", "protocol", "expected Connection.Start"),
        (b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x0a\xce", "protocol", "cannot be read"),
        (b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x0a\x00", "protocol", "cannot be read"),
        (b"\x01\x00", "timeout", "within 0.5 s"),
    ],
)
def test_what_is_no_broker_is_named(broker: Broker, greeting: bytes, error: str, detail: str) -> None:
    """Other protocols and versions, frames without end, and silence: nothing is waited for beyond the time limit."""
    broker.greeting = greeting
    facts = observe("amqp.queue", target(broker), queue="orders", timeout="500ms").facts
    assert facts["error"] == error, facts
    assert detail in facts["error_detail"]


def test_a_broker_without_passwords_is_named(broker: Broker) -> None:
    """The check logs in by user and password alone."""
    broker.mechanisms = "EXTERNAL"
    facts = observe("amqp.queue", target(broker), queue="orders").facts
    assert (facts["error"], facts["error_detail"]) == ("auth", "the broker offers EXTERNAL, and not PLAIN")


@pytest.mark.parametrize("url", ["http://127.0.0.1:15672", "redis://127.0.0.1"])
def test_a_target_of_another_protocol_is_refused_when_loaded(url: str) -> None:
    """The error names the url that it would have."""
    with pytest.raises(ValueError, match=r"amqp://user@host:5672/vhost"):
        QueueParams(queue="orders").verify_target(Target("broker", url))
