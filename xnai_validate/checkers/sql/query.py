"""`sql.query`: one statement to a database, its rows and its time."""

from __future__ import annotations

import asyncio
from typing import Annotated, Protocol

from xnai_validate.checkers.sql._mysql import MySql
from xnai_validate.checkers.sql._postgres import Postgres
from xnai_validate.checkers.sql._result import Query, QueryError, Rows, Server
from xnai_validate.checkers.sql._sqlite import Sqlite
from xnai_validate.kit import (
    Argument,
    Context,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Ge,
    JsonValue,
    Le,
    Milliseconds,
    NotApplicable,
    Params,
    Preload,
    StringConstraints,
    Target,
    Unmeasurable,
    checker,
)
from xnai_validate.wire.failure import WireError

_POSTGRES = ("postgres", "postgresql")
_MYSQL = ("mysql", "mariadb")
TEXT_CAP = 2_000


class Database(Protocol):
    """A connection to a database."""

    server: Server

    async def run(self, query: Query) -> Rows:
        """Run one statement."""

    def close(self) -> None:
        """End the connection."""


class QueryParams(Params):
    """The statement, and how it may run."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    """One SQL statement."""
    args: Annotated[list[str | int | float | bool | None], Field(max_length=1_000)] = Field(default_factory=list)
    """The values of its placeholders: `$1` in PostgreSQL, `%s` in MySQL, `?` in SQLite."""
    file: Argument | None = None
    """The SQLite database to ask instead of a target; relative to the current directory."""
    database: str | None = None
    """The database of the server; by default that of the target's url."""
    writes: bool = False
    """Whether it may write; by default it runs in a transaction that only reads. What it writes is committed."""
    rows_cap: Annotated[int, Ge(1), Le(10_000)] = 100
    """Rows that are read; `more_rows` reports whether there are more."""
    timeout: Duration = 10.0
    """How long connecting and the statement may take together."""

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target that speaks no SQL that is known here."""
        if self.file is None and target.url and target.scheme not in (*_POSTGRES, *_MYSQL):
            raise ValueError(_describe_unknown(target))


class QueryResult(Facts):
    """The rows, and what is known about the server."""

    error: ErrorKind | None = None
    """Why the server could not be asked: refused, timeout, auth, tls, dns ..."""
    error_detail: str | None = None
    """The error in words."""
    sql_error: str | None = None
    """Why the server refused the connection or the statement, in its words."""
    sql_code: str | None = None
    """Its code for that: SQLSTATE in PostgreSQL (`42P01`), a number in MySQL (`1146`), a name in SQLite."""
    rows: JsonValue = None
    """The rows: a list of objects, column -> value."""
    row_count: Count | None = None
    """The number of rows that were read, at most `rows_cap`."""
    more_rows: bool | None = None
    """Whether there are more rows than that."""
    affected_rows: Count | None = None
    """With `writes`: the number of rows that the statement has changed, where the server reports one."""
    number: float | None = None
    """The first value of the first row, if that is a number: `select count(*) ...`, a lag in seconds."""
    text: str | None = None
    """The first value of the first row, if that is a text."""
    columns: list[str] | None = None
    """The names of the columns."""
    connect_ms: Milliseconds | None = None
    """To connect and log in."""
    query_ms: Milliseconds | None = None
    """To run the statement and read the rows."""
    server: str | None = None
    """`postgresql`, `mysql`, `mariadb` or `sqlite`."""
    server_version: str | None = None
    """The version of the server, in its words."""


def _required_libraries(target: Target | None) -> tuple[str, ...]:
    """Return the library that a target's database needs."""
    if target is None:
        return ()
    return ("asyncpg",) if target.scheme in _POSTGRES else ("aiomysql",) if target.scheme in _MYSQL else ()


_PRELOAD: Preload = _required_libraries


