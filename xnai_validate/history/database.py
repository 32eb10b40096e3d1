"""The database of the history: `history.sqlite3` below the state folder, in step with the journals beside it.

It can be made again from the journals, so a damaged one, or one of a later version, is replaced. It outlives them:
journals are removed after some runs, their records stay until `KEEP_RUNS` and `KEEP_RESULTS` are reached.
"""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.history.records import RUNNING, ResultRecord, RunRecord, result_records, run_record
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status

FILE_NAME = "history.sqlite3"
KEEP_RUNS = 1000
KEEP_RESULTS = 400_000
"""Results of checks that are kept, about 50 MB; the oldest runs go first."""
AT_ONCE = 500
"""Results that are inserted together: those of a whole run would be in memory at once."""
WAIT_S = 10.0
"""Seconds to wait for another process that writes."""
MIGRATIONS = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, journal_bytes INTEGER NOT NULL, profiles TEXT NOT NULL, title TEXT NOT NULL,
        started_at TEXT NOT NULL, elapsed_ms REAL NOT NULL, verdict TEXT NOT NULL, exit_code INTEGER NOT NULL,
        stopped TEXT, counts TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE checks (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
    CREATE TABLE results (
        check_number INTEGER NOT NULL REFERENCES checks(number),
        run TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        status TEXT NOT NULL, elapsed_ms REAL NOT NULL, figure TEXT, value REAL, reason TEXT,
        PRIMARY KEY (check_number, run)
    ) WITHOUT ROWID;
    CREATE INDEX results_of_run ON results(run);
    """,
)
"""Scripts; the n-th brings the tables from version n - 1 to version n, which is SQLite's `user_version`."""


@dataclass(frozen=True, slots=True)
class StoredJournal:
    """A journal on disk."""

    path: Path
    is_open: bool
    """Whether a run is still writing it."""

    @property
    def run_id(self) -> str:
        """The id of its run."""
        return self.path.stem


@dataclass(slots=True)
class History:
    """The open database."""

    connection: sqlite3.Connection
    unreadable: dict[str, str] = field(default_factory=dict)
    """Run id -> why its journal cannot be read."""

    def add(self, report: RunReport, journal_bytes: int, *, running: bool = False) -> None:
        """Add a run, or replace it; `running`: it has not ended yet. Raises XnaiError if it cannot be written."""
        with _translate_errors():
            self._insert_run(run_record(report, running=running), result_records(report), journal_bytes)
            self._prune()
            self.connection.commit()

    def update(self, journals: Iterable[StoredJournal], read: Callable[[Path], RunReport]) -> None:
        """Add the runs whose journals are new or have grown; `read` builds a report, or raises XnaiError."""
        with _translate_errors():
            known = {
                run_id: -1 if verdict == RUNNING else size
                for run_id, size, verdict in self.connection.execute("SELECT id, journal_bytes, verdict FROM runs")
            }
            for journal in journals:
                with suppress(FileNotFoundError):  # another run has just removed it
                    size = journal.path.stat().st_size
                    if known.get(journal.run_id) == size:
                        continue
                    self._add_journal(journal, size, read)
            self._prune()
            self.connection.commit()

    def _add_journal(self, journal: StoredJournal, size: int, read: Callable[[Path], RunReport]) -> None:
        """Add the run of a journal; a journal that cannot be read is noted with its error."""
        try:
            report = read(journal.path)
        except XnaiError as error:
            self.unreadable[journal.run_id] = error.message
            return
        self._insert_run(run_record(report, running=journal.is_open), result_records(report), size)

    def _insert_run(self, run: RunRecord, results: Iterable[ResultRecord], size: int) -> None:
        """Insert a run and the results of its checks; they replace those stored before."""
        execute = self.connection.execute
        execute("DELETE FROM runs WHERE id = ?", (run.id,))
        execute(
            "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run.id,
                size,
                json.dumps(run.profiles),
                run.title,
                run.started_at,
                run.elapsed_ms,
                run.verdict,
                run.exit_code,
                run.stopped,
                json.dumps(run.counts),
            ),
        )
        records = iter(results)
        while rows := list(islice(records, AT_ONCE)):
            self.connection.executemany("INSERT OR IGNORE INTO checks(id) VALUES (?)", [(row.check,) for row in rows])
            self.connection.executemany(
                "INSERT OR REPLACE INTO results SELECT number, ?, ?, ?, ?, ?, ? FROM checks WHERE id = ?",
                [(run.id, row.status, row.elapsed_ms, row.figure, row.value, row.reason, row.check) for row in rows],
            )

    def _prune(self) -> None:
        """Remove the oldest runs beyond the limits; the newest run always stays."""
        execute = self.connection.execute
        kept = total = 0
        counts = execute(
            "SELECT runs.id, count(results.run) FROM runs LEFT JOIN results ON results.run = runs.id"
            " GROUP BY runs.id ORDER BY runs.started_at DESC, runs.id DESC"
        ).fetchall()
        for run_id, count in counts:
            kept, total = kept + 1, total + count
            if kept > 1 and (kept > KEEP_RUNS or total > KEEP_RESULTS):
                execute("DELETE FROM runs WHERE id = ?", (run_id,))

    def runs(self) -> list[RunRecord]:
        """Return the runs, newest first."""
        with _translate_errors():
            rows = self.connection.execute(
                "SELECT id, profiles, title, started_at, elapsed_ms, verdict, exit_code, stopped, counts FROM runs"
                " ORDER BY started_at DESC, id DESC"
            )
            return [
                RunRecord(
                    id=row[0],
                    profiles=tuple(json.loads(row[1])),
                    title=row[2],
                    started_at=row[3],
                    elapsed_ms=row[4],
                    verdict=row[5],
                    exit_code=row[6],
                    stopped=row[7],
                    counts=json.loads(row[8]),
                )
                for row in rows
            ]

    def check_ids(self) -> list[str]:
        """Return the ids of all checks of the stored runs, sorted."""
        with _translate_errors():
            rows = self.connection.execute(
                "SELECT id FROM checks WHERE EXISTS (SELECT 1 FROM results WHERE check_number = number) ORDER BY id"
            )
            return [row[0] for row in rows]

    def results_of_check(self, check: str) -> Mapping[str, ResultRecord]:
        """Return run id -> result of a check."""
        return dict(self._select_results("checks.id = ?", check))

    def results_of_run(self, run_id: str) -> list[ResultRecord]:
        """Return the results of a run, by the id of the check."""
        return [result for _, result in self._select_results("results.run = ? ORDER BY checks.id", run_id)]

    def _select_results(self, where: str, operand: str) -> list[tuple[str, ResultRecord]]:
        """Return the results that match a condition, each with the id of its run."""
        with _translate_errors():
            rows = self.connection.execute(
                "SELECT run, checks.id, status, elapsed_ms, figure, value, reason FROM results"
                f" JOIN checks ON number = check_number WHERE {where}",
                (operand,),
            )
            return [
                (
                    row[0],
                    ResultRecord(
                        check=row[1],
                        status=Status(row[2]),
                        elapsed_ms=row[3],
                        figure=row[4],
                        value=row[5],
                        reason=row[6],
                    ),
                )
                for row in rows
            ]


