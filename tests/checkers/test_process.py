"""Processes are measured for real: small Python programs that do what a leaking or dying server does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from tests.checkers.container_api import container_api
from tests.context import observe
from xnai_validate import registry
from xnai_validate.kit import Facts, NotApplicable, Params, Target, Unmeasurable, checker

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a Python program and wait for its first line; it is ended at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


def of(process: subprocess.Popen[str]) -> Target:
    return Target("api", pid=process.pid)


def test_a_process_is_described(start: Start) -> None:
    """Memory, threads, children, zombies and open files of a process are the ones it made."""
    one = start(
        "import os, subprocess, threading, time\n"
        "kept = bytearray(os.urandom(1)) * (40 << 20)\n"
        "files = [open(os.devnull) for _ in range(25)]\n"
        "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "child = subprocess.Popen(['sleep', '60']); dead = subprocess.Popen(['true'])\n"
        "os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)\n"
        "print('ready', flush=True); input(); child.kill()"
    )
    seen = observe("process.state", of(one))
    try:
        assert seen.held
        facts = seen.facts
        assert (facts["threads"], facts["children"], facts["zombies"], facts["pid"]) == (2, 1, 1, one.pid)
        assert 40 < facts["rss_mib"] < 120
        assert facts["tree_rss_mib"] > facts["rss_mib"]
        assert facts["open_files"] == 28
        assert facts["nofile_limit"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert facts["cpu_percent"] < 90
        assert facts["age_s"] < 60
    finally:
        one.communicate("\n", timeout=10)


def test_a_busy_process_shows_its_use_of_the_processor(start: Start) -> None:
    """A process that spins uses far more of a processor than one that waits."""
    busy = start("print('ready', flush=True)\nwhile True: pass")
    idle = start("print('ready', flush=True); input()")
    used = observe("process.state", of(busy), cpu_window="500ms").facts["cpu_percent"]
    assert used > 5 + 3 * observe("process.state", of(idle)).facts["cpu_percent"]
    assert observe("process.state", of(idle), cpu_window="0s").facts["cpu_percent"] is None


def test_a_process_that_ended_does_not_run(start: Start) -> None:
    """A zombie and a pid that is no more are `running: false`, which fails by default."""
    one = start("print('ready', flush=True); input()")
    target = of(one)
    assert one.stdin is not None
    one.stdin.close()
    os.waitid(os.P_PID, one.pid, os.WEXITED | os.WNOWAIT)
    seen = observe("process.state", target)
    assert not seen.held
    assert (seen.facts["running"], seen.facts["status"]) == (False, "zombie")
    one.wait()
    assert observe("process.state", target).facts["running"] is False


def test_open_files_can_be_left_out(start: Start) -> None:
    """Without `open_files` no right of the process's user is needed, and the facts are null."""
    seen = observe("process.state", of(start("print('ready', flush=True); input()")), open_files=False)
    assert (seen.facts["open_files"], seen.facts["nofile_limit"]) == (None, None)
    assert seen.facts["threads"] == 1


def test_a_target_without_process_is_not_applicable(tmp_path: Any) -> None:
    """Where neither pid nor container is known the check is skipped, and likewise without a container engine."""
    with pytest.raises(NotApplicable, match="neither a pid nor a container"):
        observe("process.state", Target("api", "http://127.0.0.1:1"))
    with pytest.raises(NotApplicable, match="no container engine socket"):
        observe("process.state", Target("api", container="xnai_rag_api"), socket=f"{tmp_path}/none.sock")


def test_the_main_process_of_a_container_is_found(start: Start, tmp_path: Path) -> None:
    """The engine of a container tells its pid, which counts only if it means the same process here."""
    one = start("print('ready', flush=True); input()")
    group = Path(f"/proc/{one.pid}/cgroup").read_text().splitlines()[0]
    api = Target("api", container="xnai_rag_api")
    with container_api(tmp_path / "engine.sock") as engine:
        engine.give("GET /containers/xnai_rag_api/json", {"Id": group, "State": {"Running": True, "Pid": one.pid}})
        assert observe("process.state", api, socket=engine.path).facts["pid"] == one.pid
        engine.give("GET /containers/xnai_rag_api/json", {"Id": "f" * 64, "State": {"Running": True, "Pid": one.pid}})
        with pytest.raises(NotApplicable, match="cannot be seen from here"):
            observe("process.state", api, socket=engine.path)
        engine.give("GET /containers/xnai_rag_api/json", {"Id": group, "State": {"Running": False, "Pid": 0}})
        assert observe("process.state", api, socket=engine.path).facts["running"] is False
        engine.give("GET /containers/xnai_rag_api/json", {"message": "No such container: xnai_rag_api"}, 404)
        assert observe("process.state", api, socket=engine.path).facts["running"] is False
        engine.give("GET /containers/xnai_rag_api/json", {"message": "broken"}, 500)
        with pytest.raises(Unmeasurable, match="500: broken"):
            observe("process.state", api, socket=engine.path)


