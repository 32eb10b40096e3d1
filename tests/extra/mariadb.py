"""Debian's MariaDB as a server for tests, installed where it is missing."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiomysql

from tests.ports import free_port
from xnai_validate.kit import Target

PASSWORD = "s3cret-of-tests"
START_S = 60


@contextmanager
def mariadb_server() -> Iterator[Target]:
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
        install = ["mariadb-install-db", "--no-defaults", f"--datadir={name}/data", "--user=root", "--skip-test-db"]
        subprocess.run([*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True)
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
