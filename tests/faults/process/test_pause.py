"""`process.pause`, and which processes no fault may touch."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.faults.fault_control import fault_control
from tests.faults.process.unsupervised import server
from tests.faults.scenes.process import family, wait_until
from xnai_validate.kit import NotApplicable, Target, Unmeasurable


def test_a_process_that_is_stopped_already_is_refused() -> None:
    """Somebody else wants it so, and SIGCONT would be no undo."""
    with family() as scene:
        assert scene.target is not None
        assert scene.target.pid is not None
        os.kill(scene.target.pid, signal.SIGSTOP)
        wait_until(lambda: scene.seen() == [True, False])
        with (
            fault_control("process.pause", scene.target) as control,
            pytest.raises(Unmeasurable, match="is stopped already"),
        ):
            control.prepare()
        os.kill(scene.target.pid, signal.SIGCONT)


def test_without_tree_the_processes_below_run_on() -> None:
    """`tree: false` stops the process only."""
    with family() as scene, fault_control("process.pause", scene.target, tree=False) as control:
        undo, before = control.prepare()
        control.inject(undo)
        wait_until(lambda: scene.seen() == [True, False])
        assert control.revert(undo, before).proven
        assert scene.seen() == [False, False]


@pytest.mark.parametrize("pid", [os.getpid(), os.getppid(), 1], ids=["self", "parent", "init"])
@pytest.mark.parametrize("name", ["process.pause", "process.stop"])
def test_a_process_that_this_program_runs_in_is_refused(name: str, pid: int) -> None:
    """Neither this process nor one above it, nor the first of all, is disturbed."""
    params: dict[str, Any] = {"supervised": True} if name == "process.stop" else {}
    with (
        fault_control(name, Target("me", "tcp://127.0.0.1:9", pid=pid), **params) as control,
        pytest.raises(Unmeasurable, match="itself runs in"),
    ):
        control.prepare()


def test_a_process_that_does_not_run_is_not_applicable() -> None:
    """Nor what has no known process at all."""
    with server() as (target, process, _):
        process.kill()
        process.wait(10)
        with fault_control("process.pause", target) as control, pytest.raises(NotApplicable, match="does not run"):
            control.prepare()
    with (
        fault_control("process.pause", Target("api", "http://127.0.0.1:9")) as control,
        pytest.raises(NotApplicable, match="pid"),
    ):
        control.prepare()


def test_a_process_that_is_killed_while_it_is_paused_is_no_fault_left_behind() -> None:
    """A liveness probe ends what does not answer; its supervisor starts another, and there is nothing to continue."""
    with server() as (target, process, _), fault_control("process.pause", target) as control:
        undo, before = control.prepare()
        control.inject(undo)
        process.kill()
        process.wait(10)
        assert control.revert(undo, before).proven
