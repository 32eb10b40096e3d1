"""Workers in networks of their own, with their own addresses, whose cables are pulled; needs root and iproute2."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import eventually
from tests.extra.networks import HERE, Network, networks
from tests.ports import free_port
from tests.scripted import Line, ReceivedRequest, Scripted, ok, scripted
from tests.workers.dask_processes import DaskProcesses
from tests.workers.loads import load_by
from tests.workers.places import plan_from, run_from
from xnai_validate.kit import Target
from xnai_validate.model.results.status import Status

pytestmark = pytest.mark.extra
NAMES = ("edge", "inside")


@pytest.fixture(scope="module")
def places() -> Iterator[dict[str, Network]]:
    """Two networks."""
    with networks(NAMES) as made:
        yield made


@pytest.fixture
def dask(places: dict[str, Network], tmp_path: Path) -> Iterator[DaskProcesses]:
    """A scheduler here, and a worker in each network."""
    processes = DaskProcesses(tmp_path, HERE, free_port())
    try:
        processes.start_scheduler()
        for name, network in places.items():
            at = ("--listen-address", f"tcp://{network.address}:{free_port()}")
            processes.start_worker(name, *at, within=network.within)
        processes.await_workers()
        yield processes
    finally:
        processes.end()


def peer_of(line: Line) -> str:
    """The address that a connection is from."""
    return str(line.writer.get_extra_info("peername")[0])


def target_of(server: Scripted) -> Target:
    """The server as a target."""
    return Target("api", server.url())


def test_a_load_comes_from_each_network(dask: DaskProcesses, places: dict[str, Network]) -> None:
    """Each worker sends its half from its own address, and the facts count what the server was asked."""
    peers: list[str] = []

    async def answer(request: ReceivedRequest, line: Line) -> bool:
        peers.append(peer_of(line))
        return await ok(b"{}")(request, line)

    with scripted(answer, host=HERE) as server:
        outcome = load_by(dask.url, "load.http", target_of(server), arrivals={"rate": 80}, for_="2s")
    assert outcome.status is Status.PASS, outcome.reason
    assert outcome.facts["completed_count"] == len(peers) == 160
    assert {address: peers.count(address) for address in set(peers)} == {
        network.address: 80 for network in places.values()
    }


def test_a_load_whose_cable_is_pulled_is_no_pass(dask: DaskProcesses, places: dict[str, Network]) -> None:
    """The check is an error that names the worker; once the cable is plugged in again, the server has no connection."""

    async def pull() -> None:
        places["inside"].cut()

    with scripted(ok(b"{}"), host=HERE) as server:
        try:
            outcome = load_by(
                dask.url, "load.http", target_of(server), beside=pull, within_s=90, arrivals={"rate": 80}, for_="20s"
            )
        finally:
            places["inside"].join()
        assert outcome.status is Status.ERROR
        facts: Any = outcome.facts
        assert [lost.partition(" ")[0] for lost in facts["lost_workers"]] == ["inside"]
        assert [row["worker"].partition(" ")[0] for row in facts["by_worker"]] == ["edge"]
        assert eventually(lambda: len(server.gone) == server.connections, 120.0), "its share has ended by itself"


def test_a_check_whose_cable_is_pulled_is_no_pass(
    dask: DaskProcesses, places: dict[str, Network], tmp_path: Path
) -> None:
    """A worker that cannot answer any more is named, and what the other one has measured is kept."""

    async def answer(request: ReceivedRequest, line: Line) -> bool:
        if peer_of(line) == places["inside"].address:
            await asyncio.to_thread(places["inside"].cut)
            await line.reader.read()
            return False
        return await ok(b"{}")(request, line)

    with scripted(answer, host=HERE) as server:
        try:
            ended = run_from(dask.url, plan_from(target_of(server), "workers", timeout="50s"), tmp_path / "state")
        finally:
            places["inside"].join()
        assert eventually(lambda: len(server.gone) == server.connections, 120.0), "it has ended by itself"
    assert ended.status is Status.ERROR
    assert (ended.reason or "").startswith("pass at edge; error at inside: worker inside (tcp://")


def test_what_is_not_published_is_seen_from_inside_alone(
    dask: DaskProcesses, places: dict[str, Network], tmp_path: Path
) -> None:
    """A server on the loopback of one network: `host` and `port` of `tcp.connect` mean the place that measures."""
    port = free_port()
    serve = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with subprocess.Popen([*places["inside"].within, *serve], stderr=subprocess.DEVNULL, cwd=tmp_path) as hidden:
        try:
            with scripted(ok(b"{}"), host=HERE) as server:
                at: dict[str, Any] = {"kind": "tcp.connect", "host": "127.0.0.1", "port": port}

                def reached() -> bool:
                    ended = run_from(dask.url, plan_from(target_of(server), "inside", **at), tmp_path / "state")
                    return ended.status is Status.PASS

                assert eventually(reached, 60.0), "its port is open"
                ended = run_from(dask.url, plan_from(target_of(server), "local", "workers", **at), tmp_path / "state")
        finally:
            hidden.kill()
    assert ended.status is Status.FAIL
    assert [(place.name, place.status) for place in ended.vantage] == [
        ("local", Status.FAIL),
        ("edge", Status.FAIL),
        ("inside", Status.PASS),
    ]
    assert [place.facts["error"] for place in ended.vantage] == ["refused", "refused", None]


def test_a_target_on_loopback_is_not_measured_from_another_network(dask: DaskProcesses, tmp_path: Path) -> None:
    """There it would be another service: an error that names the worker, for a load and for a check."""
    with scripted(ok(b"{}")) as server:
        load = load_by(dask.url, "load.http", target_of(server), arrivals={"rate": 20}, for_="1s")
        ended = run_from(dask.url, plan_from(target_of(server), "inside"), tmp_path / "state")
        assert server.requests == []
    for status, reason in ((load.status, load.reason), (ended.status, ended.reason)):
        assert (status, "cannot reach: it is on another host" in (reason or "")) == (Status.ERROR, True), reason
