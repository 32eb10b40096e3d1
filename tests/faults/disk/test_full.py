"""`disk.full`: a disk is really full, within bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.fault_control import fault_control
from tests.faults.scenes.host import the_host
from xnai_validate.kit import NotApplicable, Unmeasurable


@pytest.fixture(autouse=True)
def to_oneself() -> Iterator[None]:
    """No other test fills the memory meanwhile."""
    with the_host():
        yield


def test_a_disk_is_really_full(tmp_path: Path) -> None:
    """Up to what is to be left; and the file is not there afterwards."""
    base = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path
    found = os.statvfs(base)
    free = found.f_bavail * found.f_frsize
    with fault_control(
        "disk.full", folder=str(base), leave=free - (96 << 20), most="256MiB", injection="disk"
    ) as control:
        undo, before = control.prepare()
        control.inject(undo)
        after = os.statvfs(base)
        assert free - after.f_bavail * after.f_frsize > 48 << 20
        assert control.revert(undo, before).proven
        assert not list(base.glob("*a-disk.1*"))


def test_a_disk_is_guarded(tmp_path: Path) -> None:
    """Not more than allowed, no relative path, no folder that is not there, and no disk that is full."""
    for params, error, text in (
        ({"folder": str(tmp_path), "most": "1MiB"}, Unmeasurable, "more than `most` allows"),
        ({"folder": "relative"}, Unmeasurable, "not an absolute path"),
        ({"folder": str(tmp_path / "none")}, NotApplicable, "not a folder"),
        ({"folder": str(tmp_path), "leave": 2**60}, NotApplicable, "full already"),
    ):
        with fault_control("disk.full", **params) as control, pytest.raises(error, match=text):
            control.prepare()
