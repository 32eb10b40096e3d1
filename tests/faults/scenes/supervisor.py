"""A supervisor of one server, for tests: `supervisor.py PORT STATE`. Both end when its input closes."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path

SERVER = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        server.accept()[0].close()
"""
AGAIN_S = 0.7
"""How long it lets the server be gone, so that a test can see it."""


def main(port: str, state: Path) -> None:
    """Start the server again and again, and write down its pid."""
    while True:
        server = subprocess.Popen([sys.executable, "-c", SERVER, port])
        aside = state.with_suffix(".new")
        aside.write_text(json.dumps({"targets": {"worker": {"pid": server.pid}}}), encoding="utf-8")
        os.replace(aside, state)
        while server.poll() is None:
            if select.select([0], [], [], 0.05)[0]:
                server.kill()
                server.wait()
                return
        if select.select([0], [], [], AGAIN_S)[0]:
            return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
