"""The folder of undo records, `undo/` below the state directory. What lies in it may be in force."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from xnai_validate.engine.undo.record import UndoRecord, record_from_json


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that should be an undo record and is none."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class UndoFolder:
    """The undo records of all runs of one user."""

    path: Path

    @classmethod
    def below(cls, state: Path) -> UndoFolder:
        """The one of a state directory."""
        return cls(state / "undo")

    def add(self, record: UndoRecord) -> None:
        """Write a record; when this returns it is on the disk, and so is its name. Raises OSError: then it is not."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        document, secret = record.to_json()
        try:
            if secret is not None:
                _write(self._secret(record.id), secret)
            _write(self._record(record.id), document)
            _sync_folder(self.path)
            _sync_folder(self.path.parent)
        except OSError:
            with suppress(OSError):
                self.remove(record.id)
            raise

    def remove(self, record_id: str) -> None:
        """Remove a record: the fault was taken back. Raises OSError."""
        self._record(record_id).unlink(missing_ok=True)
        self._secret(record_id).unlink(missing_ok=True)
        _sync_folder(self.path)

    def ids(self) -> tuple[str, ...]:
        """The ids of all records, oldest first; empty where there is no folder. Raises OSError."""
        try:
            names = os.listdir(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return ()
        return tuple(sorted((name[:-5] for name in names if name.endswith(".json")), key=_order))

    def all(self) -> tuple[UndoRecord | Unreadable, ...]:
        """All records, oldest first."""
        return tuple(found for one in self.ids() if (found := self.get(one)) is not None)

    def get(self, record_id: str) -> UndoRecord | Unreadable | None:
        """One record; None where it is gone meanwhile."""
        try:
            document = self._record(record_id).read_bytes()
            secret = self._secret(record_id).read_bytes() if self._secret(record_id).exists() else None
            return record_from_json(document, secret)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            return Unreadable(record_id, str(error))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time takes back what others have left; others wait here."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _record(self, record_id: str) -> Path:
        return self.path / f"{record_id}.json"

    def _secret(self, record_id: str) -> Path:
        return self.path / f"{record_id}.secret"


def _order(record_id: str) -> tuple[str, int]:
    run, _, number = record_id.rpartition(".")
    return (run, int(number)) if number.isdigit() else (record_id, 0)


def _write(path: Path, data: bytes) -> None:
    """Write aside, sync, rename: a reader sees all of it or nothing."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(aside, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(aside, path)
    except OSError:
        with suppress(OSError):
            aside.unlink()
        raise


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
