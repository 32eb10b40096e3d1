"""A container engine's API that really runs the commands of its exec calls, on this host, and frames their output."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.checkers.container_api import Engine, Handler, served


class ExecEngine(Engine):
    """Knows one running container, `box`; its exec calls answer as the Docker Engine API documents them."""

    def __init__(self, path: Path) -> None:
        self.created: list[dict[str, Any]] = []
        """The bodies of ContainerExec."""
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.container_id = "c" * 64
        self.start_refusal: tuple[int, str] | None = None
        self.create_refusal: tuple[int, str] | None = None
        self.corrupt = False
        super().__init__(path)
        self.RequestHandlerClass = ExecHandler

    def inspect(self, number: int) -> dict[str, Any]:
        """The answer of ExecInspect."""
        process = self.processes.get(number)
        code = process.poll() if process else None
        running = process is not None and code is None
        pid = process.pid if process else 0
        return {
            "ID": str(number),
            "Running": running,
            "ExitCode": code,
            "Pid": pid,
            "ContainerID": self.container_id,
            "ProcessConfig": {"tty": False, "entrypoint": "sh", "arguments": []},
        }


class ExecHandler(Handler):
    """Answers ContainerExec, ExecStart and ExecInspect."""

    server: ExecEngine

    def do_GET(self) -> None:  # noqa: N802  # the name is http.server's
        """ExecInspect, and what the test has scripted."""
        parts = self.path.strip("/").split("/")
        if parts[0] == "exec" and parts[2:] == ["json"]:
            self._answer(200, self.server.inspect(int(parts[1])))
        else:
            super().do_GET()

    def do_POST(self) -> None:  # noqa: N802  # the name is http.server's
        """ContainerExec and ExecStart."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(f"POST {self.path}")
        parts = self.path.strip("/").split("/")
        if parts[0] == "containers" and parts[2:] == ["exec"]:
            self._create(parts[1], body)
        elif parts[0] == "exec" and parts[2:] == ["start"]:
            self._start(int(parts[1]))
        else:
            self._answer(404, {"message": "page not found"})

    def _create(self, name: str, body: dict[str, Any]) -> None:
        if name != "box":
            self._answer(404, {"message": f"No such container: {name}"})
        elif self.server.create_refusal is not None:
            self._answer(self.server.create_refusal[0], {"message": self.server.create_refusal[1]})
        else:
            self.server.created.append(body)
            self._answer(201, {"Id": str(len(self.server.created) - 1)})

    def _start(self, number: int) -> None:
        if self.server.start_refusal is not None:
            self._answer(self.server.start_refusal[0], {"message": self.server.start_refusal[1]})
            return
        asked = self.server.created[number]
        process = subprocess.Popen(
            asked["Cmd"],
            env={"PATH": os.environ["PATH"], **dict(pair.split("=", 1) for pair in asked["Env"])},
            cwd=asked.get("WorkingDir"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.server.processes[number] = process
        self.close_connection = True
        # Docker hijacks the connection: neither a length nor chunks, the end is the end of the connection.
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n")
        streams = [(1, process.stdout), (2, process.stderr)]
        lock = threading.Lock()
        threads = [threading.Thread(target=self._copy, args=(*stream, lock)) for stream in streams]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        process.wait()

    def _copy(self, stream: int, pipe: Any, lock: threading.Lock) -> None:
        """Send what a pipe gives as frames, each in two pieces, so that readers meet headers and frames in parts."""
        with pipe:
            while data := pipe.read(4096):
                frame = bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data
                frame = b"plain text, no frames" if self.server.corrupt else frame
                with lock:
                    try:
                        self.wfile.write(frame[:5])
                        self.wfile.flush()
                        self.wfile.write(frame[5:])
                    except OSError:
                        pass  # the client left, as it does after a time-out; the command goes on

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def exec_api(path: Path) -> Iterator[ExecEngine]:
    """The API, served on a socket at `path` until the end of the block; then its commands are killed."""
    server = ExecEngine(path)
    try:
        with served(server):
            yield server
    finally:
        for process in server.processes.values():
            process.kill()
            process.wait()
