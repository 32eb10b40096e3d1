"""A run is killed at every moment in the life of a fault: the target comes back by itself.

`make test` kills every fault while it is in force, and one of each kind of target at every moment. `make prove` kills
every fault at every moment.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import get_args

import pytest

from tests.e2e.tool import tool
from tests.eventually import eventually
from tests.faults.driving import RUN, becomes, driver, guardians, reads, records
from tests.faults.scenes.scene import NAMES, Scene, scene_of
from xnai_validate.engine import read_journal
from xnai_validate.engine.undo.faults import Step
from xnai_validate.model.results.report_builder import build_report

HELD = "held"
"""The moment at which every fault is in force."""
OTHER_MOMENTS = ("prepared", "recorded", "injected", "reverting", "reverted", "proven", "removed")
"""What the guardian has to revert then, nothing or all of it, is tried of every fault in tests/faults/test_contract.py:
it is reverted without an injection, twice, and by another process."""
SAMPLE = ("redis.maxmemory", "process.pause", "proxy.latency", "disk.full")
"""The faults that `make test` kills at the other moments too."""


def test_no_moment_is_left_out() -> None:
    """Every step that the engine knows, and the measurement itself."""
    assert {*OTHER_MOMENTS, HELD} == {*get_args(Step), "held"}
    assert set(SAMPLE) <= set(NAMES)


@pytest.mark.parametrize(
    ("name", "moments"),
    [
        *(pytest.param(name, (HELD,), id=name) for name in NAMES),
        *(
            pytest.param(name, OTHER_MOMENTS, id=f"{name}-others", marks=[] if name in SAMPLE else pytest.mark.prove)
            for name in NAMES
        ),
    ],
)
def test_a_killed_run_leaves_nothing_in_force(
    name: str, moments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed at any moment, the target is as it was within seconds, and neither record nor guardian is left."""
    took: dict[str, float] = {}
    with scene_of(name)() as scene:
        before = scene.seen()
        for moment in moments:
            state = tmp_path / moment
            with driver(name, scene, state, kill=moment) as process:
                process.communicate(timeout=120)
                assert process.returncode == -signal.SIGKILL, moment
                took[moment] = becomes(scene.seen, before)
                becomes(lambda state=state: records(state), [])  # type: ignore[misc]
                becomes(lambda state=state: guardians(state), [])  # type: ignore[misc]
            if moment in ("held", "reverting"):
                report = build_report(read_journal(state / "runs" / f"{RUN}.jsonl"))
                (fault,) = report.faults
                assert fault.proven, "the journal of the killed run does not record that its fault was reverted"
                assert report.exit_code == 130
    with capsys.disabled():
        longest = max(took, key=lambda moment: took[moment])
        print(f"\n{name}: back after at most {took[longest]:.2f} s (killed when {longest})", end="")  # noqa: T201


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", ["redis.maxmemory", "process.pause"])
def test_a_signal_takes_everything_back(name: str, number: signal.Signals, tmp_path: Path) -> None:
    """One signal ends the run with its fault reverted and proven; 130."""
    with scene_of(name)() as scene:
        before = scene.seen()
        with driver(name, scene, tmp_path, kill=None, hold_s=300) as process:
            reads(process, "held")
            assert scene.seen() != before
            process.send_signal(number)
            output, _ = process.communicate(timeout=60)
        assert scene.seen() == before
        assert output.split()[:4] == ["reverting", "reverted", "proven", "removed"]
        assert process.returncode == 130
        assert records(tmp_path) == []
        becomes(lambda: guardians(tmp_path), [])


@pytest.mark.parametrize("name", ["redis.maxmemory", "process.stop"])
def test_a_second_signal_does_not_cost_the_undo(name: str, tmp_path: Path) -> None:
    """Ctrl-C again and again only shortens waiting."""
    with scene_of(name)() as scene:
        before = scene.seen()
        with driver(name, scene, tmp_path, kill=None, hold_s=300) as process:
            reads(process, "held")
            process.send_signal(signal.SIGINT)
            reads(process, "reverting")
            for _ in range(5):
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        assert process.returncode == 130
        assert scene.seen() == before
        assert records(tmp_path) == []


