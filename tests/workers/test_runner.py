"""Loads that workers send together: the figures of one process, and never a pass where a part was not measured."""

from __future__ import annotations

import asyncio
import contextvars
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.context import call_checker, check_context
from tests.eventually import eventually
from tests.ports import free_port
from tests.scripted import Line, ReceivedRequest, Scripted, ok, scripted
from tests.workers.dask_processes import DaskProcesses, dask_processes
from tests.workers.loads import load_by, watch_calls, when_under_way
from tests.workers.tcp_proxy import tcp_proxy
from xnai_validate.checkers.load._generator.arrivals import Arrivals, Randomness, Stage
from xnai_validate.checkers.load._generator.runner import RUNNER
from xnai_validate.engine.attempts.attempt import attempt
from xnai_validate.engine.attempts.outcome import Outcome
from xnai_validate.kit import Target
from xnai_validate.model.histogram import Histogram
from xnai_validate.model.results.status import Status
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.workers import worker_calls
from xnai_validate.workers.cluster import Cluster, Worker
from xnai_validate.workers.runner import WorkersRunner, loads_by_workers
from xnai_validate.workers.sealing import public_key
from xnai_validate.workers.sender import Sender

NAMES = ("w0", "w1", "w2", "w3")
GONE_S = 30.0


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler and four workers."""
    with dask_processes(tmp_path_factory.mktemp("dask"), NAMES) as processes:
        yield processes


@pytest.fixture
def server() -> Iterator[Scripted]:
    """A server that keeps its own record of what it was asked."""
    with scripted(ok(b"{}")) as state:
        yield state


def target_of(server: Scripted) -> Target:
    """The server as a target."""
    return Target("api", server.url())


def test_the_shares_together_are_the_load(dask: DaskProcesses, server: Scripted, tmp_path: Path) -> None:
    """Four workers send each arrival of the one schedule once, and their figures are those of all requests."""
    record = tmp_path / "requests.jsonl"
    outcome = load_by(
        dask.url,
        "load.http",
        target_of(server),
        arrivals={"rate": 101, "spacing": "poisson"},
        warmup="200ms",
        record=str(record),
        slices="1s",
        for_="2s",
    )
    assert outcome.status is Status.PASS, outcome.reason
    facts: Any = outcome.facts
    assert facts["workers"] == 4
    assert facts["lost_workers"] == []
    assert facts["not_measured_count"] == 0
    rows = facts["by_worker"]
    assert {row["worker"].partition(" ")[0] for row in rows} == set(NAMES)
    assert sum(row["sent"] for row in rows) == facts["sent_count"] == facts["completed_count"]
    assert max(row["sent"] for row in rows) - min(row["sent"] for row in rows) <= 1
    assert facts["slowest_worker"] == max(rows, key=lambda row: row["lag_p99_ms"])["worker"]
    assert facts["start_spread_ms"] <= 250
    assert sum(part["due"] for part in facts["slices"]) == facts["planned_count"]
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert len(lines) == facts["recorded_count"] == facts["sent_count"]
    due = sorted(line["due_ms"] for line in lines)
    alone = due_alone(101, 2.0)
    assert due == pytest.approx(alone, abs=0.01), "the union of the shares is the schedule of one process"
    samples = Histogram()
    samples.record_many(round((line["ended_ms"] - line["due_ms"]) * 1000) for line in lines)
    for name, q in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        exact = samples.quantile(q)
        assert exact is not None
        assert facts[name] == pytest.approx(exact / 1000, rel=0.01, abs=0.002)
    warmup = len(server.requests) - facts["sent_count"]
    assert warmup == len(due_alone(101, 0.2, seed=1)), "the server was asked what the facts count"


def due_alone(rate: float, for_s: float, seed: int = 0) -> list[float]:
    """The arrivals of a Poisson schedule in ms, as one process has them."""
    return [s * 1000 for s in Arrivals([Stage(rate, rate, for_s)], Randomness(1.0, seed))]


def test_streams_and_virtual_users_are_divided(dask: DaskProcesses) -> None:
    """Six virtual users of streams are sent by four workers, and every token is counted."""

    async def stream(request: ReceivedRequest, line: Line) -> bool:
        body = b"".join(b'data: {"token": "x"}\n\n' for _ in range(5)) + b"data: [DONE]\n\n"
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        await line.send(body)
        await asyncio.sleep(0.05)
        return False

    with scripted(stream) as server:
        outcome = load_by(
            dask.url, "load.sse", target_of(server), path="/stream", json={"q": "x"}, callers=6, for_="1s"
        )
    assert outcome.status is Status.PASS, outcome.reason
    facts: Any = outcome.facts
    assert facts["workers"] == 4
    assert facts["sent_count"] == facts["completed_count"] == len(server.requests)
    assert facts["events"] == 6 * facts["sent_count"]
    assert server.connections == facts["connection_count"]


def test_a_worker_that_is_killed_is_no_pass(dask: DaskProcesses, server: Scripted) -> None:
    """The check is an error that names the worker; what the others measured is kept, and nothing goes on anywhere."""

    async def kill() -> None:
        dask.kill_worker("w2")

    outcome = load_by(
        dask.url,
        "load.http",
        target_of(server),
        beside=kill,
        within_s=90,
        arrivals={"rate": 80},
        for_="20s",
    )
    dask.start_worker("w2")
    is_error_about(outcome, "w2")
    nothing_left_at(server)
    dask.await_workers()


def is_error_about(outcome: Outcome, name: str) -> None:
    """The check is an error that names the worker, with the figures of the other three."""
    assert outcome.status is Status.ERROR
    facts: Any = outcome.facts
    [lost] = facts["lost_workers"]
    assert lost.startswith(f"{name} ")
    assert outcome.reason is not None
    assert lost in outcome.reason
    assert len(facts["by_worker"]) == 3
    assert facts["sent_count"] == sum(row["sent"] for row in facts["by_worker"]) > 0
    assert facts["not_measured_count"] == 400
    assert facts["ended_early"]


def nothing_left_at(server: Scripted) -> None:
    """Every connection of the server has ended."""
    until = time.monotonic() + GONE_S
    while len(server.gone) < server.connections:
        assert time.monotonic() < until, f"{server.connections - len(server.gone)} connections are open"
        time.sleep(0.05)


@pytest.mark.parametrize("when", ["before its result has arrived", "once its result has arrived"])
def test_a_result_counts_once_it_has_arrived(
    dask: DaskProcesses, server: Scripted, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is killed after its last answer and before its result has arrived is no pass; after that it is."""
    arrivals, is_early = 40, when.startswith("before")
    begun: set[str] = set()

    async def kill_early(worker: Worker, function: Callable[..., Any]) -> None:
        if worker.name != "w2" or not is_early:
            return
        if function is worker_calls.start:
            begun.add("w2")
        elif function is worker_calls.poll and "w2" in begun and "w2" in dask.workers:
            assert await asyncio.to_thread(eventually, lambda: len(server.requests) == arrivals, 60.0)
            server.answer_all()
            dask.kill_worker("w2")

    def kill_late(worker: Worker) -> None:
        if worker.name == "w2" and not is_early:
            dask.kill_worker("w2")

    received = watch_calls(monkeypatch, kill_early, kill_late)
    outcome = load_by(dask.url, "load.http", target_of(server), within_s=90, arrivals={"rate": arrivals}, for_="1s")
    dask.start_worker("w2")
    facts: Any = outcome.facts
    assert len(server.requests) == arrivals, "the server has answered all of them either way"
    if is_early:
        assert (outcome.status, facts["not_measured_count"]) == (Status.ERROR, arrivals / 4), outcome.reason
        assert [lost.partition(" ")[0] for lost in facts["lost_workers"]] == ["w2"]
    else:
        assert (outcome.status, facts["completed_count"]) == (Status.PASS, arrivals), outcome.reason
    assert ("w2" in received) != is_early
    nothing_left_at(server)
    dask.await_workers()


