"""`sql.query` against Debian's MariaDB: what MySQL does differently from PostgreSQL."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiomysql
import pytest

from tests.context import observe
from tests.ports import free_port
from xnai_validate.kit import Target

PASSWORD = "s3cret-of-tests"
START_S = 60

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def server() -> Iterator[Target]:
    """A server that is up, as a target for its user `tester`."""
    if not shutil.which("mariadbd"):
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        packages = [
            "apt-get",
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "mariadb-server-core",
            "mariadb-client",
        ]
        subprocess.run(packages, check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        install = [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={name}/data",
            "--auth-root-authentication-method=normal",
        ]
        subprocess.run(
            [*install, "--auth-root-authentication-method=normal", "--user=root", "--skip-test-db"],
            check=True,
            capture_output=True,
        )
        (folder / "init.sql").write_text(
            f"create user tester@'127.0.0.1' identified by '{PASSWORD}';\ncreate database shop;\n"
            "grant all on shop.* to tester@'127.0.0.1';\n"
        )
        port = free_port()
        command = ["mariadbd", "--no-defaults", f"--datadir={name}/data", "--user=root", f"--port={port}"]
        command += [
            "--skip-name-resolve",
            "--bind-address=127.0.0.1",
            f"--socket={name}/socket",
            f"--init-file={name}/init.sql",
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        target = Target("db", f"mysql://tester@127.0.0.1:{port}/shop", password=PASSWORD)
        try:
            _wait_until_up(port, process, folder / "log")
            yield target
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_up(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    async def login() -> None:
        connection = await aiomysql.connect(host="127.0.0.1", port=port, user="tester", password=PASSWORD)
        connection.close()

    deadline = time.monotonic() + START_S
    while True:
        try:
            asyncio.run(login())
        except Exception:  # noqa: BLE001  # whatever a server that starts answers
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        else:
            return


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
