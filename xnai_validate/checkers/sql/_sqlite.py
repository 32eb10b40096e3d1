"""SQLite, by the standard library, in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable
from time import perf_counter
from typing import TypeVar
from urllib.parse import quote

from xnai_validate.checkers.sql._result import Query, QueryError, Rows, Server, rows_of
from xnai_validate.kit import NotApplicable, Unmeasurable

VALUE_CAP = 16 * 2**20
"""Bytes of the largest value that SQLite makes."""
T = TypeVar("T")


class Sqlite:
    """An open SQLite database."""

    def __init__(self, connection: sqlite3.Connection, server: Server) -> None:
        self._connection = connection
        self.server = server

    @classmethod
    async def connect(cls, path: str, *, writes: bool) -> Sqlite:
        """Open a database file, read-only unless `writes`.

        Raises NotApplicable without such a file, Unmeasurable if it is not a regular one.
        """
        started = perf_counter()
        connection = await asyncio.to_thread(_open_database, path, writes)
        return cls(connection, Server("sqlite", sqlite3.sqlite_version, (perf_counter() - started) * 1000))

    async def run(self, query: Query) -> Rows:
        """Run one statement; on cancellation it is interrupted, and the thread ends."""
        started = perf_counter()

        def execute_query() -> Rows:
            """Execute the query and fetch its rows."""
            with self._connection:
                cursor = self._connection.execute(query.text, tuple(query.args))
                columns = [column[0] for column in cursor.description or ()]
                rows = cursor.fetchmany(query.rows_cap + 1) if columns else []
                affected = cursor.rowcount if query.writes and cursor.rowcount >= 0 else None
            return rows_of(columns, rows, query.rows_cap, affected, (perf_counter() - started) * 1000)

        try:
            return await self._run_in_thread(execute_query)
        except sqlite3.Error as error:
            raise QueryError(str(error), getattr(error, "sqlite_errorname", None)) from None

    async def _run_in_thread(self, work: Callable[[], T]) -> T:
        """Run a function in a thread; interrupt SQLite if the task is cancelled."""
        running = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            self._connection.interrupt()
            await asyncio.wait([running])
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def _open_database(path: str, writes: bool) -> sqlite3.Connection:
    """Open a database file, read-only unless `writes`.

    Raises NotApplicable if it does not exist, else Unmeasurable or QueryError.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise NotApplicable(f"no database file {path}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise Unmeasurable(f"the database {path} is not a regular file")
    mode = "rw" if writes else "ro"
    try:
        connection = sqlite3.connect(
            f"file:{quote(os.path.abspath(path))}?mode={mode}", uri=True, check_same_thread=False, timeout=2.0
        )
    except sqlite3.Error as error:
        raise QueryError(f"{path}: {error}") from None
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_CAP)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    return connection
