"""A restart that the engine does not carry out is brought to its end."""

from __future__ import annotations

import pytest

from tests.faults.container.cases import ECHO
from tests.faults.containers import ID, ContainerEngine
from tests.faults.fault_control import fault_control
from xnai_validate.kit import Unmeasurable


def test_a_restart_that_fails_halfway_is_brought_back(engine: ContainerEngine) -> None:
    """The engine ended it and did not start it: then it is started."""

    def halfway() -> tuple[int, bytes]:
        engine.end()
        return 500, b'{"message":"failed to create task"}'

    engine.answers[f"POST /containers/{ID}/restart"] = halfway
    with fault_control("container.restart", ECHO) as control:
        undo, before = control.prepare()
        with pytest.raises(Unmeasurable, match="failed to create task"):
            control.inject(undo)
        assert engine.status == "exited"
        assert control.revert(undo, before).proven
    assert engine.status == "running"
