"""A container that is stopped has its grace, and must be there afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.container.cases import ECHO
from tests.faults.containers import ContainerEngine, container_engine
from tests.faults.fault_control import fault_control
from xnai_validate.kit import Unmeasurable


def test_a_container_has_its_grace(engine: ContainerEngine) -> None:
    """The engine is given how long to wait before it kills."""
    for name in ("container.stop", "container.restart"):
        with fault_control(name, ECHO, grace=3) as control:
            undo, before = control.prepare()
            control.inject(undo)
            assert control.revert(undo, before).proven
    assert engine.graces == ["3", "3"]


@pytest.mark.parametrize("name", ["container.stop", "container.restart"])
def test_a_container_that_would_be_removed_is_refused(name: str, tmp_path: Path) -> None:
    """A container made with --rm could not be brought back; it may be paused."""
    with container_engine(tmp_path, auto_remove=True) as engine:
        with (
            fault_control(name, ECHO, socket=engine.path) as control,
            pytest.raises(Unmeasurable, match=r"--rm") as caught,
        ):
            control.prepare()
        assert "container.pause" in str(caught.value.hint)
        with fault_control("container.pause", ECHO, socket=engine.path) as control:
            undo, before = control.prepare()
            control.inject(undo)
            assert control.revert(undo, before).proven
