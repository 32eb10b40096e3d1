"""A load within its bounds: ended by the guard or a time limit it leaves nothing open; a slow client is reported."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.context import call_checker, check_context, observe
from tests.engine.plans import collect, engine_of, make, plan_of, results
from tests.scripted import Line, ReceivedRequest, Scripted, ok, scripted
from xnai_validate import registry
from xnai_validate.checkers.load._generator.line import SPARE_DESCRIPTORS
from xnai_validate.engine import Memory, SystemClock
from xnai_validate.kit import Facts, Target, Unmeasurable
from xnai_validate.model.histogram import Histogram
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.status import Status

pytestmark = pytest.mark.usefixtures("event_loop_kind")
Beside = Callable[["asyncio.Task[Facts]"], Coroutine[Any, Any, None]]


def measure(
    port: int, lasts: str, beside: Beside | None = None, *, within_s: float = 30.0, **with_: Any
) -> tuple[Any, list[Any], list[str]]:
    """The facts or the exception, the sockets that are open then, and the progress; `beside` is in the same loop."""

    async def run() -> tuple[Any, list[Any], list[str]]:
        texts: list[str] = []
        target = Target("api", f"http://127.0.0.1:{port}")
        params = {"for": lasts, **with_}

        async def made() -> Facts:
            async with check_context("load.http", target, timeout_s=within_s, progress=texts.append, **params) as ctx:
                return await call_checker(ctx)

        task = asyncio.create_task(made())
        other = asyncio.create_task(beside(task)) if beside else None
        [outcome] = await asyncio.gather(task, return_exceptions=True)
        left = sockets(port)
        if other is not None:
            other.cancel()
            await asyncio.gather(other, return_exceptions=True)
        return outcome, left, texts

    return asyncio.run(run())


def sockets(port: int) -> list[Any]:
    """The sockets of this process that lead to a port."""
    return [
        connection
        for connection in psutil.Process().net_connections("tcp")
        if connection.raddr and connection.raddr.port == port
    ]


async def hang(request: ReceivedRequest, line: Line) -> bool:
    await asyncio.sleep(60)
    return False


@contextmanager
def full_backlog() -> Iterator[int]:
    """A port that accepts no connection: its backlog is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        try:
            time.sleep(0.05)
            yield listener.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


async def cancel(task: asyncio.Task[Facts]) -> None:
    await asyncio.sleep(0.3)
    task.cancel()


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("with_", [{"arrivals": {"rate": 100}}, {"callers": 20}])
def test_a_load_that_is_cancelled_leaves_no_socket(with_: dict[str, Any], answers: bool) -> None:
    """Whatever it was doing, asking or waiting for answers."""
    with scripted(ok(b"hi") if answers else hang) as server:
        outcome, left, _ = measure(server.port, "20s", cancel, **with_)
        assert server.connections >= 1
    assert isinstance(outcome, asyncio.CancelledError)
    assert left == []
    assert sorted(server.gone) == list(range(1, server.connections + 1))


def test_a_load_that_is_cancelled_while_it_connects_leaves_no_socket() -> None:
    """Sockets on their way count too."""
    with full_backlog() as port:
        fillers = len(sockets(port))
        outcome, left, _ = measure(port, "20s", cancel, callers=5)
    assert isinstance(outcome, asyncio.CancelledError)
    assert len(left) == fillers


def test_time_outs_while_connecting_are_time_outs() -> None:
    """A server that does not even accept; nothing is left of it."""
    with full_backlog() as port:
        fillers = len(sockets(port))
        facts, left, _ = measure(port, "300ms", callers=5, timeout="200ms", stop_at=None)
    assert facts.error_kinds == {"timeout": facts.sent_count}
    assert facts.sent_count in (5, 10), "a second time only if the first was over before the end of the load"
    assert len(left) == fillers


def test_a_load_that_ends_leaves_no_descriptor() -> None:
    """Neither sockets nor the alarm's, after a whole load and after one that ended early."""
    with scripted(ok(status="500 Internal Server Error")) as server:
        before = len(os.listdir("/proc/self/fd"))
        for stop_at in (None, {"error_ratio": 0.5}):
            _, left, _ = measure(server.port, "300ms", callers=30, stop_at=stop_at)
            assert left == []
    assert len(os.listdir("/proc/self/fd")) <= before


