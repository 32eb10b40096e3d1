"""`sql.query` against Debian's MariaDB: what MySQL does differently from PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.context import observe
from tests.extra.mariadb import mariadb_server
from xnai_validate.kit import Target

pytestmark = pytest.mark.extra


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Target]:
    with mariadb_server() as target:
        yield target


def ask(target: Target, query: str, **how: Any) -> dict[str, Any]:
    """The facts of a statement."""
    return dict(observe("sql.query", target, query=query, **how).facts)


def test_rows_bounds_and_refusals(server: Target) -> None:
    """Writes need `writes`; rows are JSON and bounded; a refusal has the number of the server."""
    create = "create table jobs (id int primary key, state text, price decimal(10, 2), made datetime)"
    assert ask(server, create)["sql_code"] == "1792"
    assert ask(server, create, writes=True)["sql_error"] is None
    insert = "insert into jobs values (1, 'done', 2.50, '2026-01-02 03:04:05'), (2, 'failed', null, null)"
    assert ask(server, insert)["sql_code"] == "1792"
    assert ask(server, insert, writes=True)["affected_rows"] == 2
    facts = ask(server, "select * from jobs where id < %s order by id", args=[9])
    assert facts["rows"] == [
        {"id": 1, "state": "done", "price": 2.5, "made": "2026-01-02T03:04:05"},
        {"id": 2, "state": "failed", "price": None, "made": None},
    ]
    assert (facts["server"], facts["number"], facts["more_rows"]) == ("mariadb", 1, False)
    assert facts["server_version"].startswith("10.")
    started = time.monotonic()
    many = ask(server, "select seq, repeat('x', 1000) from seq_1_to_3000000", rows_cap=5)
    assert (many["row_count"], many["more_rows"]) == (5, True)
    assert time.monotonic() - started < 10
    assert ask(server, "select * from nowhere")["sql_code"] == "1146"
    assert ask(server, "select 1", database="nowhere")["error"] == "auth"
    assert "do not fit" in ask(server, "select %s", args=[1, 2])["sql_error"]


def test_time_limit_and_password(server: Target) -> None:
    """A late statement is a timeout; a wrong password is `auth`."""
    assert ask(server, "select sleep(60)", timeout="500ms")["error"] == "timeout"
    facts = ask(replace(server, password="wrong"), "select 1")
    assert (facts["error"], facts["sql_error"]) == ("auth", None)
