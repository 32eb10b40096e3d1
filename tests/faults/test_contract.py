"""What holds for every fault: prepared without a trace, reverted without one, twice, and by another process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.e2e.tool import tool
from tests.faults.driving import RUN
from tests.faults.scenes.scene import NAMES, Scene, scene_of
from xnai_validate import registry
from xnai_validate.engine.clock import SystemClock
from xnai_validate.engine.undo.folder import UndoFolder
from xnai_validate.engine.undo.record import UndoRecord, record_from_json
from xnai_validate.engine.undo.revert import FaultPlace, revert
from xnai_validate.kit import FROM_FILE, ActiveFault, Fault, JsonValue, Params, ProcessId, Undo

T = TypeVar("T")
ENDED_PROCESS = ProcessId(pid=2**22 + 1, started=0, boot="")
"""A process that has ended."""


class FaultOnScene:
    """A fault on its scene."""

    def __init__(self, name: str, scene: Scene) -> None:
        self.scene = scene
        self.fault: Fault = registry.FAULTS.get(name)
        self.params: Params = self.fault.params.model_validate(scene.params, context=FROM_FILE)
        self.place = FaultPlace(f"{RUN}.1", SystemClock(), self.fault.limit_s, scene.target)
        self.active: ActiveFault | None = None

    def prepared(self) -> tuple[Undo, JsonValue]:
        """The record and the fingerprint."""

        async def both() -> tuple[Undo, JsonValue]:
            undo = await self.fault.methods.prepare(self.params, self.place)
            return undo, await self.fault.methods.fingerprint(undo, self.place)

        return asyncio.run(both())

    def inject(self, undo: Undo) -> None:
        """Inject it."""
        self.active = asyncio.run(_of(self.fault.methods.inject(self.params, undo, self.place)))

    def fingerprint(self, undo: Undo) -> JsonValue:
        """The fingerprint of now."""
        return asyncio.run(_of(self.fault.methods.fingerprint(undo, self.place)))

    def revert(self, undo: Undo, before: JsonValue) -> None:
        """Revert it; it must be proven."""
        proof = asyncio.run(revert(self.fault, undo, before, self.place, asyncio.Event()))
        assert proof.proven, proof.why

    def record(self, undo: Undo, before: JsonValue) -> UndoRecord:
        """Its record, of a run that has ended."""
        return UndoRecord(
            id=self.place.id,
            fault=self.fault.name,
            sentence="It is tried.",
            run=RUN,
            check="tests/faults:it",
            owner=ENDED_PROCESS,
            target=self.scene.target,
            undo=undo.model_dump(mode="json"),
            before=before,
            recorded_at=time.time(),
        )

    def close(self) -> None:
        """Close what lives in this process."""
        active, self.active = self.active, None
        if active is not None and active.close is not None:
            active.close()


async def _of(awaitable: Awaitable[T]) -> T:
    return await awaitable


@contextmanager
def fault_on_scene(name: str) -> Iterator[FaultOnScene]:
    """A fault on its scene; what is still active at the end is reverted."""
    with scene_of(name)() as scene:
        control = FaultOnScene(name, scene)
        try:
            yield control
        finally:
            control.close()


def becomes(seen: Callable[[], object], expected: object, within_s: float = 10) -> None:
    """Wait until what is seen is what is wanted."""
    end = time.monotonic() + within_s
    while (now := seen()) != expected:
        assert time.monotonic() < end, f"{now} is not {expected}"
        time.sleep(0.02)


@pytest.mark.parametrize("name", NAMES)
def test_to_prepare_changes_nothing(name: str) -> None:
    """Prepared and looked at twice, everything is as it was, and the fingerprint is the same."""
    with fault_on_scene(name) as control:
        before = control.scene.seen()
        undo, first = control.prepared()
        assert control.scene.seen() == before
        assert control.fingerprint(undo) == first
        assert control.scene.seen() == before


@pytest.mark.parametrize("name", NAMES)
def test_what_is_injected_is_reverted(name: str) -> None:
    """It does something to the target, and after it was reverted the target is as it was; twice is not harm."""
    with fault_on_scene(name) as control:
        before = control.scene.seen()
        undo, print_ = control.prepared()
        control.inject(undo)
        assert control.scene.seen() != before, "the fault does nothing"
        assert control.scene.once or control.fingerprint(undo) != print_, (
            "the fingerprint does not change while it is active"
        )
        control.revert(undo, print_)
        assert control.scene.seen() == before
        control.revert(undo, print_)
        assert control.scene.seen() == before


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_injected_is_reverted_too(name: str) -> None:
    """A run may be killed after the record and before the injection: then nothing happens."""
    with fault_on_scene(name) as control:
        before = control.scene.seen()
        undo, print_ = control.prepared()
        control.revert(undo, print_)
        assert control.scene.seen() == before


@pytest.mark.parametrize("name", NAMES)
def test_it_is_reverted_by_another_process(name: str, tmp_path: Path) -> None:
    """With the record alone: `xnai-validate undo`, which proves it and removes the record."""
    with fault_on_scene(name) as control:
        before = control.scene.seen()
        undo, print_ = control.prepared()
        folder = UndoFolder.below(tmp_path)
        folder.add(control.record(undo, print_))
        control.inject(undo)
        assert control.scene.seen() != before
        done = tool(tmp_path, "undo")
        assert (done.code, done.stdout, done.stderr) == (0, "reverted, verified: It is tried.\n", "")
        becomes(control.scene.seen, before)
        assert folder.ids() == ()
        assert list(folder.path.glob("*.secret")) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_record_is_plain_and_keeps_secrets_apart(name: str) -> None:
    """What is read back is what was written; a password is in another file, or only named."""
    with fault_on_scene(name) as control:
        undo, print_ = control.prepared()
        record = control.record(undo, print_)
        document, secret = record.to_json()
        back = record_from_json(document, secret)
        assert back == record
        assert control.fault.undo.model_validate(back.undo) == undo
        password = control.scene.target.password if control.scene.target else None
        assert not password or password.encode() not in document
        assert (secret is not None) == bool(password)


@pytest.mark.parametrize("name", NAMES)
def test_its_description_names_the_action_and_the_target(name: str) -> None:
    """One sentence that names the target, within bounds; and it has a time limit of its own."""
    found = registry.FAULTS.get(name)
    with scene_of(name)() as scene:
        params = found.params.model_validate(scene.params, context=FROM_FILE)
        description = found.methods.describe(params, "the-target")
        assert "\n" not in description
        assert 20 < len(description) < 250
        assert not found.needs_target or "the-target" in description
    assert 0 < found.limit_s <= 600
    assert 0 < found.grace_s <= 120
    assert found.title.endswith(".")


def test_no_fault_is_named_as_a_kind_of_check() -> None:
    """A name given to `explain` has one meaning."""
    assert not set(registry.FAULTS.names()) & set(registry.CHECKERS.names())
