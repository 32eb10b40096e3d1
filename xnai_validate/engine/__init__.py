"""From a plan to events: `Engine` runs it, `settle_targets` finds its targets, journals keep what happened."""

from xnai_validate.engine.clock import SystemClock
from xnai_validate.engine.engine import Engine
from xnai_validate.engine.events.journal import journal_path, journals, new_run_id, read_journal
from xnai_validate.engine.memory_guard import Memory
from xnai_validate.engine.signals import signals
from xnai_validate.engine.state_folder import state_dir
from xnai_validate.engine.targets import settle_targets, wait_for_targets
from xnai_validate.engine.undo.folder import UndoFolder, Unreadable
from xnai_validate.engine.undo.record import UndoRecord
from xnai_validate.engine.undo.repair import Repaired, repair

__all__ = [
    "Engine",
    "Memory",
    "Repaired",
    "SystemClock",
    "UndoFolder",
    "UndoRecord",
    "Unreadable",
    "journal_path",
    "journals",
    "new_run_id",
    "read_journal",
    "repair",
    "settle_targets",
    "signals",
    "state_dir",
    "wait_for_targets",
]
