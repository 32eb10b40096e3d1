"""Checks from workers: judged from each place, and never a pass where a place was not measured."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.tool import report, tool
from tests.eventually import eventually
from tests.ports import free_port
from tests.scripted import Line, ReceivedRequest, Scripted, ok, scripted
from tests.workers.dask_processes import DaskProcesses, dask_processes
from tests.workers.places import CHECK, broken_for, client_of, plan_from, run_from
from tests.workers.tcp_proxy import tcp_proxy
from xnai_validate.engine import Engine
from xnai_validate.errors import ConfigError
from xnai_validate.kit import Target
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Retry
from xnai_validate.workers import measurement_calls
from xnai_validate.workers.cluster import Cluster, Worker, open_cluster
from xnai_validate.workers.vantage_points import WorkerPoints, places_of


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler and two workers, of which one has a resource."""
    with dask_processes(tmp_path_factory.mktemp("dask"), ("edge",)) as processes:
        start_inside(processes)
        yield processes


def start_inside(processes: DaskProcesses) -> None:
    """Start the worker with the resource."""
    processes.start_worker("inside", "--resources", "dmz=1")
    processes.await_workers()


def target_of(server: Scripted) -> Target:
    """The server as a target."""
    return Target("api", server.url())


def left_at(url: str) -> list[str]:
    """The measurements that workers have not forgotten."""

    def runs() -> list[str]:  # a worker gets the code of a function that it cannot import
        return list(measurement_calls.RUNS)

    async def ask() -> list[str]:
        async with open_cluster(url) as cluster:
            answers = [await cluster.call(worker, runs) for worker in cluster.workers]
        return [nonce for answer in answers for nonce in answer]

    return asyncio.run(ask())


def test_a_check_passes_where_it_passes_from_each_place(dask: DaskProcesses, tmp_path: Path) -> None:
    """Every worker and this process send a request of their own, and the result has all three."""
    with scripted(ok(b'{"a": 1}', "Content-Type: application/json")) as server:
        plan = plan_from(target_of(server), "local", "workers", expect={"json": {"$.a": 1}})
        ended = run_from(dask.url, plan, tmp_path)
        assert len(server.requests) == 3
    assert (ended.status, ended.reason, ended.attempts) == (Status.PASS, None, 1)
    assert [(place.name, place.status) for place in ended.vantage] == [
        ("local", Status.PASS),
        ("edge", Status.PASS),
        ("inside", Status.PASS),
    ]
    assert all(place.facts["json"] == {"a": 1} and len(place.findings) == 3 for place in ended.vantage)
    assert left_at(dask.url) == []


def test_the_report_shows_from_where_it_fails(dask: DaskProcesses, tmp_path: Path) -> None:
    """A resource names a place as well; facts and evidence of the check are those of the place where it fails."""
    with scripted(broken_for(dask.workers["inside"].pid)) as server:
        ended = run_from(dask.url, plan_from(target_of(server), "edge", "dmz"), tmp_path)
    assert ended.status is Status.FAIL
    assert ended.reason == "pass at edge; fail at dmz (inside): status: expected 200, got 503"
    assert [(place.name, place.status, place.facts["status"]) for place in ended.vantage] == [
        ("edge", Status.PASS, 200),
        ("dmz (inside)", Status.FAIL, 503),
    ]
    assert ended.facts["status"] == 503
    assert [exchange.response for exchange in ended.exchanges] == ["503 Service Unavailable"]


def test_a_worker_that_is_killed_is_no_pass(dask: DaskProcesses, tmp_path: Path) -> None:
    """The check is an error that names the worker, and what the other place has measured is kept."""
    inside = dask.workers["inside"].pid
    killed: list[str] = []

    async def answer(request: ReceivedRequest, line: Line) -> bool:
        if await asyncio.to_thread(client_of, line) == inside:
            dask.kill_worker("inside")
            killed.append("inside")
            return False
        return await ok(b"{}")(request, line)

    with scripted(answer) as server:
        ended = run_from(dask.url, plan_from(target_of(server), "workers"), tmp_path)
    start_inside(dask)
    assert killed
    assert ended.status is Status.ERROR
    assert ended.reason is not None
    assert ended.reason.startswith("pass at edge; error at inside: worker inside (tcp://")
    assert [place.status for place in ended.vantage] == [Status.PASS, Status.ERROR]


