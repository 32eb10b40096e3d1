"""What all faults of containers promise beyond the contract: with both engines, in every state, for every answer."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.faults.container.cases import ECHO, FAULTS
from tests.faults.containers import ID, NAME, ContainerEngine, Visitor
from tests.faults.fault_control import fault_control
from xnai_validate.faults.container import _subject as subject
from xnai_validate.kit import NotApplicable, Target, Unmeasurable

NOT_LEFT = {"container.pause": "pause", "container.stop": "stop", "container.restart": "restart"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_goes_through_its_states(engine: ContainerEngine, name: str) -> None:
    """Injected and reverted with either engine; every request names the container by its id."""
    target = replace(ECHO, url=f"tcp://127.0.0.1:{engine.port}")
    visitor = Visitor(engine.port)
    with fault_control(name, target) as control:
        undo, before = control.prepare()
        assert {request.partition(" ")[0] for request in engine.requests} == {"GET"}
        control.inject(undo)
        expected = {"container.pause": "silent", "container.stop": "refused", "container.restart": "answers"}
        assert visitor.ask() == expected[name]
        proof = control.revert(undo, before)
        assert proof.proven, proof.why
    assert visitor.ask() == "answers"
    assert all(f"/containers/{ID}/" in request for request in engine.requests if request.startswith("POST"))


@pytest.mark.parametrize("name", FAULTS)
def test_a_container_that_is_paused_or_restarting_is_refused(engine: ContainerEngine, name: str) -> None:
    """Paused before, stopped, restarting, unknown: the reason is reported, and the container was only read."""
    engine.freeze()
    with fault_control(name, ECHO) as control, pytest.raises(Unmeasurable, match="paused already"):
        control.prepare()
    engine.thaw()
    engine.end()
    with fault_control(name, ECHO) as control, pytest.raises(NotApplicable, match=r"does not run \(exited\)"):
        control.prepare()
    engine.give(f"GET /containers/{NAME}/json", {"Id": ID, "State": {"Status": "restarting", "Running": True}})
    with fault_control(name, ECHO) as control, pytest.raises(Unmeasurable, match="restarted again and again"):
        control.prepare()
    with (
        fault_control(name, Target("echo", container="other")) as control,
        pytest.raises(NotApplicable, match="container other"),
    ):
        control.prepare()
    with fault_control(name, Target("echo")) as control, pytest.raises(NotApplicable, match="no container is known"):
        control.prepare()
    assert {request.partition(" ")[0] for request in engine.requests} == {"GET"}


@pytest.mark.parametrize("name", FAULTS)
def test_an_engine_that_fails_is_an_error_with_the_command(
    engine: ContainerEngine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 or no answer to the action: its words or the time-out, and the command by which a person would do it."""
    monkeypatch.setattr(subject, "CALL_S", 0.3)
    action = NOT_LEFT[name]
    route = f"POST /containers/{ID}/{action}"
    engine.give(route, {"message": "driver failed"}, 500)
    params: dict[str, Any] = {} if action == "pause" else {"grace": 0}
    with fault_control(name, ECHO, **params) as control:
        undo, before = control.prepare()
        message = rf"did not {action} c+: the engine answered 500: driver failed; by hand: {engine.kind} {action} c+"
        with pytest.raises(Unmeasurable, match=message):
            control.inject(undo)
        assert control.revert(undo, before).proven
        engine.hang(route)
        with pytest.raises(Unmeasurable, match=r"no whole answer within 0\.3 s"):
            control.inject(undo)
        assert control.revert(undo, before).proven


@pytest.mark.parametrize(("name", "back"), [("container.pause", "unpause"), ("container.stop", "start")])
def test_an_engine_that_does_not_revert_is_an_error_with_the_command(
    engine: ContainerEngine, name: str, back: str
) -> None:
    """Nothing is proven then, and the command by hand is named; once the engine does it, it is."""
    with fault_control(name, ECHO, **({} if back == "unpause" else {"within": "1s"})) as control:
        undo, before = control.prepare()
        control.inject(undo)
        control.fault = replace(control.fault, grace_s=0.5)
        engine.give(f"POST /containers/{ID}/{back}", {"message": "cgroup is busy"}, 500)
        proof = control.revert(undo, before)
        assert not proof.proven
        assert "cgroup is busy" in str(proof.why)
        assert f"by hand: {engine.kind} {back} {ID[:12]}" in str(proof.why)
        engine.answers.clear()
        control.fault = replace(control.fault, grace_s=15)
        assert control.revert(undo, before).proven
    assert engine.status == "running"


@pytest.mark.parametrize("name", FAULTS)
def test_actions_of_others_meanwhile_do_no_harm(engine: ContainerEngine, name: str) -> None:
    """Brought back by somebody else: proven, without another action. Removed: gone, and the fault with it."""
    with fault_control(name, ECHO) as control:
        undo, before = control.prepare()
        control.inject(undo)
        if engine.status == "paused":
            engine.thaw()
        elif engine.status == "exited":
            engine.start()
        engine.requests.clear()
        assert control.revert(undo, before).proven
        assert {request.partition(" ")[0] for request in engine.requests} == {"GET"}
        engine.end()
        engine.status = "removed"
        assert control.revert(undo, before).proven


@pytest.mark.parametrize("name", FAULTS)
def test_without_an_engine_the_fault_is_not_injected(name: str, tmp_path: Path) -> None:
    """No socket is not applicable; a socket without a listener is reported with a command to inspect it."""
    with (
        fault_control(name, ECHO, socket=f"{tmp_path}/none.sock") as control,
        pytest.raises(NotApplicable, match=r"none\.sock"),
    ):
        control.prepare()
    path = tmp_path / "podman.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with (
        fault_control(name, ECHO, socket=str(path)) as control,
        pytest.raises(Unmeasurable, match=r"refused") as caught,
    ):
        control.prepare()
    assert "podman ps" in str(caught.value.hint)
