"""Statements run in a real PostgreSQL and in SQLite; what they return becomes JSON, and what fails has a reason."""

from __future__ import annotations

import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import Authority
from tests.certificates import authority as new_authority
from tests.checkers.databases import PASSWORD, postgres_server, prepare, tls_front
from tests.context import observe
from tests.ports import free_port
from xnai_validate.kit import NotApplicable, Target, Tls, Unmeasurable
from xnai_validate.model.source_location import InvalidConfig


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return new_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server() -> Iterator[Target]:
    with postgres_server() as target:
        prepare(
            target,
            "create table jobs (id int primary key, state text, made timestamptz, price numeric, extra jsonb)",
            "insert into jobs values (1, 'done', '2026-01-02T03:04:05Z', 10, '{\"tries\": 2}')",
            "insert into jobs values (2, 'failed', null, 0.5, null)",
        )
        yield target


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "jobs.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table jobs (id integer, state text)")
        connection.executemany("insert into jobs values (?, ?)", [(1, "done"), (2, "failed")])
    connection.close()
    return str(path)


def ask(target: Target | None, query: str, **how: Any) -> dict[str, Any]:
    """The facts of a statement."""
    return dict(observe("sql.query", target, query=query, **how).facts)


def test_rows_are_json(server: Target) -> None:
    """Each row is an object; numbers, times, JSON and null keep what they are."""
    facts = ask(server, "select * from jobs order by id")
    assert facts["rows"] == [
        {"id": 1, "state": "done", "made": "2026-01-02T03:04:05+00:00", "price": 10, "extra": {"tries": 2}},
        {"id": 2, "state": "failed", "made": None, "price": 0.5, "extra": None},
    ]
    assert (facts["row_count"], facts["more_rows"], facts["error"], facts["sql_error"]) == (2, False, None, None)
    assert facts["columns"] == ["id", "state", "made", "price", "extra"]
    assert (facts["server"], facts["number"]) == ("postgresql", 1)
    assert facts["server_version"].startswith("18")
    assert facts["query_ms"] > 0
    assert facts["connect_ms"] > 0


def test_rules_judge_rows_and_the_first_value(server: Target) -> None:
    """JSONPath rules apply to the rows; the first value is a number or a text, and only that satisfies a rule."""
    count = "select count(*) from jobs where state = $1"
    assert observe("sql.query", server, query=count, args=["failed"], expect={"number": {"max": 1}}).held
    assert not observe("sql.query", server, query=count, args=["failed"], expect={"number": 0}).held
    rule = {"rows": {"$[?@.state == 'failed']": {"length": 0}}}
    assert not observe("sql.query", server, query="select state from jobs", expect=rule).held
    assert ask(server, "select 'yes'")["text"] == "yes"
    assert ask(server, "select true")["number"] is None
    empty = observe("sql.query", server, query="select 1 where false", expect={"number": {"min": 0}})
    assert not empty.held


def test_a_statement_only_reads_unless_it_may_write(server: Target) -> None:
    """The transaction is read-only; with `writes` the statement is committed and the changed rows are counted."""
    insert = "insert into jobs values (3, 'new', null, null, null)"
    facts = ask(server, insert)
    assert (facts["sql_code"], facts["error"]) == ("25006", None)
    assert not observe("sql.query", server, query=insert).held
    assert ask(server, insert, writes=True)["affected_rows"] == 1
    assert ask(server, "delete from jobs where id = 3 returning id", writes=True)["rows"] == [{"id": 3}]
    assert ask(server, "select count(*) from jobs")["number"] == 2
    assert "multiple commands" in ask(server, f"commit; {insert}")["sql_error"]


def test_rows_are_bounded(server: Target) -> None:
    """No more rows are read than are kept, whatever the statement makes."""
    started = time.monotonic()
    facts = ask(server, "select i, repeat('x', 1000) as pad from generate_series(1, 3000000) i", rows_cap=5)
    assert (facts["row_count"], facts["more_rows"]) == (5, True)
    assert time.monotonic() - started < 10
    assert len(ask(server, "select repeat('x', 100000) as pad")["rows"][0]["pad"]) < 3000


def test_the_time_limit_ends_the_statement(server: Target) -> None:
    """A late statement is a failure of the system, and the server does not go on with it for long."""
    observed = observe("sql.query", server, query="select pg_sleep(60)", timeout="500ms")
    assert observed.facts["error"] == "timeout"
    assert not observed.held
    running = "select count(*) from pg_stat_activity where query like '%pg_sleep%' and query not like '%stat_act%'"
    deadline = time.monotonic() + 10
    while ask(server, running)["number"] != 0:
        assert time.monotonic() < deadline, "the statement goes on"
        time.sleep(0.1)


def test_a_refusal_has_the_words_and_the_code_of_the_server(server: Target) -> None:
    """A wrong statement, an unknown database and args that do not fit are refusals; nothing is a traceback."""
    facts = ask(server, "select * from nowhere")
    assert (facts["sql_code"], facts["rows"]) == ("42P01", None)
    assert 'relation "nowhere" does not exist' in facts["sql_error"]
    assert ask(server, "select 1", database="nowhere")["sql_code"] == "3D000"
    assert "invalid input" in ask(server, "select $1::int", args=["text"])["sql_error"]
    assert ask(server, "select 1", args=[1])["sql_error"] is not None


