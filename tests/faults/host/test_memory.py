"""`host.memory`: memory is really taken, within bounds, and free again afterwards."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError

from tests.faults.fault_control import fault_control
from tests.faults.scenes.host import holders, the_host
from xnai_validate.faults._child import children_of
from xnai_validate.kit import NotApplicable, Unmeasurable


@pytest.fixture(autouse=True)
def to_oneself() -> Iterator[None]:
    """No other test fills the memory meanwhile."""
    with the_host():
        yield


def test_memory_is_really_taken() -> None:
    """As much as it takes to the percentage that was asked for; all of it is given back."""
    percent = math.ceil(psutil.virtual_memory().percent) + 2
    with fault_control("host.memory", percent=percent, most="4GiB") as control:
        undo, before = control.prepare()
        control.inject(undo)
        (child,) = children_of(control.place.id)
        held = psutil.Process(child.pid).memory_info().rss
        assert held > 0.005 * psutil.virtual_memory().total
        assert int(Path(f"/proc/{child.pid}/oom_score_adj").read_text()) == 1000
        assert control.revert(undo, before).proven
        assert not child.alive


def test_memory_is_guarded() -> None:
    """Not beyond 97 %, not more than allowed, and not where the host is as full already."""
    with pytest.raises(ValidationError), fault_control("host.memory", percent=98):
        pass
    with (
        fault_control("host.memory", percent=95, most="1MiB") as control,
        pytest.raises(Unmeasurable, match="more than `most` allows"),
    ):
        control.prepare()
    with fault_control("host.memory", percent=0.1) as control, pytest.raises(NotApplicable, match="already"):
        control.prepare()


def test_memory_is_free_again_when_the_pipe_closes() -> None:
    """The child ends by itself: it does not outlive its parent."""
    percent = math.ceil(psutil.virtual_memory().percent) + 1.5
    with fault_control("host.memory", percent=percent) as control:
        undo, _ = control.prepare()
        control.inject(undo)
        (child,) = children_of(control.place.id)
        assert control.active is not None
        assert control.active.close is not None
        control.active.close()
        assert not child.alive
    assert holders() == (0, False)