@checker("sql.query", target=False, expect={"error": None, "sql_error": None}, preload=_PRELOAD)
async def query(params: QueryParams, ctx: Context) -> QueryResult:
    """Run one statement in PostgreSQL, MySQL, MariaDB or SQLite, and judge its rows.

    The target's url names the server: `postgres://user@host:5432/db` or `mysql://user@host/db`, with the password in
    `password_env` of the target. PostgreSQL takes `?sslmode=` as libpq does, MySQL `?ssl=true`; both use `tls` of the
    target. They need the extras `postgres` and `mysql`; SQLite (`file`) needs none. The transaction only reads unless
    `writes` is true; that keeps errors of the author from the data, a right to write should not be given at all.
    The lag of a replica is a query like any other::

        kind: sql.query
        target: replica
        with: {query: "select coalesce(extract(epoch from now() - pg_last_xact_replay_timestamp()), 0)"}
        expect: {number: {max: 30}}

        kind: sql.query
        target: db
        with: {query: "select state, count(*) as jobs from queue group by state"}
        expect: {rows: {"$[?@.state == 'failed'].jobs": {length: 0}}}
    """
    limits = Query(params.query, params.args, params.writes, params.rows_cap, params.timeout)
    server: Server | None = None
    try:
        async with asyncio.timeout(params.timeout):
            database = await _connect(params, ctx)
            server = database.server
            try:
                rows = await database.run(limits)
            finally:
                database.close()
    except TimeoutError:
        what = "no connection" if server is None else "the statement was not at its end"
        return _facts_of_failure(server, ErrorKind.TIMEOUT, f"{what} within {params.timeout:g} s")
    except WireError as failure:
        return _facts_of_failure(server, failure.kind, failure.detail)
    except QueryError as refusal:
        return _facts_of_server(server).model_copy(update={"sql_error": refusal.message, "sql_code": refusal.code})
    return _facts_of_rows(server, rows)


async def _connect(params: QueryParams, ctx: Context) -> Database:
    """Connect to the file or to the target, by the scheme of its url. Raises NotApplicable or Unmeasurable."""
    if params.file is not None:
        return await Sqlite.connect(params.file, writes=params.writes)
    try:
        target = ctx.target
    except NotApplicable:
        raise Unmeasurable("sql.query has neither a target nor a file", hint="name one of the two") from None
    if target.scheme in _POSTGRES:
        return await Postgres.connect(target, params.database)
    if target.scheme in _MYSQL:
        return await MySql.connect(target, params.database)
    if not target.url:
        raise NotApplicable(f"target {target.name} has no url")
    raise Unmeasurable(_describe_unknown(target))


def _describe_unknown(target: Target) -> str:
    """Describe a scheme that belongs to no known database."""
    known = ", ".join(f"{scheme}://" for scheme in (*_POSTGRES, *_MYSQL))
    return f"target {target.name} speaks {target.scheme}, no SQL that is known here: {known}, and `file` for SQLite"


def _facts_of_server(server: Server | None) -> QueryResult:
    """Return the facts about the server only."""
    if server is None:
        return QueryResult()
    return QueryResult(server=server.name, server_version=server.version, connect_ms=server.connect_ms)


def _facts_of_failure(server: Server | None, kind: ErrorKind, detail: str) -> QueryResult:
    """Return the facts of a query that failed."""
    return _facts_of_server(server).model_copy(update={"error": kind, "error_detail": detail})


def _facts_of_rows(server: Server, rows: Rows) -> QueryResult:
    """Return the facts of the rows of a query."""
    first = rows.values[0][0] if rows.values and rows.values[0] else None
    return _facts_of_server(server).model_copy(
        update={
            "rows": [dict(zip(rows.columns, row, strict=True)) for row in rows.values],
            "row_count": len(rows.values),
            "more_rows": rows.more,
            "affected_rows": rows.affected,
            "number": float(first) if isinstance(first, int | float) and not isinstance(first, bool) else None,
            "text": first[:TEXT_CAP] if isinstance(first, str) else None,
            "columns": list(rows.columns),
            "query_ms": rows.query_ms,
        }
    )
