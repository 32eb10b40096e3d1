"""Revert the faults that an ended run has left in force: for the guardian and for `xnai-validate undo`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xnai_validate.engine.events.journal import journal_path
from xnai_validate.engine.undo.folder import UndoFolder, Unreadable
from xnai_validate.engine.undo.record import UndoRecord
from xnai_validate.engine.undo.revert import FaultPlace, Proof, revert
from xnai_validate.errors import XnaiError
from xnai_validate.kit import Clock, Fault
from xnai_validate.model.json import to_json
from xnai_validate.model.results.events import FaultReverted

END_S = 5.0
"""Seconds to wait for the end of a run whose guardian was woken."""
TAIL = 2 << 20
"""Bytes at the end of a journal that are searched for its last event, which has at most 1 MiB."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """The result for one record."""

    id: str
    sentence: str
    proven: bool
    why: str | None


async def repair(
    state: Path,
    find: Callable[[str], Fault],
    clock: Clock,
    on_repaired: Callable[[Repaired], None],
    *,
    run: str | None = None,
    overdue: bool = False,
) -> list[Repaired]:
    """Revert every fault whose run has ended, last first; a record is removed once its fault is proven to be reverted.

    Args:
        state: the state directory.
        find: the fault of a name; raises XnaiError for an unknown one.
        clock: the clock.
        on_repaired: called after each record.
        run: only the faults of this run, whose end is waited for.
        overdue: only the faults that are in force for longer than allowed, even if their run still lives.
    """
    folder = UndoFolder.below(state)
    done: list[Repaired] = []
    if not folder.ids():
        return done
    with folder.locked():
        for record_id in reversed(folder.ids()):
            if run is not None and not record_id.startswith(f"{run}."):
                continue
            record = folder.get(record_id)
            if record is None or (overdue and not _is_overdue(record, find, clock)):
                continue
            repaired = await _repair_record(folder, record, find, clock, patient=run is not None, overdue=overdue)
            if isinstance(record, UndoRecord) and repaired.proven and not overdue:
                _append_to_journal(state, record, clock)
            on_repaired(repaired)
            done.append(repaired)
    return done


def _is_overdue(record: UndoRecord | Unreadable, find: Callable[[str], Fault], clock: Clock) -> bool:
    """Whether it should have been reverted by now; an unreadable record never is."""
    try:
        fault = find(record.fault) if isinstance(record, UndoRecord) else None
    except XnaiError:
        return False
    if fault is None or not isinstance(record, UndoRecord):
        return False
    return clock.time() - record.recorded_at >= fault.limit_s + fault.grace_s


async def _repair_record(
    folder: UndoFolder,
    record: UndoRecord | Unreadable,
    find: Callable[[str], Fault],
    clock: Clock,
    *,
    patient: bool,
    overdue: bool,
) -> Repaired:
    """Revert the fault of a record that no running process owns, and remove the record once that is proven.

    With `patient`, wait until the process that owns the record has ended. With `overdue`, the fault was in force for
    longer than allowed: revert it even if that process runs.
    """
    if isinstance(record, Unreadable):
        return Repaired(record.id, f"an unreadable record, {record.id}", False, record.why)
    deadline = clock.monotonic() + END_S
    while patient and not overdue and record.owned and clock.monotonic() < deadline:
        await clock.sleep(0.05)  # the pipe of a run closes a moment before its process ends
    if record.owned and not overdue:
        why = f"process {record.owner.pid} still runs, and reverts it itself; end it first"
        return Repaired(record.id, record.sentence, False, why)
    proof = await _revert(record, find, clock)
    if proof.proven:
        try:
            folder.remove(record.id)
        except OSError as error:
            proof = Proof(False, f"it is reverted, but its record cannot be removed: {error.strerror}")
    return Repaired(record.id, record.sentence, proof.proven, proof.why)


async def _revert(record: UndoRecord, find: Callable[[str], Fault], clock: Clock) -> Proof:
    """Revert the fault of a record and return the proof, or why it could not be reverted."""
    try:
        fault = find(record.fault)
        undo = fault.undo.model_validate(record.undo)
    except XnaiError as error:
        return Proof(False, error.message)
    except ValueError:
        return Proof(False, f"its record was written by another version of {record.fault}")
    target = record.target
    if target is not None and target.password_env and target.password is None:
        return Proof(False, f"{target.password_env} is not set, which holds the password of {target.name}")
    place = FaultPlace(record.id, clock, fault.limit_s, target)
    return await revert(fault, undo, record.before, place, asyncio.Event())


def _append_to_journal(state: Path, record: UndoRecord, clock: Clock) -> None:
    """Append to the journal of a killed run that its fault is reverted; a torn last line is cut off."""
    with suppress(OSError, ValueError), journal_path(record.run, state).open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL))
        whole, _, torn = file.read().rpartition(b"\n")
        last = json.loads(whole.rpartition(b"\n")[2])
        if last["event"] == "run-finished":
            return
        file.seek(size - len(torn))
        file.truncate()
        event = FaultReverted(seq=last["seq"] + 1, at=clock.time(), undo=record.id, proven=True)
        file.write(to_json(event) + b"\n")
        file.flush()
        os.fsync(file.fileno())