def test_a_worker_that_hangs_is_no_pass(dask: DaskProcesses, server: Scripted) -> None:
    """A worker that is stopped in the middle is lost for the run; once it goes on, it ends its share by itself."""

    async def hang() -> None:
        os.kill(dask.workers["w1"].pid, signal.SIGSTOP)

    try:
        outcome = load_by(
            dask.url,
            "load.http",
            target_of(server),
            beside=hang,
            within_s=90,
            arrivals={"rate": 80},
            for_="20s",
        )
    finally:
        os.kill(dask.workers["w1"].pid, signal.SIGCONT)
    is_error_about(outcome, "w1")
    nothing_left_at(server)


def test_a_worker_whose_network_is_cut_is_no_pass(dask: DaskProcesses, server: Scripted) -> None:
    """A worker that is cut off is named, and ends its share by itself: nobody asks for it any more."""
    port = free_port()
    dask.kill_worker("w3")
    with tcp_proxy(dask.port) as to_scheduler, tcp_proxy(port) as to_worker:
        at = ["--listen-address", f"tcp://127.0.0.1:{port}", "--contact-address", f"tcp://127.0.0.1:{to_worker.port}"]
        dask.start_worker("w3", *at, url=f"tcp://127.0.0.1:{to_scheduler.port}")
        dask.await_workers()

        async def cut() -> None:
            to_scheduler.is_cut = to_worker.is_cut = True

        outcome = load_by(
            dask.url, "load.http", target_of(server), beside=cut, within_s=90, arrivals={"rate": 80}, for_="20s"
        )
        is_error_about(outcome, "w3")
        nothing_left_at(server)
        dask.kill_worker("w3")
    dask.start_worker("w3")
    dask.await_workers()


