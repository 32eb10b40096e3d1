"""Loads on workers against the server's own record, and workers that are lost at any moment; `make prove`."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.scripted import Line, ReceivedRequest, ok, scripted
from tests.workers.dask_processes import DaskProcesses, dask_processes
from tests.workers.loads import load_by
from tests.workers.tcp_proxy import tcp_proxy
from xnai_validate.kit import Target
from xnai_validate.model.histogram import Histogram
from xnai_validate.model.results.status import Status

NAMES = ("w0", "w1", "w2", "w3")
WAYS = ("killed", "stopped", "cut off", "replaced")
MOMENTS = 10
LOAD_S = 8.0
LOST_WITHIN_S = 6.0
"""In which part of the load the moments are: what is known of its begin is late where the machine is busy."""
GONE_S = 30.0

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler and four workers."""
    with dask_processes(tmp_path_factory.mktemp("dask"), NAMES) as processes:
        yield processes


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("way", WAYS)
def test_a_worker_that_is_lost_is_no_pass(dask: DaskProcesses, way: str, moment: int) -> None:
    """Whenever and however one of four workers is lost: an error that names it, and nothing left at the server."""
    name = NAMES[moment % len(NAMES)]
    with ExitStack() as exits:
        server = exits.enter_context(scripted(ok(b"{}")))
        port = free_port()
        dask.kill_worker(name)
        to_scheduler = exits.enter_context(tcp_proxy(dask.port))
        to_worker = exits.enter_context(tcp_proxy(port))
        at = ["--listen-address", f"tcp://127.0.0.1:{port}", "--contact-address", f"tcp://127.0.0.1:{to_worker.port}"]
        dask.start_worker(name, *at, url=f"tcp://127.0.0.1:{to_scheduler.port}")
        dask.await_workers()
        process = dask.workers[name]

        async def lose() -> None:
            await asyncio.sleep(moment * LOST_WITHIN_S / MOMENTS)
            if way == "cut off":
                to_scheduler.is_cut = to_worker.is_cut = True
            elif way == "stopped":
                os.kill(process.pid, signal.SIGSTOP)
            else:
                process.kill()
                if way == "replaced":
                    dask.start_worker(name)

        try:
            outcome = load_by(
                dask.url,
                "load.http",
                Target("api", server.url()),
                beside=lose,
                within_s=90,
                arrivals={"rate": 80},
                warmup="1s",
                for_=f"{LOAD_S:g}s",
            )
        finally:
            os.kill(process.pid, signal.SIGCONT)
        assert outcome.status is Status.ERROR, (way, moment, outcome.reason)
        facts: Any = outcome.facts
        assert [lost.partition(" ")[0] for lost in facts["lost_workers"]] == [name]
        assert f"worker {name} " in (outcome.reason or "")
        until = time.monotonic() + GONE_S
        while len(server.gone) < server.connections:
            assert time.monotonic() < until, "connections are left at the server"
            time.sleep(0.05)
        process.kill()
        process.wait()
        if way != "replaced":
            dask.start_worker(name)
    dask.await_workers()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_percentiles_are_those_of_the_servers_own_record(count: int, tmp_path: Path) -> None:
    """One, two and four workers on the same schedule: counts are equal, p50, p95 and p99 within 2 % of the record."""
    draw = random.Random(7)
    record = Histogram()

    async def serve(request: ReceivedRequest, line: Line) -> bool:
        begun = time.perf_counter()
        await asyncio.sleep(min(2.0, draw.lognormvariate(-0.5, 0.4)))
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        record.record(int((time.perf_counter() - begun) * 1e6))
        return True

    with scripted(serve) as server, dask_processes(tmp_path, NAMES[:count]) as dask:
        outcome = load_by(
            dask.url, "load.http", Target("api", server.url()), arrivals={"rate": 40}, for_="10s", within_s=90
        )
    assert outcome.status is Status.PASS, outcome.reason
    facts: Any = outcome.facts
    assert facts["workers"] == count
    assert facts["completed_count"] == len(server.requests) == record.count == 400
    for name, q in (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        exact_us = record.quantile(q)
        assert exact_us is not None
        assert facts[name] == pytest.approx(exact_us / 1000, rel=0.02), name
