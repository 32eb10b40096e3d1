"""No run begins while a fault of another run is in force, and none ends without reporting a fault it has left."""

from __future__ import annotations

import os
import time

from xnai_validate.engine import UndoFolder, UndoRecord, state_dir
from xnai_validate.engine.undo.conflicts import left_behind, refuse_held, refuse_left_behind
from xnai_validate.errors import NotUndone
from xnai_validate.plan import Plan

GUARDIAN_S = 3.0
"""How long the guardian of a run that was killed just now may take to revert its faults."""


def refuse_left_faults() -> None:
    """Raise NotUndone if an earlier run has left a fault in force, after its guardian had the time to revert it."""
    folder = UndoFolder.below(state_dir())
    end = time.monotonic() + GUARDIAN_S
    while left_behind(folder) and time.monotonic() < end:
        time.sleep(0.1)
    refuse_left_behind(folder)


def refuse_disturbed_targets(plan: Plan) -> None:
    """Raise NotUndone if another run has a fault in force in a target of the plan."""
    targets = [candidate.target for planned in plan.targets.values() for candidate in planned.candidates]
    refuse_held(UndoFolder.below(state_dir()), targets)


def refuse_own_faults(error: Exception) -> None:
    """Raise NotUndone, which outranks `error`, if this process broke and has left a fault in force."""
    own = [
        record
        for record in UndoFolder.below(state_dir()).all()
        if isinstance(record, UndoRecord) and record.owner.pid == os.getpid()
    ]
    if own:
        raise NotUndone(
            f"the run broke ({type(error).__name__}), and a fault may still be in force: {own[0].sentence}",
            hint="revert it with: xnai-validate undo",
        ) from error
