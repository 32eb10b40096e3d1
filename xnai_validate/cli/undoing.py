"""What `undo` does and says; and the refusal to begin while a fault may be in force."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from xnai_validate.cli.console import print_out
from xnai_validate.errors import ConfigError, NotUndone
from xnai_validate.model.text import printable

if TYPE_CHECKING:
    from xnai_validate.engine import UndoFolder
    from xnai_validate.plan import Plan

NOT_UNDONE = 4
GUARDIAN_S = 3.0
"""How long the guardian of a run that was just killed may take until its work is done."""


def refuse_dirty() -> None:
    """Raises NotUndone where an earlier run has left a fault in force, after its guardian had the time to act."""
    from xnai_validate.engine.undo.conflicts import left_behind, refuse_left_behind

    folder = _folder()
    end = time.monotonic() + GUARDIAN_S
    while left_behind(folder) and time.monotonic() < end:
        time.sleep(0.1)
    refuse_left_behind(folder)


def refuse_disturbed(plan: Plan) -> None:
    """Raises NotUndone where another run disturbs a target of the plan just now."""
    from xnai_validate.engine.undo.conflicts import refuse_held

    refuse_held(_folder(), [one.target for planned in plan.targets.values() for one in planned.candidates])


def _folder() -> UndoFolder:
    from xnai_validate.engine.journal import state_dir
    from xnai_validate.engine.undo.folder import UndoFolder

    return UndoFolder.below(state_dir())


def tell_left(error: Exception) -> None:
    """Raises NotUndone where a run that broke has left something in force, which then outranks what it broke of."""
    from xnai_validate.engine import UndoRecord

    left = [one for one in _folder().all() if isinstance(one, UndoRecord)]
    mine = [one for one in left if one.owner.pid == os.getpid()]
    if mine:
        raise NotUndone(
            f"the run broke ({type(error).__name__}), and a fault may still be in force: {mine[0].sentence}",
            hint="undo it with: xnai-validate undo",
        ) from error


def listing() -> int:
    """Print what may be in force, oldest first; 4 where there is anything."""
    from xnai_validate.engine import UndoRecord

    found = _folder().all()
    for one in found:
        if isinstance(one, UndoRecord):
            age_s = max(0.0, time.time() - one.recorded_at)
            held = f"held by process {one.owner.pid}" if one.owned else "left behind"
            _say(f"{one.id}  {one.fault}  {one.target.name if one.target else '-'}  {age_s:.0f} s ago, {held}")
            _say(f"  {one.sentence}")
        else:
            _say(f"{one.id}  unreadable: {one.why}")
    if not found:
        _say("nothing is in force")
    return NOT_UNDONE if found else 0


def undoing(run: str | None, overdue: bool) -> int:
    """Take back what was left in force, last first, and say what came of it."""
    import asyncio

    from xnai_validate import registry
    from xnai_validate.engine import Repaired, SystemClock, repair, state_dir

    def told(one: Repaired) -> None:
        _say(f"{'undone, and proven' if one.proven else 'NOT UNDONE'}: {one.sentence}")
        if one.why:
            _say(f"  {one.why}")

    done = asyncio.run(repair(state_dir(), registry.FAULTS.get, SystemClock(), told, run=run, overdue=overdue))
    if not done:
        _say("nothing is in force")
    bad = [one.id for one in done if not one.proven]
    if bad:
        _say(
            f"{len(bad)} may still be in force; if what was disturbed is no more: xnai-validate undo --forget {bad[0]}"
        )
    return NOT_UNDONE if bad else 0


def forgetting(ids: tuple[str, ...]) -> int:
    """Drop records; raises ConfigError for one that is not there, or whose run still lives."""
    from xnai_validate.engine import UndoRecord
    from xnai_validate.model.suggestions import did_you_mean

    folder = _folder()
    for one in ids:
        if one not in folder.ids():
            raise ConfigError(f"no fault {one} is recorded", hint=did_you_mean(one, folder.ids()))
        found = folder.get(one)
        if isinstance(found, UndoRecord) and found.owned:
            raise ConfigError(f"{one} is held by process {found.owner.pid}, which takes it back itself")
        folder.remove(one)
        _say(f"forgotten: {found.sentence if isinstance(found, UndoRecord) else one}")
    return 0


def _say(text: str) -> None:
    print_out(f"{printable(text)}\n")
