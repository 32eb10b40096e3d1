"""What faults of the host and its disks promise beyond the contract."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from tests.faults.scenes_host import holders, the_host
from tests.faults.trying import trial
from xnai_validate.faults._child import children_of
from xnai_validate.kit import NotApplicable, Unmeasurable


@pytest.fixture(autouse=True)
def to_oneself() -> Iterator[None]:
    """No other test fills the memory meanwhile."""
    with the_host():
        yield


def test_memory_is_really_taken() -> None:
    """As much as it takes to the percentage that was asked for; all of it is given back."""
    wanted = math.ceil(psutil.virtual_memory().percent) + 2
    with trial("host.memory", percent=wanted, most="4GiB") as one:
        undo, before = one.prepare()
        one.inject(undo)
        (child,) = children_of(one.place.id)
        held = psutil.Process(child.pid).memory_info().rss
        assert held > 0.005 * psutil.virtual_memory().total
        assert int(Path(f"/proc/{child.pid}/oom_score_adj").read_text()) == 1000
        assert one.take_back(undo, before).proven
        assert not child.alive


def test_memory_is_guarded() -> None:
    """Not beyond 97 %, not more than allowed, and not where there is nothing to do."""
    with pytest.raises(ValidationError), trial("host.memory", percent=98):
        pass
    with (
        trial("host.memory", percent=95, most="1MiB") as one,
        pytest.raises(Unmeasurable, match="more than `most` allows"),
    ):
        one.prepare()
    with trial("host.memory", percent=0.1) as one, pytest.raises(NotApplicable, match="already"):
        one.prepare()


def test_memory_is_given_back_when_the_pipe_closes() -> None:
    """Nobody needs to end the child: it does not outlive who wanted it."""
    wanted = math.ceil(psutil.virtual_memory().percent) + 1.5
    with trial("host.memory", percent=wanted) as one:
        undo, _ = one.prepare()
        one.inject(undo)
        (child,) = children_of(one.place.id)
        assert one.force is not None
        assert one.force.close is not None
        one.force.close()
        assert not child.alive
    assert holders() == (0, False)


def test_a_disk_is_really_full(tmp_path: Path) -> None:
    """Up to what is to be left; and the file is not there afterwards."""
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path
    found = os.statvfs(base)
    free = found.f_bavail * found.f_frsize
    with trial("disk.full", folder=str(base), leave=free - (96 << 20), most="256MiB", injection="disk") as one:
        undo, before = one.prepare()
        one.inject(undo)
        after = os.statvfs(base)
        assert free - after.f_bavail * after.f_frsize > 48 << 20
        assert one.take_back(undo, before).proven
        assert not list(base.glob("*a-disk.1*"))


def test_a_disk_is_guarded(tmp_path: Path) -> None:
    """Not more than allowed, no relative path, no folder that is not there, and no disk that is full."""
    for params, error, text in (
        ({"folder": str(tmp_path), "most": "1MiB"}, Unmeasurable, "more than `most` allows"),
        ({"folder": "relative"}, Unmeasurable, "not an absolute path"),
        ({"folder": str(tmp_path / "none")}, NotApplicable, "not a folder"),
        ({"folder": str(tmp_path), "leave": 2**60}, NotApplicable, "full already"),
    ):
        with trial("disk.full", **params) as one, pytest.raises(error, match=text):
            one.prepare()