class AskParams(Params):
    """One line for the process."""

    line: str = "work"


class Answer(Facts):
    """Its answer."""

    answer: str


WORKER: list[subprocess.Popen[str]] = []


@checker("worker.ask", expect={"answer": "done"})
async def ask(params: AskParams, ctx: Any) -> Answer:
    """Give the process a line of work and wait for its answer."""

    def exchange() -> str:
        worker = WORKER[-1]
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(params.line + "\n")
        return worker.stdout.readline().strip()

    return Answer(answer=await asyncio.to_thread(exchange))


@pytest.fixture
def worker(start: Start, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a program whose work is `on_work`, a Python statement run at every line."""
    entry = EntryPoint("worker", __name__, registry.CHECKERS.group)
    monkeypatch.setattr(registry.CHECKERS, "entry_points", lambda: (entry,))
    registry.CHECKERS.forget()
    WORKER.clear()

    def begin(on_work: str) -> subprocess.Popen[str]:
        WORKER.append(
            start(
                "import os, subprocess, sys, threading, time\nkept = []\nprint('ready', flush=True)\n"
                f"for line in sys.stdin:\n    {on_work}\n    print('done', flush=True)"
            )
        )
        return WORKER[-1]

    yield begin
    monkeypatch.undo()
    registry.CHECKERS.forget()


WORK = [{"kind": "worker.ask"}]


def test_work_that_leaves_nothing_behind_does_not_grow(worker: Start) -> None:
    """A process that gives everything back settles at once, with a ratio near 1 and no growth."""
    seen = observe(
        "process.growth",
        of(worker("b = bytearray(os.urandom(1)) * (20 << 20); del b")),
        during=WORK,
        times=5,
        expect={"rss_growth_ratio": {"max": 1.2}, "open_files_growth": 0, "threads_growth": 0, "settled": True},
    )
    assert seen.held, seen.findings
    assert seen.facts["step_count"] == 5


def test_a_leak_of_memory_shows(worker: Start) -> None:
    """Five pieces of 10 MiB that are kept are a growth of 50 MiB, above a limit of 1.2x; the warm-up is none."""
    seen = observe(
        "process.growth",
        of(worker("kept.append(bytearray(os.urandom(1)) * (10 << 20))")),
        during=WORK,
        times=5,
        expect={"rss_growth_ratio": {"max": 1.2}},
    )
    assert not seen.held
    assert 48 < seen.facts["rss_growth_mib"] < 60
    assert seen.facts["rss_growth_ratio"] == pytest.approx(seen.facts["rss_after_mib"] / seen.facts["rss_before_mib"])


def test_leaks_of_files_threads_and_children_show(worker: Start) -> None:
    """What stays open is counted, and the process is not settled however long one waits."""
    seen = observe(
        "process.growth",
        of(
            worker(
                "kept.append(open(os.devnull)); "
                "threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); "
                "kept.append(subprocess.Popen(['sleep', '5'], stdin=subprocess.DEVNULL))"
            )
        ),
        during=WORK,
        times=3,
        settle="300ms",
        tree=False,
    )
    assert seen.facts["threads_growth"] == 3
    assert seen.facts["children_growth"] == 3
    assert seen.facts["open_files_growth"] >= 3
    assert seen.facts["settled"] is False


def test_what_is_given_back_later_is_waited_for(worker: Start) -> None:
    """Threads that end a little after the work are no growth, within `settle`."""
    seen = observe(
        "process.growth",
        of(worker("threading.Thread(target=time.sleep, args=(0.7,)).start()")),
        during=WORK,
        times=3,
        warmup=0,
        settle="20s",
    )
    assert (seen.facts["settled"], seen.facts["threads_growth"]) == (True, 0)
    assert seen.facts["settle_ms"] > 100


def test_a_process_that_dies_of_the_work_did_not_survive(worker: Start) -> None:
    """A process that ends during the work fails on its failed step and on `survived`."""
    seen = observe("process.growth", of(worker("sys.exit(3)")), during=WORK, warmup=0)
    assert [f.fact for f in seen.findings if not f.held] == ["failed_steps", "survived"]
    assert seen.facts["rss_growth_ratio"] is None


@pytest.mark.usefixtures("worker")
def test_a_process_that_is_gone_is_not_worked_on(start: Start) -> None:
    """Where nothing runs beforehand no work is done."""
    one = start("print('ready', flush=True); input()")
    one.communicate("\n")
    seen = observe("process.growth", of(one), during=WORK)
    assert not seen.held
    assert seen.facts["step_count"] == 0
