"""What work leaves behind in a process."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from tests.checkers.process.conftest import Start, of
from tests.context import observe
from xnai_validate import registry
from xnai_validate.kit import Facts, Params, checker


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
OPENS_A_FILE = "kept.append(open(os.devnull))"


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
    """Five pieces of 10 MiB that are kept are a growth of 50 MiB, above a limit of 1.2x; the warm-up does not count."""
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
        again=0,
        tree=False,
    )
    assert seen.facts["threads_growth"] == 3
    assert seen.facts["children_growth"] == 3
    assert seen.facts["open_files_growth"] >= 3
    assert seen.facts["settled"] is False


@pytest.mark.parametrize(("on_work", "growth"), [("kept or kept.append(open(os.devnull))", 0), (OPENS_A_FILE, 1)])
def test_what_has_grown_once_is_no_leak(worker: Start, on_work: str, growth: int) -> None:
    """The work is done again where files have grown: connections of other clients come once, a leak each time."""
    seen = observe("process.growth", of(worker(on_work)), during=WORK, warmup=0, settle="100ms")
    assert seen.facts["open_files_growth"] == growth


def run(process: subprocess.Popen[str], line: str) -> str:
    """Let a process that executes its lines execute one; return what it prints."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    printed = ""
    while (text := process.stdout.readline().strip()) != "done":
        printed += text
    return printed


def growth(process: subprocess.Popen[str], line: str) -> int:
    """By how many open files a process grows that executes a line."""
    work = [{"kind": "worker.ask", "with": {"line": line}}]
    facts = observe("process.growth", of(process), during=work, warmup=0, settle="100ms").facts
    return int(facts["open_files_growth"])


def test_clients_that_come_and_go_neither_hide_a_leak_nor_are_one(worker: Start) -> None:
    """A connection that a client keeps open to the process is no file that the work left behind."""
    process = worker("exec(line)")
    port = run(process, "import socket; server = socket.create_server(('', 0)); print(server.getsockname()[1])")
    with ExitStack() as clients:
        for _ in range(4):
            clients.enter_context(socket.create_connection(("127.0.0.1", int(port))))
        run(process, "held = [server.accept()[0] for _ in range(3)]")
        assert growth(process, "held.append(server.accept()[0])") == 0, "a client has come"
        assert growth(process, f"held.pop().close(); {OPENS_A_FILE}") == 1, "one has left for each file left open"
    left = f"client = socket.create_connection(('127.0.0.1', {port})); held.append(server.accept()[0]); client.close()"
    assert growth(process, left) == 1, "the client has closed its end, and the process has not"


HOLDS_CONNECTIONS = """
import socket, sys
handed = socket.socket(fileno=int(sys.argv[1]))
handed.send(b"started")
held = [socket.recv_fds(handed, 1, 1) for _ in range(3)]
handed.recv(1)
"""


def test_a_connection_that_one_process_accepts_and_another_holds_is_a_clients(worker: Start) -> None:
    """The cluster of Node accepts in one process and hands the connections to its workers."""
    process = worker("exec(line)")
    run(process, "import socket, subprocess, sys; here, there = socket.socketpair()")
    run(process, f"held = [sys.executable, '-c', {HOLDS_CONNECTIONS!r}, str(there.fileno())]")
    run(process, "child = subprocess.Popen(held, pass_fds=[there.fileno()]); here.recv(7)")  # it opens files to start
    port = run(process, "server = socket.create_server(('', 0)); print(server.getsockname()[1])")
    hand = "taken = server.accept()[0]; socket.send_fds(here, [b'x'], [taken.fileno()]); taken.close()"
    with ExitStack() as clients:
        for _ in range(3):
            clients.enter_context(socket.create_connection(("127.0.0.1", int(port))))
        assert growth(process, hand) == 0
        run(process, "here.close(); there.close(); child.wait()")


def test_what_was_closed_during_the_work_does_not_hide_a_leak(worker: Start) -> None:
    """Where fewer files are open than before, the work is done again, and that time does not count."""
    process = worker("exec(line)")
    run(process, "idle = [open(os.devnull) for _ in range(5)]")
    assert growth(process, f"[file.close() for file in idle]; idle.clear(); {OPENS_A_FILE}") == 1
    run(process, "idle = [open(os.devnull) for _ in range(5)]")
    assert growth(process, "idle and idle.pop().close()") < 0, "nothing is left open"
    run(process, "idle = [open(os.devnull) for _ in range(2)]")
    assert growth(process, f"idle.pop().close() if idle else {OPENS_A_FILE}") < 0, "what is opened once is no leak"


def test_a_leak_counts_where_the_work_cannot_be_repeated(worker: Start) -> None:
    """Growth is reported if the repeated work is refused: only work that is done could show that it was no leak."""
    refused = f"{OPENS_A_FILE} if not kept else print('refused', flush=True)"
    seen = observe("process.growth", of(worker(refused)), during=WORK, warmup=0, settle="100ms")
    assert (seen.facts["open_files_growth"], seen.facts["failed_steps"]) == (1, [])


def test_what_is_given_back_later_is_waited_for(worker: Start) -> None:
    """Threads that end a little after the work are not growth, within `settle`."""
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
    process = start("print('ready', flush=True); input()")
    process.communicate("\n")
    seen = observe("process.growth", of(process), during=WORK)
    assert not seen.held
    assert seen.facts["step_count"] == 0
