"""A server without a supervisor, for tests of faults that end or pause a process."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from xnai_validate.kit import Target

SERVER = """
import signal, socket, sys, time
if "stubborn" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    print(1, flush=True)
    while True: server.accept()[0].close()
"""


@contextmanager
def server(*more: str) -> Iterator[tuple[Target, subprocess.Popen[bytes], list[str]]]:
    """A server without a supervisor, and the command that would."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVER, str(port), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    try:
        yield Target("api", f"tcp://127.0.0.1:{port}", pid=process.pid), process, command
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
        for found in psutil.process_iter(["cmdline"]):
            if found.info["cmdline"] == command:
                found.kill()