def test_the_memory_guard_ends_a_load_that_runs(tmp_path: Path) -> None:
    """At `stop` the run ends with exit 5, and every socket of the load is closed."""
    percents = iter([20.0, 20.0])

    with scripted(hang) as server:
        found = registry.CHECKERS.get("load.http")
        params = found.params.model_validate({"callers": 10, "for": "60s"})
        check = make("load", found, target="api", params=params, rules=(), timeout_s=100.0)
        plan = plan_of(check, targets={"api": server.url()})
        sample = lambda: Memory(host_percent=next(percents, 99.0), own_mib=40.0)  # noqa: E731
        begun = time.monotonic()
        events = asyncio.run(collect(engine_of(plan, tmp_path, clock=SystemClock(), sample=sample)))
        assert sockets(server.port) == []
        assert server.connections == 10
    report, _ = results(events)
    assert (report.exit_code, report.run.stopped) == (5, "memory")
    assert time.monotonic() - begun < 20


def test_the_report_has_every_window_whole(tmp_path: Path) -> None:
    """Other facts are cut where they are long; these are for comparison with other runs, and are not."""

    async def spread(request: ReceivedRequest, line: Line) -> bool:
        await asyncio.sleep(len(server.requests) % 40 * 0.001)
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True

    with scripted(spread) as server:
        found = registry.CHECKERS.get("load.http")
        params = found.params.model_validate({"arrivals": {"rate": 300}, "for": "100ms", "warmup": "1s"})
        check = make("load", found, target="api", params=params, rules=(Rule("error_ratio", "equals", 0),))
        plan = plan_of(check, targets={"api": server.url()})
        events = asyncio.run(collect(engine_of(plan, tmp_path, clock=SystemClock())))
    [result] = results(events)[1].values()
    assert result.status is Status.PASS
    windows: Any = json.loads(json.dumps(result.facts["latency_windows"]))
    [histogram] = [Histogram.from_json(window) for window in windows["windows"]]
    assert histogram.count == 30


def test_progress_of_the_load_is_reported() -> None:
    """Twice a second, in one line."""
    with scripted(ok(b"hi")) as server:
        _, _, lines = measure(server.port, "900ms", arrivals={"rate": 50}, warmup="900ms")
    assert 2 <= len(lines) <= 3
    assert re.fullmatch(
        r"warm-up \d/0.9 s, \d+ answers/s, p50 [\d.]+ ms, p99 [\d.]+ ms, \d+ under way, 0 errors", lines[0]
    )
    assert re.fullmatch(
        r"load (\d/0.9 s|over, .*), \d+ answers/s(, p\d\d [\d.]+ ms)*, \d+ under way, 0 errors", lines[-1]
    )


class Hog:
    """Takes the processor from everything else in the loop, again and again, and notes how much of it it got.

    Meanwhile the server answers, however busy the machine is: what the client waits for is itself alone.
    """

    def __init__(self, server: Scripted, each_s: float, pause_s: float) -> None:
        self._server, self._each_s, self._pause_s = server, each_s, pause_s
        self._cpu_s = 0.0
        self._wall_s = 0.0

    async def spin(self, task: asyncio.Task[Facts]) -> None:
        begun = time.perf_counter()
        while True:
            self._server.answer_all()
            end, cpu_s = time.perf_counter() + self._each_s, time.thread_time()
            while time.perf_counter() < end:
                pass
            self._cpu_s += time.thread_time() - cpu_s
            self._wall_s = time.perf_counter() - begun
            await asyncio.sleep(self._pause_s)

    @property
    def cpu_ratio(self) -> float:
        """The share of a processor that it had: nearly one on a quiet machine, little where others want it too."""
        return self._cpu_s / self._wall_s


@pytest.mark.parametrize("with_", [{"arrivals": {"rate": 100}}, {"callers": 2}])
def test_a_client_that_is_held_up_reports_it(with_: dict[str, Any]) -> None:
    """Something else in our own loop takes the processor for 60 ms again and again: no latency of the server."""
    with scripted(ok(b"hi")) as server:
        hog = Hog(server, 0.06, 0.005)
        facts, _, _ = measure(server.port, "1s", hog.spin, **with_)
    assert facts.lag_p99_ms > 30
    assert facts.lag_max_ms >= facts.lag_p99_ms * 0.99
    assert facts.own_cpu_ratio > 0.5 * hog.cpu_ratio
    assert facts.too_slow_client is True