def test_a_worker_that_hangs_is_no_pass(dask: DaskProcesses, tmp_path: Path) -> None:
    """A worker that does not answer for 5 s is lost for the run, which a second attempt does not wait for again."""
    inside = dask.workers["inside"].pid
    stopped: list[int] = []

    async def answer(request: ReceivedRequest, line: Line) -> bool:
        if await asyncio.to_thread(client_of, line) == inside:
            os.kill(inside, signal.SIGSTOP)
            stopped.append(line.number)
        return await ok(b"{}")(request, line)

    try:
        with scripted(answer) as server:
            plan = plan_from(target_of(server), "workers", retry=Retry(2, 0.0))
            ended = run_from(dask.url, plan, tmp_path)
    finally:
        os.kill(inside, signal.SIGCONT)
    assert len(stopped) == 1
    assert (ended.status, ended.attempts) == (Status.ERROR, 2)
    assert ended.reason is not None
    assert ended.reason.startswith("pass at edge; error at inside: not measured: it was lost before: worker inside (")
    assert eventually(lambda: left_at(dask.url) == [], 60.0), "what goes on again ends with its lease"


def test_a_worker_that_is_cut_off_is_no_pass(dask: DaskProcesses, tmp_path: Path) -> None:
    """A worker whose network is cut while it measures is named, and ends its measurement by itself with its lease."""
    port = free_port()
    dask.kill_worker("inside")
    with tcp_proxy(dask.port) as to_scheduler, tcp_proxy(port) as to_worker:
        at = ["--listen-address", f"tcp://127.0.0.1:{port}", "--contact-address", f"tcp://127.0.0.1:{to_worker.port}"]
        dask.start_worker("inside", *at, "--resources", "dmz=1", url=f"tcp://127.0.0.1:{to_scheduler.port}")
        dask.await_workers()
        inside = dask.workers["inside"].pid
        cut: list[int] = []

        async def answer(request: ReceivedRequest, line: Line) -> bool:
            if await asyncio.to_thread(client_of, line) != inside:
                return await ok(b"{}")(request, line)
            to_scheduler.is_cut = to_worker.is_cut = True
            cut.append(line.number)
            await line.reader.read()  # until the worker closes the connection
            return False

        with scripted(answer) as server:
            plan = plan_from(target_of(server), "workers", timeout="50s", retry=Retry(2, 0.0))
            ended = run_from(dask.url, plan, tmp_path)
            assert eventually(lambda: len(server.gone) == server.connections, 60.0), "it ends with its lease"
        dask.kill_worker("inside")
    start_inside(dask)
    assert len(cut) == 1
    assert (ended.status, ended.attempts) == (Status.ERROR, 2)
    assert [(place.name, place.status) for place in ended.vantage] == [("edge", Status.PASS), ("inside", Status.ERROR)]
    assert (ended.vantage[1].reason or "").startswith("not measured: it was lost before: worker inside (tcp://")


def test_an_interrupt_ends_what_workers_measure(dask: DaskProcesses, tmp_path: Path) -> None:
    """When the run is stopped, every worker closes its connection within a second, and nothing is left there."""
    asked: list[int] = []
    took_s: list[float] = []

    async def hold(request: ReceivedRequest, line: Line) -> bool:
        asked.append(line.number)
        await line.reader.read()
        return False

    with scripted(hold) as server:

        async def stop(engine: Engine) -> None:
            assert await asyncio.to_thread(eventually, lambda: len(asked) == 2, 60.0)
            engine.stop("interrupted")
            begun = time.monotonic()
            assert await asyncio.to_thread(eventually, lambda: len(server.gone) == 2, 60.0)
            took_s.append(time.monotonic() - begun)

        with pytest.raises(KeyError):  # a check that is interrupted does not end
            run_from(dask.url, plan_from(target_of(server), "workers", timeout="50s"), tmp_path, beside=stop)
    assert took_s[0] < 10
    assert left_at(dask.url) == []


def test_the_time_limit_of_the_check_holds_on_workers(dask: DaskProcesses, tmp_path: Path) -> None:
    """A server that does not answer in the time of the check fails it, at each place."""

    async def hold(request: ReceivedRequest, line: Line) -> bool:
        await line.reader.read()
        return False

    with scripted(hold) as server:
        plan = plan_from(target_of(server), "workers", timeout_s=0.5, timeout="40s")
        ended = run_from(dask.url, plan, tmp_path)
        assert eventually(lambda: len(server.gone) == 2)
    assert (ended.status, ended.reason) == (Status.FAIL, "fail at edge, inside: no result within 0.5 s")


