"""PostgreSQL, by asyncpg."""

from __future__ import annotations

import ssl
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from xnai_validate.checkers.sql._result import Query, QueryError, Rows, Server, rows_of
from xnai_validate.kit import ErrorKind, Target, Unmeasurable
from xnai_validate.wire.content import document_of
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.net.tls import client_context

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class Postgres:
    """A connection to a PostgreSQL server."""

    def __init__(self, connection: Any, server: Server) -> None:
        self._connection = connection
        self.server = server

    @classmethod
    async def connect(cls, target: Target, database: str | None) -> Postgres:
        """Connect to the server of a `postgres` url. Raises WireError, QueryError; Unmeasurable without asyncpg."""
        try:
            import asyncpg
        except ImportError:
            raise Unmeasurable(
                "queries to PostgreSQL need the library asyncpg", hint="pip install 'xnai-validate[postgres]'"
            ) from None
        parts = urlsplit(target.url or "")
        started = perf_counter()
        try:
            connection = await asyncpg.connect(
                host=parts.hostname,
                port=parts.port or 5432,
                user=unquote(parts.username) if parts.username else "postgres",
                password=target.password or (unquote(parts.password) if parts.password else None),
                database=database or unquote(parts.path.strip("/")) or None,
                ssl=_ssl(target),
                timeout=None,
                # The names of prepared statements do not survive a pooler between us and the server.
                statement_cache_size=0,
                server_settings={"application_name": "xnai-validate"},
            )
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise WireError(ErrorKind.AUTH, f"the server refuses the user or the password: {error}") from None
        except asyncpg.PostgresError as error:
            raise _query_error(error) from None
        except OSError as error:
            if error.errno is None and "SSL" in str(error):
                # Where TLS is optional, only another protocol has an answer that is neither yes nor no.
                if _ssl(target) in ("allow", "prefer"):
                    raise WireError(ErrorKind.PROTOCOL, "the server does not speak PostgreSQL's protocol") from None
                raise WireError(ErrorKind.TLS, "the server offers no TLS") from None
            raise wire_error(error, f"connect to {target.host}:{target.port}") from None
        except (asyncpg.InterfaceError, asyncpg.InternalClientError, ValueError) as error:
            raise WireError(ErrorKind.PROTOCOL, f"{target.host}:{target.port}: {error}") from None
        version = str(connection.get_settings().server_version)
        return cls(connection, Server("postgresql", version, (perf_counter() - started) * 1000))

    async def run(self, query: Query) -> Rows:
        """Run one statement in a transaction, which is read-only unless the query writes."""
        import asyncpg

        started = perf_counter()
        try:
            async with self._connection.transaction(readonly=not query.writes):
                # The server ends what goes on after we have left; the second more lets our own limit come first.
                await self._connection.execute(f"SET LOCAL statement_timeout = {int((query.timeout_s + 1) * 1000)}")
                statement = await self._connection.prepare(query.text, name="")
                types = [attribute.type.name for attribute in statement.get_attributes()]
                if types:
                    cursor = await statement.cursor(*query.args)
                    records = await cursor.fetch(query.rows_cap + 1)
                else:
                    records = await statement.fetch(*query.args)
                affected = _affected_rows(statement.get_statusmsg()) if query.writes else None
        except asyncpg.PostgresError as error:
            raise _query_error(error) from None
        except OSError as error:
            raise wire_error(error, "query") from None
        except asyncpg.InterfaceError as error:
            raise QueryError(str(error)) from None
        elapsed_ms = (perf_counter() - started) * 1000
        columns = [attribute.name for attribute in statement.get_attributes()]
        rows = [[_parse_json(value, type_) for value, type_ in zip(record, types, strict=True)] for record in records]
        return rows_of(columns, rows, query.rows_cap, affected, elapsed_ms)

    def close(self) -> None:
        """End the connection without waiting for the server."""
        self._connection.terminate()


def _ssl(target: Target) -> ssl.SSLContext | str:
    """The TLS of a connection: `sslmode` of the url as libpq has it, else `require` where the target has TLS files."""
    mode = dict(parse_qsl(urlsplit(target.url or "").query)).get("sslmode")
    if mode is not None and mode not in _SSL_MODES:
        raise Unmeasurable(f'the sslmode "{mode}" of target {target.name} is unknown', hint=", ".join(_SSL_MODES))
    if target.tls.ca or target.tls.cert or mode in ("verify-ca", "verify-full"):
        if mode == "disable":
            raise Unmeasurable(f"target {target.name} has TLS files and sslmode=disable", hint="remove one of the two")
        return client_context(target.tls)
    return mode or "prefer"


def _query_error(error: Exception) -> QueryError:
    """Return the error of a refused query, with its SQLSTATE."""
    code = getattr(error, "sqlstate", None)
    detail = getattr(error, "detail", None)
    return QueryError(f"{error}{f' ({detail})' if detail else ''}", code)


def _affected_rows(status: str) -> int | None:
    """Return the number at the end of a command tag: `INSERT 0 3`, `UPDATE 3`."""
    last = status.rpartition(" ")[2] if status else ""
    return int(last) if last.isdigit() and not status.startswith("SELECT") else None


def _parse_json(value: object, type_: str) -> object:
    """Return a value; one of the types json and jsonb, which arrives as text, as a document."""
    if type_ not in ("json", "jsonb") or not isinstance(value, str):
        return value
    document, is_json = document_of(value)
    return document if is_json else value