def test_a_slow_server_is_not_a_slow_client() -> None:
    """The latency is the server's, whatever a busy machine adds to it."""

    async def slow(request: ReceivedRequest, line: Line) -> bool:
        await asyncio.sleep(1.0)
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        return True

    with scripted(slow) as server:
        facts, _, _ = measure(server.port, "1s", arrivals={"rate": 20})
    assert facts.p50_ms >= 1000
    assert facts.too_slow_client is False
    assert facts.own_cpu_ratio < 0.9


def test_every_virtual_user_sends_a_request() -> None:
    """Also where the load is over before they begin, as when its process is held up: no request, no verdict."""
    with scripted(ok(b"hi")) as server:
        facts, left, _ = measure(server.port, "1us", callers=3)
    assert (facts.sent_count, facts.completed_count, facts.error_ratio) == (3, 3, 0)
    assert left == []


def test_more_connections_than_the_system_allows_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be raised is raised; beyond it the error names the next step, and nothing is sent."""
    limits = [(256, 1024)]
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: limits.append(limit))
    with scripted(ok(b"hi")) as server:
        outcome, _, _ = measure(server.port, "100ms", arrivals={"rate": 10}, connections=2000)
        assert isinstance(outcome, Unmeasurable)
        assert "2000 connections" in outcome.message
        assert server.requests == []
        facts, _, _ = measure(server.port, "100ms", arrivals={"rate": 10}, connections=500)
        assert facts.completed_count == 1
    assert limits == [(256, 1024), (500 + SPARE_DESCRIPTORS, 1024)]


def test_a_load_that_the_check_has_no_time_for_is_refused() -> None:
    """It would be cut, and taken for a stack that hangs."""
    with scripted(ok(b"hi")) as server:
        outcome, _, _ = measure(server.port, "20s", within_s=22.0, warmup="2s", callers=1)
        assert isinstance(outcome, Unmeasurable)
        assert outcome.message == "the load takes 22 s, and the check may take no longer than 22 s"
        assert server.requests == []


@pytest.mark.parametrize("with_", [{"arrivals": {"rate": 20}, "connections": 3}, {"callers": 3}])
def test_figures_are_reported_before_the_check_runs_out_of_time(with_: dict[str, Any]) -> None:
    """Requests that hang at the end of the load are abandoned, and what was measured is reported."""
    with scripted(hang) as server:
        facts, left, _ = measure(server.port, "500ms", within_s=1.5, **with_)
    assert facts.ended_because == "the check may take no longer than 1.5 s"
    assert facts.ended_early is True
    assert (facts.completed_count, facts.abandoned_count) == (0, 3)
    assert facts.not_sent_count == facts.planned_count - 3
    assert facts.error_ratio is None
    assert 450 <= facts.elapsed_ms < 1500
    assert left == []


def test_a_client_that_is_held_up_behind_few_connections_reports_it() -> None:
    """Arrivals queue for connections whose answers it does not read in time: no slowness of the server either."""
    with scripted(ok(b"hi")) as server:
        facts, _, _ = measure(server.port, "400ms", Hog(server, 0.1, 0.001).spin, arrivals={"rate": 200}, connections=1)
    assert facts.max_ms > 100
    assert facts.lag_p99_ms > 50
    assert facts.too_slow_client is True


def test_a_load_without_hope_ends_when_a_request_has_waited_too_long() -> None:
    """The server never answers: with `waited` a load of 20 s is over in less than one, and its figures are there."""

    async def silent(request: ReceivedRequest, line: Line) -> bool:
        await asyncio.sleep(60)
        return False

    with scripted(silent) as server:
        target = Target("api", server.url())
        with_ = {"arrivals": {"rate": 5}, "for": "20s", "timeout": "20s", "stop_at": {"waited": "600ms"}}
        facts = observe("load.http", target, **with_).facts
    assert facts["ended_early"]
    assert "a request has waited for" in facts["ended_because"]
    assert facts["elapsed_ms"] < 10_000
    assert facts["abandoned_count"] == facts["sent_count"] > 0