def test_other_kinds_measure_from_workers(dask: DaskProcesses, tmp_path: Path) -> None:
    """A connection that is refused is a fact at each place; hosts and names are looked up by each worker."""
    with scripted(ok(b"{}")) as server:
        target = target_of(server)
        ended = run_from(dask.url, plan_from(target, "workers", kind="tcp.connect", hold="10ms"), tmp_path)
        assert (ended.status, [place.facts["held"] for place in ended.vantage]) == (Status.PASS, [True, True])
    expect: Any = {"error": "refused"}
    ended = run_from(dask.url, plan_from(target, "workers", kind="tcp.connect", expect=expect), tmp_path)
    assert ended.status is Status.PASS
    with scripted(ok(b"{}")) as other:
        at: dict[str, Any] = {"host": "localhost", "port": other.port, "hold": "10ms"}
        ended = run_from(dask.url, plan_from(target, "workers", kind="tcp.connect", **at), tmp_path)
        assert (ended.status, other.connections) == (Status.PASS, 2), "the host and port of `with`, not of the target"
        assert [place.facts["address"] for place in ended.vantage] == ["127.0.0.1", "127.0.0.1"]
    plan = plan_from(target, "workers", kind="dns.resolve", name="localhost")
    assert run_from(dask.url, plan, tmp_path).status is Status.PASS


def test_a_name_that_no_worker_has_is_an_error_of_the_suite(dask: DaskProcesses, tmp_path: Path) -> None:
    """The run does not begin; the error has the place, the nearest name and all that are connected."""
    with scripted(ok(b"{}")) as server:
        with pytest.raises(ConfigError) as error:
            run_from(dask.url, plan_from(target_of(server), "edge", "insde"), tmp_path)
        assert server.requests == []
    assert error.value.message == 'checks/net/places.yaml:3: no worker "insde" is connected, by name or by resource'
    assert error.value.hint == 'did you mean "inside"?; connected: dmz, edge, inside'


def test_a_worker_named_local_is_not_taken_for_this_process() -> None:
    """Its result would stand in the place of that of this process, which would be lost."""
    workers = (Worker("edge", "tcp://h:1", "h", 1, "n"), Worker("local", "tcp://h:2", "h", 2, "n", ("dmz",)))
    client: Any = None
    sender: Any = None
    points = WorkerPoints(Cluster(client, workers, is_private=True), sender)
    assert [point.name for point in points.points(["workers"])] == ["edge", "local (tcp://h:2)"]
    assert [point.name for point in points.points(["dmz"])] == ["dmz (local (tcp://h:2))"]


def test_places_of_checks_are_those_of_their_names() -> None:
    """A worker that is named twice measures once; what is measured here alone has no place."""
    named = (("edge", ("dmz",)), ("inside", ("dmz",)))
    workers = tuple(Worker(name, f"tcp://{name}:1", "h", 1, "n", resources) for name, resources in named)
    target = Target("api", "http://127.0.0.1:1")
    for places, expected in (
        (("edge", "workers"), ("tcp://edge:1", "tcp://inside:1")),
        (("dmz", "local"), ("tcp://edge:1", "tcp://inside:1")),
        (("inside",), ("tcp://inside:1",)),
    ):
        assert places_of(plan_from(target, *places), workers) == {CHECK: expected}
    assert places_of(plan_from(target, "local"), workers) == {}


SUITE = """
title: Places
defaults: {from: [edge, dmz], target: api}
checks:
  - id: reached
    title: The service is reached from both networks
    kind: http.request
    with: {path: /}
    expect: {status: 200}
  - id: files
    title: A file of this host is there
    kind: file.state
    with: {path: profiles/net.yaml}
"""


def test_a_run_shows_where_a_check_fails(dask: DaskProcesses, tmp_path: Path) -> None:
    """On the command line: exit 1, and the terminal and the JSON report name the place; other kinds stay here."""
    for name in ("checks/net", "profiles"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "checks/net/places.yaml").write_text(SUITE)
    with scripted(broken_for(dask.workers["inside"].pid)) as server:
        profile = {"title": "Net", "suites": ["net/*"], "targets": {"api": {"url": server.url()}}}
        (tmp_path / "profiles/net.yaml").write_text(json.dumps(profile))
        ended = tool(tmp_path, "run", "net", "--workers", dask.url, "-o", "report.json")
    assert ended.code == 1, ended.stderr
    assert "pass at edge; fail at dmz (inside): status: expected 200, got 503" in " ".join(ended.stdout.split())
    reached, files = report(tmp_path / "report.json").checks
    assert [(place.name, str(place.status)) for place in reached.vantage] == [
        ("edge", "pass"),
        ("dmz (inside)", "fail"),
    ]
    assert (str(files.status), files.vantage) == ("pass", ())
