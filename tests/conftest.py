"""What holds for every test: signals act, examples are not timed, and what needs the machine to itself gets it.

`make test` runs the tests several at a time, for most of them wait. A test that is marked `alone` holds healthy stacks
to their times; while it runs, no other test of the same checkout does. One that is marked `ahead` does so too, but
most of the time its stacks wait: it begins first, and the tests beside it leave it the processor.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends more on what else the machine does than on our code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# A runner that is started by nohup, or in the background of a shell, ignores these, and so would all that tests start.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)

# In CI the tool judges a run in which all was skipped otherwise; the tests set that themselves where it matters.
os.environ.pop("CI", None)

_ROOT = Path(__file__).parent.parent
# Two files that every worker has and none writes: locking them leaves nothing to clear up after a killed worker.
_DOOR, _MACHINE = _ROOT / "pyproject.toml", _ROOT / "Makefile"

_PLAIN_NICE = os.getpriority(os.PRIO_PROCESS, 0)
_NICE = 10
"""The nice value of the tests beside those that are marked `ahead`: that of the broken stacks in `prove`."""

# What takes long, in this order; a file that is missing here only makes the whole end later.
_LONG = (
    "faults/test_crash.py",
    "packaging/test_wheel.py",
    "workers/",
    "e2e/",
    "faults/",
    "checkers/breaker/",
    "demo/processes/",
    "demo/defects/test_processes.py",
    "cli/commands/test_prove.py",
    "cli/test_interrupts.py",
    "checkers/health/test_truth.py",
    "test_contributing.py",
    "cli/terminal/test_standard_streams.py",
    "checkers/http/test_contract.py",
    "cli/commands/test_watch.py",
    "wire/http/",
    "checkers/load/",
    "demo/",
    "cli/",
    "checkers/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, and give `make prove` and `make test-extra` the time that hundreds of rounds take.

    What runs alone comes last: while it waits for the machine, no other test can begin.
    """
    alone, ahead = ({item.path for item in items if item.get_closest_marker(name)} for name in ("alone", "ahead"))
    items.sort(key=lambda item: (item.path in alone, item.path not in ahead, _turn(item.path)))
    for item in items:
        if any(item.get_closest_marker(name) for name in ("prove", "extra")):
            item.add_marker(pytest.mark.timeout(3600))


@cache
def _turn(path: Path) -> int:
    """The place of a file in the order of the tests: that of its first entry in `_LONG`, or after them all."""
    name = path.relative_to(_ROOT / "tests").as_posix()
    return next((turn for turn, beginning in enumerate(_LONG) if name.startswith(beginning)), len(_LONG))


@pytest.hookimpl(wrapper=True, tryfirst=True)  # first: no test pays for its wait from its own time (pytest-timeout)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let a test have the machine together with others, or by itself; its fixtures are made and ended within."""
    alone, ahead = (item.get_closest_marker(name) is not None for name in ("alone", "ahead"))
    _set_nice(_PLAIN_NICE if alone or ahead else _NICE)
    how = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
    # A worker that waits for the machine holds the door meanwhile: one that needs it alone would wait for all others.
    with _locked(_MACHINE, how, behind=_DOOR):
        return (yield)


def _set_nice(value: int) -> None:
    """Set the nice value of this worker, which its programs inherit; only root can lower one again."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, max(value, _PLAIN_NICE))


@contextmanager
def _locked(file: Path, how: int, behind: Path) -> Iterator[None]:
    """Hold a lock for the block, after having passed the door."""
    held = os.open(file, os.O_RDONLY)
    door = os.open(behind, os.O_RDONLY)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        fcntl.flock(held, how)
        fcntl.flock(door, fcntl.LOCK_UN)
        yield
    finally:
        # Unlocked and not only closed: a child that was forked meanwhile has the same lock.
        for file_descriptor in (held, door):
            fcntl.flock(file_descriptor, fcntl.LOCK_UN)
            os.close(file_descriptor)