def test_an_interrupt_ends_all_shares(dask: DaskProcesses) -> None:
    """When the check is cancelled, the workers end their loads within a second and leave no connection."""
    gone_after_s: list[float] = []

    async def slow(request: ReceivedRequest, line: Line) -> bool:
        await line.reader.read()
        return False

    with scripted(slow) as server:

        async def run() -> None:
            under_way = asyncio.Event()
            seen = when_under_way(under_way)
            with_: Any = {"callers": 8, "for": "30s", "timeout": "30s"}
            async with (
                loads_by_workers(dask.url, Masker(()), allow_plain=False),
                check_context("load.http", target_of(server), timeout_s=90, progress=seen, **with_) as ctx,
            ):
                check = asyncio.create_task(call_checker(ctx))
                await under_way.wait()
                check.cancel()
                begun = time.monotonic()
                await asyncio.wait((check,))
                gone_after_s.append(time.monotonic() - begun)
                assert check.cancelled()

        asyncio.run(run())
        nothing_left_at(server)
        assert server.connections == 8
    assert gone_after_s[0] < 5


def test_loads_of_one_group_are_sent_at_the_same_time(dask: DaskProcesses, server: Scripted) -> None:
    """Checks that run together load together; a load of another run meanwhile is refused, and costs them nothing."""

    async def run() -> tuple[Outcome, Outcome, Outcome]:
        begun = [asyncio.Event(), asyncio.Event()]

        async def load(progress: Callable[[str], None] = lambda text: None) -> Outcome:
            arrivals: dict[str, Any] = {"arrivals": {"rate": 40}, "for": "2s"}
            async with check_context("load.http", target_of(server), progress=progress, **arrivals) as ctx:
                return await attempt(ctx.measurement, ctx, 60.0)

        async def load_of_another_run() -> Outcome:
            for each in begun:
                await each.wait()
            async with loads_by_workers(dask.url, Masker(()), allow_plain=False):
                return await load()

        async with loads_by_workers(dask.url, Masker(()), allow_plain=False):
            first, second = (asyncio.create_task(load(when_under_way(each))) for each in begun)
            other = asyncio.create_task(load_of_another_run(), context=contextvars.Context())
            return await first, await second, await other

    first, second, other = asyncio.run(run())
    assert [outcome.status for outcome in (first, second)] == [Status.PASS, Status.PASS], (first.reason, second.reason)
    assert [outcome.facts["completed_count"] for outcome in (first, second)] == [80, 80]
    assert len(server.requests) == 160
    assert (other.status, "refused: it sends a load of another run" in (other.reason or "")) == (Status.ERROR, True)


class ThisProcess(Cluster):
    """A cluster of one worker that is this process, and whose figures lack an arrival."""

    def __init__(self, lacks: int) -> None:
        network, key = worker_calls.network(), public_key()
        self.workers = (Worker("w0", "tcp://127.0.0.1:1", "here", os.getpid(), network, key=key),)
        self.is_private, self.lost, self.lacks = True, {}, lacks

    async def call(self, worker: Worker, function: Callable[..., Any], *args: Any, within_s: float = 0.0) -> Any:
        """Call a function here."""
        answer = function(*args)
        answer = await answer if asyncio.iscoroutine(answer) else answer
        if isinstance(answer, dict) and "part" in answer:
            answer["part"]["load"]["sent"] -= self.lacks
        return answer


@pytest.mark.parametrize("lacks", [0, 1])
def test_figures_that_are_not_those_of_the_share_are_no_pass(server: Scripted, lacks: int) -> None:
    """A worker whose arrivals are not those of its share is lost: an error that names both numbers."""

    async def run() -> Outcome:
        cluster = ThisProcess(lacks)
        RUNNER.set(WorkersRunner(cluster, Sender(cluster, Masker(()), allow_plain=False)))
        with_: dict[str, Any] = {"arrivals": {"rate": 50}, "for": "400ms"}
        async with check_context("load.http", target_of(server), **with_) as ctx:
            return await attempt(ctx.measurement, ctx, 60.0)

    outcome = asyncio.run(run())
    assert outcome.status is (Status.ERROR if lacks else Status.PASS), outcome.reason
    assert ("it counted 19 arrivals, but its share of the schedule has 20" in (outcome.reason or "")) == bool(lacks)
