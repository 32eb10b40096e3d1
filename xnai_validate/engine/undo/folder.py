"""The folder of undo records, `undo/` below the state directory: a fault with a record there may be in force."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from xnai_validate.engine.state_folder import create_private, read_private, refuse_shared
from xnai_validate.engine.undo.record import UndoRecord, record_from_json

RECORD_CAP = 4 << 20
"""Bytes of a record that are read at most."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that should be an undo record, and cannot be read as one."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class UndoFolder:
    """The undo records of all runs of one user."""

    path: Path

    @classmethod
    def below(cls, state: Path) -> UndoFolder:
        """The folder of a state directory. Raises ConfigError if another user can write one of them."""
        refuse_shared(state, state / "undo")
        return cls(state / "undo")

    def add(self, record: UndoRecord) -> None:
        """Write a record and sync it and its folder to disk. Raises OSError; then no record is left."""
        create_private(self.path)
        document, secret = record.to_json()
        try:
            if secret is not None:
                _write(self._secret_path(record.id), secret)
            _write(self._record_path(record.id), document)
            _sync_folder(self.path)
            _sync_folder(self.path.parent)
        except OSError:
            with suppress(OSError):
                self.remove(record.id)
            raise

    def remove(self, record_id: str) -> None:
        """Remove the record of a reverted fault. Raises OSError."""
        self._record_path(record_id).unlink(missing_ok=True)
        self._secret_path(record_id).unlink(missing_ok=True)
        _sync_folder(self.path)

    def ids(self) -> tuple[str, ...]:
        """The ids of all records, oldest first; empty without a folder. Raises OSError."""
        try:
            names = os.listdir(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(sorted((name[:-5] for name in names if name.endswith(".json")), key=_sort_key))

    def all(self) -> tuple[UndoRecord | Unreadable, ...]:
        """All records, oldest first."""
        return tuple(record for record_id in self.ids() if (record := self.get(record_id)) is not None)

    def get(self, record_id: str) -> UndoRecord | Unreadable | None:
        """One record; None if it was removed meanwhile."""
        try:
            document = read_private(self._record_path(record_id), RECORD_CAP)
            secret = (
                read_private(self._secret_path(record_id), RECORD_CAP)
                if self._secret_path(record_id).exists()
                else None
            )
            return record_from_json(document, secret)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            return Unreadable(record_id, str(error))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """A context that one process at a time enters to revert the faults of others."""
        create_private(self.path)
        handle = os.open(self.path / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _record_path(self, record_id: str) -> Path:
        """Return the path of an undo record."""
        return self.path / f"{record_id}.json"

    def _secret_path(self, record_id: str) -> Path:
        """Return the path of the secrets of an undo record."""
        return self.path / f"{record_id}.secret"


def _sort_key(record_id: str) -> tuple[str, int]:
    """Return what records are sorted by: the run, then the number in the run."""
    run, _, number = record_id.rpartition(".")
    return (run, int(number)) if number.isdigit() else (record_id, 0)


def _write(path: Path, data: bytes) -> None:
    """Write to a temporary file, sync, rename: a reader finds either the whole file or none."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _sync_folder(path: Path) -> None:
    """Write the entries of a folder to the disk (fsync)."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
