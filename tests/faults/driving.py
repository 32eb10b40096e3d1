"""Starting the driver, and what it left."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import psutil

from tests.faults.scenes.scene import Scene
from tests.forking import ROOT, Program, template

RUN = f"20261122T170312-{os.getpid():06x}"
GUARDIAN = "xnai-validate-guardian"


@contextmanager
def driver(
    name: str,
    scene: Scene,
    state: Path,
    *,
    kill: str | None,
    **more: object,
) -> Iterator[Program]:
    """A run of its own under a fault; it is ended at the end, if it has not ended itself."""
    settings = {
        "state": str(state),
        "run": RUN,
        "fault": name,
        "target": asdict(scene.target) if scene.target else None,
        "params": scene.params,
        "kill": kill,
        **more,
    }
    environ = {**os.environ, "XNAI_VALIDATE_STATE": str(state)}
    process = template("tests.faults.driver").start([json.dumps(settings)], ROOT, environ, session=True, stderr=False)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def reads(process: Program, line: str) -> None:
    """Read what it prints up to a line."""
    assert process.stdout is not None
    for printed in process.stdout:
        if printed.strip() == line:
            return
    raise AssertionError(f"it ended before it printed {line!r}")


def becomes(seen: Callable[[], object], expected: object, within_s: float = 15) -> float:
    """Wait until what is seen is what is wanted; the seconds that took."""
    begun = time.monotonic()
    while (now := seen()) != expected:
        assert time.monotonic() - begun < within_s, f"{now} is not {expected}"
        time.sleep(0.03)  # some of what is seen takes a look at every process
    return time.monotonic() - begun


def records(state: Path) -> list[str]:
    """The undo records that are left, and their secrets."""
    return sorted(path.name for path in (state / "undo").glob("*") if path.name != ".lock")


def guardians(state: Path) -> list[psutil.Process]:
    """The guardians of runs with this state directory, those that have become `undo` included."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            ours = GUARDIAN in line or line[-3:-1] == ["undo", "--run"]
            if ours and process.environ().get("XNAI_VALIDATE_STATE") == str(state):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
