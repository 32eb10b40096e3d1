"""Whether anything may be measured: while a fault may be in force, nothing that is measured could be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from xnai_validate.engine.undo.folder import UndoFolder, Unreadable
from xnai_validate.engine.undo.record import UndoRecord
from xnai_validate.errors import ConfigError, NotUndone
from xnai_validate.kit import Target


def left_behind(folder: UndoFolder, *, besides: str | None = None) -> tuple[UndoRecord | Unreadable, ...]:
    """The records whose run has ended without taking its fault back; `besides`: those of this run do not count.

    Raises ConfigError where they cannot be read.
    """
    return tuple(one for one in _records(folder, besides) if isinstance(one, Unreadable) or not one.owned)


def held(folder: UndoFolder, targets: Iterable[Target], *, besides: str | None = None) -> tuple[UndoRecord, ...]:
    """The records by which a living run disturbs one of these targets, or the host. Raises ConfigError likewise."""
    wanted = tuple(targets)
    living = [one for one in _records(folder, besides) if isinstance(one, UndoRecord) and one.owned]
    return tuple(one for one in living if one.target is None or any(_same(one.target, target) for target in wanted))


def refuse_left_behind(folder: UndoFolder) -> None:
    """Raises NotUndone where an earlier run has left something that may be in force."""
    found = left_behind(folder)
    if not found:
        return
    first = found[0]
    what = first.sentence if isinstance(first, UndoRecord) else f"an unreadable record, {first.id}"
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    raise NotUndone(
        f"a fault of an earlier run may still be in force: {what}{more}; nothing was touched",
        hint="undo it with: xnai-validate undo",
    )


def refuse_held(folder: UndoFolder, targets: Iterable[Target]) -> None:
    """Raises NotUndone where another run disturbs one of the targets just now."""
    for one in held(folder, targets):
        raise NotUndone(
            f"run {one.run} (process {one.owner.pid}) disturbs the stack just now: {one.sentence}",
            hint="wait until it has ended",
        )


def _records(folder: UndoFolder, besides: str | None) -> list[UndoRecord | Unreadable]:
    try:
        return [one for one in folder.all() if besides is None or not one.id.startswith(f"{besides}.")]
    except OSError as error:
        raise ConfigError(
            f"the undo records in {folder.path} cannot be read: {error.strerror}",
            hint="run as the user who owns them, or set XNAI_VALIDATE_STATE",
        ) from None


def _same(one: Target, other: Target) -> bool:
    """Whether two targets are the same part of a stack: the same server, container or process."""
    here = bool(one.host) and (one.host, one.port) == (other.host, other.port)
    return here or _equal(one.container, other.container) or _equal(one.pid, other.pid)


def _equal(one: object, other: object) -> bool:
    return one is not None and one == other
