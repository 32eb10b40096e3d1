"""Real signals to a real process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.engine.clock import run_virtual
from tests.engine.plans import Stage, collect, declared, engine_of, make, plan_of, scripted
from tests.engine.process import open_stuck
from xnai_validate.engine import read_journal, signals
from xnai_validate.engine.attempts.shared import CLOSE_S
from xnai_validate.model.results.events import RunFinished
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status

RUN_ID = "20261122T170312-ab12cd"


@contextmanager
def running(state: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, in the middle of its slow check."""
    command = [sys.executable, "-m", "tests.engine.process", str(state), RUN_ID, "300", *more]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            wait_for(process, "check-started slow")
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    """Read what it prints up to a line."""
    assert process.stdout is not None
    for printed in process.stdout:
        if printed.strip() == line:
            return
    raise AssertionError(f"it ended before it printed {line!r}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    """The run ends with its run-finished, exit 130, and the journal has what was measured."""
    with running(tmp_path) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        assert output.split("\n")[-2:] == ["exit 130", ""]
        assert process.returncode == 130
    report = build_report(read_journal(tmp_path / "runs" / f"{RUN_ID}.jsonl"))
    assert report.run.stopped == "interrupted"
    assert [check.status for check in report.checks] == [Status.PASS, Status.PASS, Status.SKIP]
    assert report.checks[2].reason == "not reached: interrupted"


def test_a_second_signal_only_shortens_the_waiting(tmp_path: Path) -> None:
    """While something does not want to close, a second Ctrl-C hurries it; the run still ends in good order."""
    with running(tmp_path, "stuck") as process:
        process.send_signal(signal.SIGINT)
        wait_for(process, "closing")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        assert output.split("\n")[-3:] == ["run-finished ", "exit 130", ""]
    (notice,) = build_report(read_journal(tmp_path / "runs" / f"{RUN_ID}.jsonl")).notices
    assert notice.text == "what checks of stuck share did not close in time"


def test_a_killed_run_still_reports_what_it_measured(tmp_path: Path) -> None:
    """After SIGKILL the journal has every event up to then, and the report names the run killed."""
    with running(tmp_path) as process:
        process.kill()
        process.wait(timeout=60)
    path = tmp_path / "runs" / f"{RUN_ID}.jsonl"
    report = build_report(read_journal(path))
    assert (report.run.stopped, report.exit_code) == ("killed", 130)
    assert report.checks[1].facts["text"] == "seen"
    assert report.checks[2].reason == "not reached: killed"
    path.write_bytes(path.read_bytes()[:-7])
    assert build_report(read_journal(path)).checks == report.checks, "a torn last line is left out"


def test_handlers_are_restored(tmp_path: Path) -> None:
    """After the context every handler is the one from before; what was ignored stays ignored meanwhile."""

    def mine(number: int, frame: object) -> None:
        raise AssertionError

    engine = engine_of(plan_of(), tmp_path)

    async def inside() -> None:
        async with signals(engine):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not mine

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGTERM, mine)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        asyncio.run(inside())
        assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_signal_within_this_process(tmp_path: Path) -> None:
    """A run stops for a signal although its loop has nothing else to do."""
    stage = Stage()
    engine = engine_of(plan_of(make("a", scripted(stage), script={"takes_s": 500.0}, timeout_s=900.0)), tmp_path)

    async def main() -> None:
        async with signals(engine):
            asyncio.get_running_loop().call_later(10.0, os.kill, os.getpid(), signal.SIGTERM)
            end = (await collect(engine))[-1]
        assert isinstance(end, RunFinished)
        assert end.stopped == "interrupted"

    run_virtual(main())
    assert stage.cancelled == ["a"]


def test_the_second_signal_saves_the_time_that_closing_may_take(tmp_path: Path) -> None:
    """With one signal a stuck resource has its time to close; with a second it ends at that signal."""

    async def main(run_id: str, *after_s: float) -> float:
        checks = [make("open", declared(open_stuck), rules=())]
        checks.append(make("a", scripted(Stage()), script={"takes_s": 500.0}, timeout_s=900.0))
        engine = engine_of(plan_of(*checks), tmp_path, run_id=run_id)
        async with signals(engine):
            for seconds in after_s:
                asyncio.get_running_loop().call_later(seconds, os.kill, os.getpid(), signal.SIGTERM)
            end = (await collect(engine))[-1]
        assert isinstance(end, RunFinished)
        return end.elapsed_ms / 1000

    assert run_virtual(main("once", 10.0)) == pytest.approx(10.0 + CLOSE_S, abs=0.2)
    assert run_virtual(main("twice", 10.0, 11.0)) == pytest.approx(11.0, abs=0.2)
