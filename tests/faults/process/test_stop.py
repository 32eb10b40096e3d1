"""`process.stop`."""

from __future__ import annotations

import signal
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from tests.faults.fault_control import fault_control
from tests.faults.process.unsupervised import server
from tests.faults.scenes.process import family
from xnai_validate.kit import Target, Unmeasurable


def test_a_process_without_a_supervisor_is_not_stopped() -> None:
    """The supervisor must be named, and its restart must be observable."""
    words = "without a supervisor is not started again"
    with pytest.raises(ValidationError, match=words), fault_control("process.stop", Target("api", pid=2)):
        pass
    with (
        family() as scene,
        fault_control("process.stop", scene.target, supervised=True) as control,
        pytest.raises(Unmeasurable, match="could not be noticed that worker is back"),
    ):
        control.prepare()


@pytest.mark.parametrize("more", [(), ("stubborn",)])
def test_a_command_starts_it_again(more: tuple[str, ...]) -> None:
    """SIGTERM, then SIGKILL for a process that ignores it; the command runs once, and not if the process is back."""
    with (
        server(*more) as (target, process, command),
        fault_control("process.stop", target, restart=command, grace="300ms") as control,
    ):
        undo, before = control.prepare()
        assert control.revert(undo, before).proven
        assert process.poll() is None
        control.inject(undo)
        assert process.wait(10) == (-signal.SIGKILL if more else -signal.SIGTERM)
        proof = control.revert(undo, before)
        assert proof.proven, proof.why
        assert control.revert(undo, before).proven
        running = [process.pid for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == command]
        assert len(running) == 1


def test_a_process_that_does_not_come_back_is_an_error() -> None:
    """It is not started again in spite of `supervised`: not proven, with the time that was waited."""
    with (
        server() as (target, process, _),
        fault_control("process.stop", target, supervised=True, within="500ms") as control,
    ):
        undo, before = control.prepare()
        control.inject(undo)
        process.wait(10)
        control.fault = replace(control.fault, grace_s=1.0)
        proof = control.revert(undo, before)
        assert not proof.proven
        assert "was not started again within 0.5 s" in (proof.why or "")


def test_a_stack_that_has_ended_ends_the_revert(tmp_path: Path) -> None:
    """Its state file is gone with it: then the revert is done."""
    with server() as (target, process, _):
        state = tmp_path / "state.json"
        state.write_text(f'{{"targets": {{"api": {{"pid": {process.pid}}}}}}}', encoding="utf-8")
        known = Target("api", target.url, pid=process.pid, state_file=str(state))
        with fault_control("process.stop", known, supervised=True) as control:
            undo, before = control.prepare()
            control.inject(undo)
            state.unlink()
            begun = time.monotonic()
            assert control.revert(undo, before).proven
            assert time.monotonic() - begun < 10
