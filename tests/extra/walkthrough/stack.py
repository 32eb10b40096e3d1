"""The processes of the bookshop, at the ports that its compose file publishes; a container engine is not needed."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg

from tests.checkers.databases import postgres_server
from xnai_validate.kit import Target

ROOT = Path(__file__).parents[3]
FRONT, APP, DB, CACHE = 14443, 14080, 14432, 14379
SECRETS = {
    "DB_PASSWORD": "correct-horse-battery",
    "CACHE_PASSWORD": "staple-of-the-cache",
    "WORKER_PASSWORD": "hands-of-the-worker",
    "SHOP_PASSWORD": "countess-of-lovelace",
}
"""The variables of its `.env`."""
START_S = 60
_NGINX = """\
daemon off; user root; pid {home}/nginx.pid; events {{}}
http {{
  access_log off; server_tokens off;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  server {{
    listen 127.0.0.1:{front} ssl;
    ssl_certificate {home}/certs/front.pem; ssl_certificate_key {home}/certs/front.key;
    location / {{ proxy_pass http://127.0.0.1:{app}; proxy_http_version 1.1; proxy_set_header Host $host; }}
  }}
}}
"""


class Bookshop:
    """The running stack: its services can be stopped and started by name, as `docker compose` does."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        self.home = home
        self._stack = stack
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def up(self) -> None:
        """Start all services, each when those before it accept connections. Their ports must be free."""
        used = [port for port in (FRONT, APP, DB, CACHE) if _listens(port)]
        assert not used, f"other programs listen on the ports of the bookshop: {used}"
        certificates(self.home / "certs")
        target = self._stack.enter_context(postgres_server(DB))
        asyncio.run(_create_database(target))
        for service, port in (("cache", CACHE), ("app", APP), ("front", FRONT), ("worker", None)):
            self.start(service)
            if port is not None:
                _wait_for(port, self._running[service])

    def start(self, service: str) -> None:
        """Start a service."""
        log = self._stack.enter_context((self.home / f"{service}.log").open("ab"))
        environment = {**os.environ, **SECRETS, **_urls(service), "PYTHONPATH": str(ROOT)}
        command = _command(service, self.home)
        self._running[service] = subprocess.Popen(
            command, cwd=self.home, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )

    def stop(self, service: str) -> None:
        """Stop a service and wait for its end."""
        process = self._running.pop(service)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)

    def down(self) -> None:
        """Stop what runs."""
        for service in reversed(list(self._running)):
            self.stop(service)


@contextmanager
def bookshop() -> Iterator[Bookshop]:
    """The stack, not yet started, in a folder whose path always has the same length; it ends with the block."""
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="bookshop-", dir="/tmp"))
        shop = Bookshop(Path(home), stack)
        stack.callback(shop.down)
        yield shop


def install() -> None:
    """Install nginx and Redis from Debian where they are missing."""
    os.environ["PATH"] = f"{os.environ['PATH']}:/usr/sbin"
    programs = {"nginx": "nginx-light", "redis-server": "redis-server", "openssl": "openssl"}
    missing = [package for program, package in programs.items() if not shutil.which(program)]
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        install = ["apt-get", "install", "-y", "-qq", *missing]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL, env=environment)


def certificates(folder: Path) -> None:
    """Write an authority, `ca.pem`, and the certificate of the front that it signs."""
    folder.mkdir()
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    ca = ["-keyout", "ca.key", "-out", "ca.pem", "-days", "300", "-subj", "/CN=Bookshop CA"]
    usage = ["-addext", "keyUsage=critical,keyCertSign"]
    subprocess.run([*request, *ca, *usage], cwd=folder, check=True, capture_output=True)
    names = ["-addext", "subjectAltName=DNS:shop.example,IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
    front = ["-keyout", "front.key", "-out", "front.pem", "-days", "90", "-subj", "/CN=shop.example"]
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key"]
    subprocess.run([*request, *front, *names, *signed], cwd=folder, check=True, capture_output=True)


def _urls(service: str) -> dict[str, str]:
    account = f"worker:{SECRETS['WORKER_PASSWORD']}" if service == "worker" else f":{SECRETS['CACHE_PASSWORD']}"
    return {
        "DATABASE_URL": f"postgres://shop:{SECRETS['DB_PASSWORD']}@127.0.0.1:{DB}/shop",
        "REDIS_URL": f"redis://{account}@127.0.0.1:{CACHE}/0",
    }


def _command(service: str, home: Path) -> list[str]:
    if service == "front":
        config = home / "nginx.conf"
        config.write_text(_NGINX.format(home=home, front=FRONT, app=APP), encoding="utf-8")
        return ["nginx", "-e", "stderr", "-c", str(config)]
    if service == "app":
        application = "tests.extra.walkthrough.app:app"
        return [sys.executable, "-m", "uvicorn", application, "--port", str(APP), "--no-server-header"]
    if service == "worker":
        return [sys.executable, "-m", "tests.extra.walkthrough.worker"]
    options = ["--port", str(CACHE), "--bind", "127.0.0.1", "--save", "", "--maxmemory", "64mb"]
    users = ["--user", "worker", "on", f">{SECRETS['WORKER_PASSWORD']}", "~jobs", "+@list", "+@connection"]
    return ["redis-server", *options, "--requirepass", SECRETS["CACHE_PASSWORD"], *users]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while True:
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        if _listens(port):
            return
        assert time.monotonic() < end, f"{process.args!r} does not listen on port {port}"
        time.sleep(0.1)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


async def _create_database(target: Target) -> None:
    connection = await asyncpg.connect(target.url, password=target.password)
    await connection.execute(f"create role shop login password '{SECRETS['DB_PASSWORD']}'")
    await connection.execute("create database shop owner shop")
    await connection.close()
