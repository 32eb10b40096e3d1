"""A load that is under way ends at once where the run has to: Ctrl-C, the deadline, and the memory guard."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.checkers.streaming import CHUNKED, TOKEN, Script, chunk, client_gone
from tests.e2e.tool import TOOL, all_gone, environment, report
from tests.scripted import Line, ReceivedRequest, Scripted, scripted
from xnai_validate.model.results.report import RunReport

CALLERS = 50
MEMORY = "{own_memory: 70MiB, host_memory_percent: {warn: 99.5, stop: 99.9}}"
LOADS = {"load.http": "path: /slow", "load.sse": "json: {query: What?}"}


async def waits(request: ReceivedRequest, line: Line) -> bool:
    """Begins a stream and holds it until the client has gone."""
    await line.send(CHUNKED + chunk(TOKEN))
    await client_gone(line)
    return False


async def hoards(request: ReceivedRequest, line: Line) -> bool:
    """Begins an event of a megabyte, and does not end it."""
    await line.send(CHUNKED + chunk(b"data: " + b"x" * 1_000_000))
    await client_gone(line)
    return False


def profile(home: Path, server: Scripted, kind: str, limits: str) -> Path:
    """A profile whose one check is a load of a minute, and one that waits for it."""
    suite = home / "checks/ending/load.yaml"
    suite.parent.mkdir(parents=True)
    suite.write_text(
        "title: A load\ndefaults: {target: api}\nchecks:\n"
        f"  - id: long\n    title: A load of a minute\n    kind: {kind}\n    timeout: 5m\n"
        f"    with: {{{LOADS[kind]}, callers: {CALLERS}, for: 1m, timeout: 1m}}\n"
        "  - id: after\n    title: What comes then\n    kind: tcp.connect\n    needs: [long]\n",
        encoding="utf-8",
    )
    path = home / "ending.yaml"
    path.write_text(
        f"title: Ends early\ntargets: {{api: {{url: {server.url()}}}}}\nsuites: [ending/*]\nlimits: {limits}\n",
        encoding="utf-8",
    )
    return path


def ended(
    home: Path, script: Script, kind: str, *, limits: str = "{}", arguments: tuple[str, ...] = (), stop: bool = False
) -> tuple[int, float, RunReport]:
    """Run the load until it is under way and is ended; the exit code, seconds from the end's cause, and the report.

    Every connection is closed and no process is left.
    """
    mark, out = uuid4().hex, home / "report.json"
    with scripted(script) as server:
        path = profile(home, server, kind, limits)
        process = subprocess.Popen(
            [TOOL, "run", str(path), "--path", str(home), "-o", str(out), *arguments],
            env=environment(home, mark),
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        until(lambda: len(server.requests) >= CALLERS or process.poll() is not None)
        begun = time.monotonic()
        if stop:
            os.kill(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        took_s = time.monotonic() - begun
        assert "Traceback" not in output
        assert len(server.requests) == CALLERS, output
        until(lambda: len(server.gone) == CALLERS)
        assert len(server.gone) == CALLERS, "connections are left open"
    assert all_gone(mark), "processes are left over"
    return process.returncode, took_s, report(out)


def until(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    """Wait for it, within bounds."""
    end = time.monotonic() + within_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)


def outcomes(partial: RunReport) -> dict[str, tuple[str, str | None]]:
    """Status and reason of every check of the report."""
    return {check.id.partition(":")[2]: (str(check.status), check.reason) for check in partial.checks}


@pytest.mark.parametrize("kind", LOADS)
def test_ctrl_c_ends_a_load_at_once(tmp_path: Path, kind: str) -> None:
    """Within seconds, of a load of a minute: exit 130, a report that shows it, no connection and no process left."""
    code, took_s, partial = ended(tmp_path, waits, kind, stop=True)
    assert code == partial.exit_code == 130
    assert took_s < 20
    assert partial.run.stopped == "interrupted"
    assert {status for status, _ in outcomes(partial).values()} == {"skip"}


@pytest.mark.parametrize("kind", LOADS)
def test_the_deadline_ends_a_load(tmp_path: Path, kind: str) -> None:
    """Exit 5, and the load was not measured. (Memory is limited as below, and is not what ends it here.)"""
    code, took_s, partial = ended(tmp_path, waits, kind, limits=MEMORY, arguments=("--deadline", "4s"))
    assert code == partial.exit_code == 5
    assert took_s < 24
    assert partial.run.stopped == "deadline"
    assert outcomes(partial)["long"][0] == "skip"


def test_the_memory_guard_ends_a_load_that_takes_too_much(tmp_path: Path) -> None:
    """Fifty streams that each hold a megabyte: the run ends, exit 5, and reports how much this process had."""
    code, took_s, partial = ended(tmp_path, hoards, "load.sse", limits=MEMORY)
    assert code == partial.exit_code == 5
    assert took_s < 20
    assert partial.run.stopped == "memory"
    assert any("the run ends at 70 MiB" in notice.text for notice in partial.notices)