@contextmanager
def open_history(state: Path) -> Iterator[History]:
    """Open the database of a state folder, which must be private; create, migrate or replace it as needed.

    Without the right to write there, it is kept in memory for the time of the block. Raises ConfigError if its place
    is taken by what is not a file, XnaiError if it cannot be used.
    """
    with _translate_errors():
        path = state / FILE_NAME
        if not _is_writable(path):
            connection = _connect(":memory:")
        else:
            try:
                connection = _connect(str(path))
            except _Outdated:
                _remove(path)
                connection = _connect(str(path))
        with closing(connection):
            yield History(connection)


class _Outdated(Exception):
    """The database is damaged, or of a version that this program does not know."""


def _connect(path: str) -> sqlite3.Connection:
    """Connect to a database and migrate it. Raises _Outdated if it must be made again."""
    connection = sqlite3.connect(path, timeout=WAIT_S)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA auto_vacuum = FULL")
        connection.execute("PRAGMA trusted_schema = OFF")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise _Outdated
        if version < len(MIGRATIONS):
            _migrate(connection)
        connection.execute("SELECT count(*) FROM runs").fetchone()
    except BaseException as error:
        connection.close()
        if type(error) in (sqlite3.DatabaseError, sqlite3.OperationalError) and not _is_unavailable(error):
            raise _Outdated from None
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the version of this program; of two processes at once, the second finds it done."""
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        for statement in script.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
    connection.commit()


def _is_unavailable(error: BaseException) -> bool:
    """Whether SQLite reports that the database is locked, or that the disk is full or fails."""
    return isinstance(error, sqlite3.Error) and error.sqlite_errorcode & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
    )


def _remove(path: Path) -> None:
    """Remove a database with the files that SQLite keeps beside it."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _is_writable(path: Path) -> bool:
    """Create the file, readable by its owner only, if it is missing; return whether it can be written.

    Raises ConfigError for a link or anything else that is not a regular file.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError:
        with suppress(OSError):
            if not stat.S_ISREG(path.lstat().st_mode):
                raise ConfigError(f"{path} is not a regular file", hint="remove it") from None
        return False
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ConfigError(f"{path} is not a regular file", hint="remove it")
    finally:
        os.close(handle)
    return True


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise the errors of the database as XnaiError."""
    try:
        yield
    except (sqlite3.Error, ValueError, OverflowError) as error:  # the latter two: a value that SQLite cannot hold
        raise XnaiError(
            f"the history cannot be used: {error}", hint="it is made again if its file is removed"
        ) from None