def test_a_wrong_password_is_auth(server: Target) -> None:
    """The password is that of the target; a wrong one is not a refusal of the statement."""
    facts = ask(replace(server, password="wrong"), "select 1")
    assert (facts["error"], facts["sql_error"]) == ("auth", None)
    assert "wrong" not in str(facts["error_detail"]).replace("password", "")
    in_url = replace(server, url=str(server.url).replace("tester@", f"tester:{PASSWORD}@"), password=None)
    assert ask(in_url, "select 1")["number"] == 1


def test_the_server_is_verified_where_that_is_asked_for(server: Target, authority: Authority) -> None:
    """With an authority the certificate is verified; without one TLS is used where the server offers it."""
    with tls_front(server, authority.server("127.0.0.1")) as front:
        target = front.target
        assert ask(target, "select 1")["number"] == 1
        assert ask(replace(target, url=f"{target.url}?sslmode=disable"), "select 1")["number"] == 1
        assert front.handshakes == 1
        assert ask(replace(target, tls=Tls(ca=authority.ca)), "select 1")["number"] == 1
        assert front.handshakes == 2
        facts = ask(replace(target, url=f"{target.url}?sslmode=verify-full"), "select 1")
        assert (facts["error"], facts["number"]) == ("tls", None)
    facts = ask(replace(server, tls=Tls(ca=authority.ca)), "select 1")
    assert (facts["error"], facts["number"]) == ("tls", None)
    with pytest.raises(Unmeasurable, match="sslmode"):
        ask(replace(server, url=f"{server.url}?sslmode=never"), "select 1")


def test_a_server_that_is_not_there_has_the_same_errors_as_elsewhere() -> None:
    """A closed port is `refused`, silence is `timeout`, another protocol is an error of the protocol or a reset."""
    assert ask(Target("db", f"postgres://127.0.0.1:{free_port()}/x"), "select 1")["error"] == "refused"
    assert ask(Target("db", f"mysql://127.0.0.1:{free_port()}/x"), "select 1")["error"] == "refused"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        assert ask(Target("db", f"postgres://127.0.0.1:{port}/x"), "select 1", timeout="300ms")["error"] == "timeout"
        assert ask(Target("db", f"mysql://127.0.0.1:{port}/x"), "select 1", timeout="300ms")["error"] == "timeout"
    with socket.create_server(("127.0.0.1", 0)) as rude:

        def answer() -> None:
            for _ in range(2):
                with rude.accept()[0] as client:
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        port = rude.getsockname()[1]
        for scheme in ("postgres", "mysql"):
            facts = ask(Target("db", f"{scheme}://127.0.0.1:{port}/x"), "select 1", timeout="5s")
            assert facts["error"] in ("protocol", "reset") or facts["sql_error"], scheme
        thread.join()


def test_sqlite_is_read_from_a_file(file: str) -> None:
    """A file is opened for reading only, and written to only with `writes`."""
    facts = ask(None, "select state, count(*) as jobs from jobs group by state order by state", file=file)
    assert facts["rows"] == [{"state": "done", "jobs": 1}, {"state": "failed", "jobs": 1}]
    assert (facts["server"], facts["server_version"]) == ("sqlite", sqlite3.sqlite_version)
    refused = ask(None, "insert into jobs values (3, 'new')", file=file)
    assert "readonly" in refused["sql_error"]
    assert ask(None, "insert into jobs values (?, ?)", args=[3, "new"], file=file, writes=True)["affected_rows"] == 1
    assert ask(None, "select count(*) from jobs", file=file)["number"] == 3
    assert ask(None, "select nothing from jobs", file=file)["sql_code"] == "SQLITE_ERROR"
    assert ask(None, "select x'00ff' as data", file=file)["rows"] == [{"data": "0x00ff"}]


def test_sqlite_keeps_within_its_bounds(file: str, tmp_path: Path) -> None:
    """An endless statement is interrupted, a huge value refused, another file not attached, a pipe not opened."""
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n"
    started = time.monotonic()
    assert ask(None, endless, file=file, timeout="300ms")["error"] == "timeout"
    assert time.monotonic() - started < 5
    assert ask(None, "select randomblob(1000000000)", file=file)["sql_error"] is not None
    assert ask(None, "attach 'other.db' as other", file=file)["sql_error"] is not None
    assert not Path("other.db").exists()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unmeasurable, match="not a regular file"):
        ask(None, "select 1", file=str(tmp_path / "pipe"))
    with pytest.raises(NotApplicable, match="no database file"):
        ask(None, "select 1", file=str(tmp_path / "gone.db"))


def test_what_is_no_database_is_reported_as_such() -> None:
    """Neither a target nor a file, or a target of another protocol, is an error with the way on."""
    with pytest.raises(Unmeasurable, match="neither a target nor a file"):
        ask(None, "select 1")
    with pytest.raises(Unmeasurable, match="no SQL"):
        ask(Target("api", "http://127.0.0.1:1"), "select 1")
    with pytest.raises(NotApplicable, match="has no url"):
        ask(Target("api", container="x"), "select 1")
    with pytest.raises(InvalidConfig):
        ask(None, "")