def test_without_room_for_the_record_nothing_is_injected(tmp_path: Path) -> None:
    """The record cannot be written (ENOSPC): the check could not be measured, with the reason; nothing was touched."""
    with scene_of("redis.maxmemory")() as scene:
        before = scene.seen()
        with driver("redis.maxmemory", scene, tmp_path, kill=None, disk_full=True) as process:
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "injected" not in output.split()
        assert "held" not in output.split()
        assert "reason the undo record cannot be written: No space left on device; nothing was injected" in output
        assert scene.seen() == before
        assert records(tmp_path) == []


def undo(state: Path, *arguments: str) -> tuple[int, str]:
    """Run `xnai-validate undo`."""
    done = tool(state, "undo", *arguments)
    assert done.stderr == ""
    return done.code, done.stdout


def test_where_the_guardian_is_killed_too(tmp_path: Path) -> None:
    """The guardian is small and deaf to signals; where it is killed with its run, `undo` reverts what they left."""
    with scene_of("process.pause")() as scene:
        before = scene.seen()
        with driver("process.pause", scene, tmp_path, kill=None, hold_s=300) as process:
            reads(process, "held")
            watching = guardians(tmp_path)
            assert sum(process.memory_info().rss for process in watching) < 8 << 20, "the guardian is not small"
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                for guardian in watching:
                    guardian.send_signal(number)
            code, held = undo(tmp_path)
            assert (code, "still runs" in held) == (4, True), "what a living run holds is its own to revert"
            # The shell of a guardian forks one for what it waits by: it is there for a moment.
            assert eventually(lambda: guardians(tmp_path) == watching), "a signal has ended the guardian"
            for guardian in watching:
                guardian.kill()
            process.kill()
            process.wait(10)
        assert scene.seen() != before, "it was reverted without a guardian"
        assert len(records(tmp_path)) == 1
        code, listed = undo(tmp_path, "--list")
        assert (code, f"{RUN}.1  process.pause  worker" in listed, "left behind" in listed) == (4, True, True)
        sentence = "the process of worker and those below it is stopped (SIGSTOP)"
        assert undo(tmp_path) == (0, f"reverted, verified: {sentence}\n")
        assert scene.seen() == before
        assert undo(tmp_path) == (0, "no fault is in force\n")
        assert undo(tmp_path, "--list") == (0, "no fault is in force\n")


def test_what_is_no_more_is_forgotten(tmp_path: Path) -> None:
    """Where the server does not answer any more, nothing can be proven: `undo` reports it with the next step."""
    with (
        scene_of("redis.maxmemory")() as scene,
        driver("redis.maxmemory", scene, tmp_path, kill=None, hold_s=300) as process,
    ):
        reads(process, "held")
        for guardian in guardians(tmp_path):
            guardian.kill()
    code, output = undo(tmp_path)
    assert code == 4
    assert "NOT REVERTED: redis has no memory left" in output
    assert f"xnai-validate undo --forget {RUN}.1" in output
    code, output = undo(tmp_path, "--forget", f"{RUN}.1")
    assert (code, records(tmp_path)) == (0, [])
    assert output.startswith("forgotten: redis has no memory left")


def test_a_run_that_stands_still_does_not_keep_a_fault_in_force(tmp_path: Path) -> None:
    """Stopped, or blocked by its terminal: when the fault's time is over the guardian reverts it."""
    flag = tmp_path / "flag"
    scene = Scene(None, {"file": str(flag)}, flag.exists)
    repair = [sys.executable, "-m", "tests.faults.brief", "undo", "--run", RUN]
    with driver("brief.flag", scene, tmp_path, kill=None, hold_s=300, repair=repair) as process:
        reads(process, "held")
        process.send_signal(signal.SIGSTOP)
        assert flag.exists()
        took_s = becomes(flag.exists, False)
        becomes(lambda: records(tmp_path), [])
        assert took_s > 0.5, "it was reverted before its time"
        process.send_signal(signal.SIGCONT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "reason brief.flag was reverted after its limit of 1 s" in output
    becomes(lambda: guardians(tmp_path), [])
