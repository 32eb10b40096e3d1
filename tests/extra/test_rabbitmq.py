"""`amqp.queue` and its recipe against RabbitMQ of Debian."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.certificates import authority
from tests.context import observe
from tests.e2e.test_recipes import statuses
from tests.extra.test_recipes import installed, rabbitmq, running
from tests.ports import free_port
from xnai_validate.kit import Target
from xnai_validate.model.results.status import Status
from xnai_validate.model.target import Tls

pytestmark = pytest.mark.extra
__all__ = ["installed"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, httpx.Client]]:
    """The port of a broker, and a client of its management API."""
    port, second = free_port(), free_port()
    with (
        running(rabbitmq(tmp_path_factory.mktemp("rabbit"), port, second), port, second),
        httpx.Client(base_url=f"http://127.0.0.1:{second}/api", auth=("guest", "guest"), timeout=30) as client,
    ):
        yield port, client


def test_a_queue_of_rabbitmq(server: tuple[int, httpx.Client]) -> None:
    """Messages that wait are counted, a queue that is not there is not made, and a wrong password is named."""
    port, client = server
    target = Target("broker", f"amqp://127.0.0.1:{port}")
    client.put("/queues/%2F/orders", json={"durable": True}).raise_for_status()
    message: dict[str, Any] = {"properties": {}, "routing_key": "orders", "payload": "x", "payload_encoding": "string"}
    for _ in range(3):
        assert client.post("/exchanges/%2F/amq.default/publish", json=message).json() == {"routed": True}
    facts = observe("amqp.queue", target, queue="orders").facts
    assert (facts["exists"], facts["messages"], facts["consumers"], facts["product"]) == (True, 3, 0, "RabbitMQ")
    gone = observe("amqp.queue", target, queue="gone").facts
    assert (gone["exists"], gone["broker_code"]) == (False, 404)
    assert client.get("/queues/%2F/gone").status_code == 404
    wrong = observe("amqp.queue", Target("broker", f"amqp://guest:wrong@127.0.0.1:{port}"), queue="orders").facts
    assert wrong["error"] == "auth"
    nowhere = observe("amqp.queue", Target("broker", f"amqp://127.0.0.1:{port}/none"), queue="orders").facts
    assert nowhere["broker_code"] == 530


def test_a_queue_over_tls(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The broker is trusted with the authority that signed its certificate only; plain text is an error as well."""
    home = tmp_path_factory.mktemp("rabbit-tls")
    signer = authority(home)
    signer.server("127.0.0.1")
    port, second, over_tls = free_port(), free_port(), free_port()
    certificate = home / "server.pem"
    certificate.chmod(0o644)
    files = {"cacertfile": signer.ca, "certfile": certificate, "keyfile": certificate}
    settings = f"listeners.ssl.local = 127.0.0.1:{over_tls}\nssl_options.verify = verify_none\n"
    settings += "".join(f"ssl_options.{name} = {file}\n" for name, file in files.items())
    with running(rabbitmq(home, port, second, settings), port, over_tls):
        url = f"amqps://guest:guest@127.0.0.1:{over_tls}"
        facts = observe("amqp.queue", Target("broker", url, tls=Tls(ca=signer.ca)), queue="orders").facts
        assert (facts["error"], facts["exists"], facts["product"]) == (None, False, "RabbitMQ")
        untrusted = observe("amqp.queue", Target("broker", url), queue="orders").facts
        assert (untrusted["error"], untrusted["exists"]) == ("tls", None)
        plain = observe("amqp.queue", Target("broker", f"amqp://127.0.0.1:{over_tls}"), queue="orders").facts
        assert plain["error"] in ("protocol", "reset")


def test_the_recipe_checks_a_queue(server: tuple[int, httpx.Client], tmp_path: Path) -> None:
    """A queue without a consumer fails."""
    port, client = server
    client.put("/queues/%2F/idle", json={}).raise_for_status()
    url = f"amqp://guest:guest@127.0.0.1:{port}"
    found = statuses(tmp_path, {"rabbitmq": url}, {"rabbitmq": {"queue": "idle"}})
    assert (found["rabbitmq:accepts"], found["rabbitmq:consumed"]) == (Status.PASS, Status.FAIL)
