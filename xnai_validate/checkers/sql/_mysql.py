"""MySQL and MariaDB, by aiomysql."""

from __future__ import annotations

import ssl
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from xnai_validate.checkers.sql._result import Query, QueryError, Rows, Server, rows_of
from xnai_validate.kit import ErrorKind, Target, Unmeasurable
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.net.tls import client_context

_ACCESS_DENIED = {1044, 1045, 1698}
_MARIADB = "5.5.5-"
"""What MariaDB before 11 puts before its version, for clients that know no version of two digits."""
_CONNECTION_LOST = {2003, 2006, 2013}


class MySql:
    """A connection to a MySQL or MariaDB server."""

    def __init__(self, connection: Any, server: Server) -> None:
        self._connection = connection
        self.server = server

    @classmethod
    async def connect(cls, target: Target, database: str | None) -> MySql:
        """Connect to the server of a `mysql` url. Raises WireError, QueryError; Unmeasurable without aiomysql."""
        try:
            import aiomysql
            from pymysql.err import MySQLError
        except ImportError:
            raise Unmeasurable(
                "queries to MySQL need the library aiomysql", hint="pip install 'xnai-validate[mysql]'"
            ) from None
        parts = urlsplit(target.url or "")
        started = perf_counter()
        try:
            connection = await aiomysql.connect(
                host=parts.hostname,
                port=parts.port or 3306,
                user=unquote(parts.username) if parts.username else "root",
                password=target.password or (unquote(parts.password) if parts.password else ""),
                db=database or unquote(parts.path.strip("/")) or None,
                charset="utf8mb4",
                ssl=_ssl(target),
                program_name="xnai-validate",
            )
        except MySQLError as error:
            raise _translate(error, f"connect to {target.host}:{parts.port or 3306}") from None
        except OSError as error:
            raise wire_error(error, f"connect to {target.host}:{parts.port or 3306}") from None
        version = str(connection.get_server_info()).removeprefix(_MARIADB)
        name = "mariadb" if "mariadb" in version.lower() else "mysql"
        return cls(connection, Server(name, version, (perf_counter() - started) * 1000))

    async def run(self, query: Query) -> Rows:
        """Run one statement in a transaction, which is read-only unless the query writes."""
        from aiomysql import SSCursor
        from pymysql.err import MySQLError

        started = perf_counter()
        try:
            # Rows come one by one and not as a whole: a large result is left where enough of it has been read.
            cursor = await self._connection.cursor(SSCursor)
            await self._prepare(cursor, query)
            affected = await cursor.execute(query.text, tuple(query.args) or None)
            columns = [column[0] for column in cursor.description or ()]
            rows = await cursor.fetchmany(query.rows_cap + 1) if columns else []
            elapsed_ms = (perf_counter() - started) * 1000
            if query.writes and len(rows) <= query.rows_cap:
                await cursor.close()  # reads what is left of the result
                await self._connection.commit()
        except MySQLError as error:
            raise _translate(error, "query") from None
        except OSError as error:
            raise wire_error(error, "query") from None
        except TypeError as error:  # of the formatting of `args` into the text
            raise QueryError(f"the query and its args do not fit: {error}") from None
        return rows_of(columns, rows, query.rows_cap, affected if query.writes and not columns else None, elapsed_ms)

    async def _prepare(self, cursor: Any, query: Query) -> None:
        """Set the server's own time limit for the statement, and begin the transaction."""
        limit_s = query.timeout_s + 1
        if self.server.name == "mariadb":
            await cursor.execute(f"SET SESSION max_statement_time = {limit_s:.3f}")
        else:
            await cursor.execute(f"SET SESSION max_execution_time = {int(limit_s * 1000)}")
        if not query.writes:
            await cursor.execute("SET SESSION TRANSACTION READ ONLY")
            await cursor.execute("START TRANSACTION READ ONLY")

    def close(self) -> None:
        """End the connection without waiting for the server."""
        self._connection.close()


def _ssl(target: Target) -> ssl.SSLContext | None:
    """The TLS of a connection: where the target has TLS files, or the url `?ssl=true`."""
    setting = dict(parse_qsl(urlsplit(target.url or "").query)).get("ssl", "").lower() in ("1", "true", "required")
    return client_context(target.tls) if setting or target.tls.ca or target.tls.cert else None


def _translate(error: Exception, doing: str) -> Exception:
    """Return the error as one of ours: no access, a lost connection, or a refused query."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else None
    message = str(error.args[1]) if len(error.args) > 1 else str(error)
    cause = error.__cause__ or error.__context__
    if code in _ACCESS_DENIED:
        return WireError(ErrorKind.AUTH, f"the server refuses the user or the password: {message}")
    if code in _CONNECTION_LOST:
        return wire_error(cause, doing) if isinstance(cause, OSError) else WireError(ErrorKind.RESET, message)
    return QueryError(message, str(code) if code is not None else None)
