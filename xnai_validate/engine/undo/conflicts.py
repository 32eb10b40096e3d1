"""Refuse to run while a fault of another run may be in force: no measurement could be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from xnai_validate.engine.undo.folder import UndoFolder, Unreadable
from xnai_validate.engine.undo.record import UndoRecord
from xnai_validate.errors import ConfigError, NotUndone, StackDisturbed
from xnai_validate.kit import Target


def left_behind(folder: UndoFolder, *, besides: str | None = None) -> tuple[UndoRecord | Unreadable, ...]:
    """The records of faults that an ended run did not revert, those of the run `besides` excepted.

    Raises ConfigError if they cannot be read.
    """
    return tuple(
        record for record in _read_records(folder, besides) if isinstance(record, Unreadable) or not record.owned
    )


def held_by_others(
    folder: UndoFolder, targets: Iterable[Target], *, besides: str | None = None
) -> tuple[UndoRecord, ...]:
    """The records of faults that a living run has in force on one of these targets, or on the host.

    Raises ConfigError if they cannot be read.
    """
    own = tuple(targets)
    living = [record for record in _read_records(folder, besides) if isinstance(record, UndoRecord) and record.owned]
    return tuple(
        record for record in living if record.target is None or any(_same(record.target, target) for target in own)
    )


def refuse_left_behind(folder: UndoFolder) -> None:
    """Raise NotUndone if a fault of an earlier run may be in force."""
    records = left_behind(folder)
    if not records:
        return
    first = records[0]
    what = first.sentence if isinstance(first, UndoRecord) else f"an unreadable record, {first.id}"
    more = f", and {len(records) - 1} more" if len(records) > 1 else ""
    raise NotUndone(
        f"a fault of an earlier run may still be in force: {what}{more}; nothing was touched",
        hint="revert it with: xnai-validate undo",
    )


def refuse_held(folder: UndoFolder, targets: Iterable[Target]) -> None:
    """Raise StackDisturbed if another run has a fault in force on one of the targets."""
    for record in held_by_others(folder, targets):
        raise StackDisturbed(
            f"run {record.run} (process {record.owner.pid}) disturbs the stack just now: {record.sentence}",
            hint="wait until it has ended",
        )


def _read_records(folder: UndoFolder, besides: str | None) -> list[UndoRecord | Unreadable]:
    """Return the undo records, without those of the run `besides`. Raises ConfigError."""
    try:
        return [record for record in folder.all() if besides is None or not record.id.startswith(f"{besides}.")]
    except OSError as error:
        raise ConfigError(
            f"the undo records in {folder.path} cannot be read: {error.strerror}",
            hint="run as the user who owns them, or set XNAI_VALIDATE_STATE",
        ) from None


def _same(first: Target, second: Target) -> bool:
    """Whether two targets are the same part of a stack: the same server, container or process."""
    here = bool(first.host) and (first.host, first.port) == (second.host, second.port)
    return (
        here or _are_known_and_equal(first.container, second.container) or _are_known_and_equal(first.pid, second.pid)
    )


def _are_known_and_equal(first: object, second: object) -> bool:
    """Whether two values are equal and not None."""
    return first is not None and first == second
