"""Loads on workers against the server's own record, and workers that are lost at any moment; `make prove`."""

from __future__ import annotations

import asyncio
import math
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.scripted import Line, ReceivedRequest, ok, scripted
from tests.workers.dask_processes import DaskProcesses, dask_processes
from tests.workers.loads import load_by, watch_calls
from tests.workers.tcp_proxy import tcp_proxy
from xnai_validate.kit import Target
from xnai_validate.model.results.status import Status

NAMES = ("w0", "w1", "w2", "w3")
WAYS = ("killed", "stopped", "cut off", "replaced")
MOMENTS = 10
LOAD_S, WARMUP_S, RATE = 8.0, 1.0, 80
ARRIVALS = round((LOAD_S + WARMUP_S) * RATE)
"""Requests that the workers send together, those of the warm-up included."""
GONE_S = 30.0
PERCENTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}

pytestmark = pytest.mark.prove


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler and four workers."""
    with dask_processes(tmp_path_factory.mktemp("dask"), NAMES) as processes:
        yield processes


class Record:
    """What the server knows: when the first request came, how many it has answered, whether that is the whole load."""

    def __init__(self) -> None:
        self.first_at = 0.0
        self.answered = 0
        self.whole = threading.Event()

    async def answer(self, request: ReceivedRequest, line: Line) -> bool:
        """Answer, and count."""
        self.first_at = self.first_at or time.monotonic()
        await ok(b"{}")(request, line)
        self.answered += 1
        if self.answered == ARRIVALS:
            self.whole.set()
        return True


@pytest.mark.parametrize("moment", range(MOMENTS))
@pytest.mark.parametrize("way", WAYS)
def test_a_worker_that_is_lost_is_no_pass(
    dask: DaskProcesses,
    way: str,
    moment: int,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    """One of four workers is lost after a tenth, two tenths ... nine tenths of the load, or once all of it is answered.

    Lost before its result has arrived: an error that names it. Lost after that: a pass, and the server had answered
    every arrival before the loss. Either way nothing is left at the server.
    """
    name = NAMES[moment % len(NAMES)]
    received = watch_calls(monkeypatch)
    record = Record()
    lost_at: list[float] = []
    answered: list[int] = []
    with ExitStack() as exits:
        server = exits.enter_context(scripted(record.answer))
        port = free_port()
        dask.kill_worker(name)
        to_scheduler = exits.enter_context(tcp_proxy(dask.port))
        to_worker = exits.enter_context(tcp_proxy(port))
        at = ["--listen-address", f"tcp://127.0.0.1:{port}", "--contact-address", f"tcp://127.0.0.1:{to_worker.port}"]
        dask.start_worker(name, *at, url=f"tcp://127.0.0.1:{to_scheduler.port}")
        dask.await_workers()
        process = dask.workers[name]

        async def lose() -> None:
            due = record.first_at + WARMUP_S + LOAD_S * (moment + 1) / MOMENTS
            if moment < MOMENTS - 1:
                await asyncio.sleep(due - time.monotonic())
            else:
                assert await asyncio.to_thread(record.whole.wait, 60.0)
            lost_at.append(time.monotonic())
            if way == "cut off":
                to_scheduler.is_cut = to_worker.is_cut = True
            elif way == "stopped":
                os.kill(process.pid, signal.SIGSTOP)
            else:
                process.kill()
            answered.append(record.answered)
            if way == "replaced":
                dask.start_worker(name)

        try:
            outcome = load_by(
                dask.url,
                "load.http",
                Target("api", server.url()),
                beside=lose,
                within_s=90,
                arrivals={"rate": RATE},
                warmup=f"{WARMUP_S:g}s",
                for_=f"{LOAD_S:g}s",
            )
        finally:
            os.kill(process.pid, signal.SIGCONT)
        after_s = lost_at[0] - record.first_at - WARMUP_S if lost_at else None
        early_s = received[name] - lost_at[0] if lost_at and name in received else None
        record_property("loss", [way, moment, after_s, answered, early_s, str(outcome.status)])
        facts: Any = outcome.facts
        if name in received:
            assert answered in ([ARRIVALS], []), (way, moment, early_s)
            assert outcome.status is Status.PASS, (way, moment, outcome.reason)
            assert (facts["lost_workers"], facts["completed_count"]) == ([], round(LOAD_S * RATE))
            assert len(server.requests) == ARRIVALS
        else:
            assert lost_at
            assert outcome.status is Status.ERROR, (way, moment, outcome.reason)
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
def test_percentiles_are_those_of_the_servers_own_record(
    count: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """One, two and four workers on the same schedule: counts are equal, p50, p95 and p99 within 2 % of the record.

    The record has what the server took for each request, exact; the load adds what its workers were late, and what the
    request waited for in the server. On a machine without other work that is a few milliseconds of 600 and more.
    """
    draw = random.Random(7)
    took_s: list[float] = []

    async def serve(request: ReceivedRequest, line: Line) -> bool:
        begun = time.perf_counter()
        await asyncio.sleep(min(2.0, draw.lognormvariate(-0.5, 0.4)))
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        took_s.append(time.perf_counter() - begun)
        return True

    with scripted(serve) as server, dask_processes(tmp_path, NAMES[:count]) as dask:
        outcome = load_by(
            dask.url, "load.http", Target("api", server.url()), arrivals={"rate": 40}, for_="10s", within_s=90
        )
    assert outcome.status is Status.PASS, outcome.reason
    facts: Any = outcome.facts
    assert facts["workers"] == count
    assert facts["completed_count"] == len(server.requests) == len(took_s) == 400
    exact_ms = {name: sorted(took_s)[math.ceil(q * len(took_s)) - 1] * 1000 for name, q in PERCENTILES.items()}
    record_property("percentiles", {name: (facts[name], exact_ms[name]) for name in exact_ms})
    record_property("lag", {name: facts[name] for name in ("start_spread_ms", "lag_p99_ms", "lag_max_ms")})
    for name, exact in exact_ms.items():
        assert facts[name] == pytest.approx(exact, rel=0.02), name
