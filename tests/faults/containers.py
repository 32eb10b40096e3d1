"""A container engine with one container, which follows the documented API of Docker or of Podman.

What is in the container is a real process: a small TCP server that gives back what it gets.

Sources: Docker Engine API, operations ContainerInspect, ContainerPause, ContainerUnpause, ContainerStart, ContainerStop
and ContainerRestart; what moby answers in the wrong state (409, or 500 to `unpause`); Podman's compat API, which
answers 500 with the cause `container state improper` there.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs

from tests.checkers.container_api import Answer, Engine, served
from tests.ports import free_port

Kind = Literal["docker", "podman"]
NAME, ID = "xnai_echo", "c" * 64
ECHO = """
import socket, sys, threading
def talk(one):
    with one:
        while data := one.recv(4096):
            one.sendall(data)
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    print(1, flush=True)
    while True:
        threading.Thread(target=talk, args=(server.accept()[0],), daemon=True).start()
"""
DONE: Answer = (204, b"")
ALREADY: Answer = (304, b"")


class ContainerEngine(Engine):
    """An engine that knows the container `xnai_echo`; scripted answers come before its own."""

    def __init__(self, path: Path, kind: Kind, *, auto_remove: bool = False) -> None:
        self.kind = kind
        self.auto_remove = auto_remove
        self.port = free_port()
        self.status = "exited"
        self.graces: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__(path)
        self.start()

    def answer(self, route: str, query: str) -> Answer:
        """A scripted answer, else that of the container in its state."""
        if route in self.answers:
            return super().answer(route, query)
        method, _, rest = route.partition(" /containers/")
        name, _, what = rest.partition("/")
        if name not in (NAME, ID) or self.status == "removed":
            return self._message(404, f"No such container: {name}")
        if (method, what) == ("GET", "json"):
            return 200, json.dumps(self._inspection()).encode()
        self.graces += parse_qs(query).get("t", [])
        doing = {
            "pause": self._pause,
            "unpause": self._unpause,
            "start": self._start,
            "stop": self._stop,
            "restart": self._restart,
        }
        return doing[what]() if method == "POST" and what in doing else self._message(404, "page not found")

    def _message(self, status: int, message: str) -> Answer:
        document: dict[str, object] = {"message": message}
        if self.kind == "podman":
            document |= {
                "cause": "container state improper" if status != 404 else "no such container",
                "response": status,
            }
        return status, json.dumps(document).encode()

    def _improper(self, status: int, what: str) -> Answer:
        """An action that does not fit the state: Podman has one answer to all of them."""
        if self.kind == "podman":
            return self._message(500, f'"{ID}" {what}: container state improper')
        return self._message(status, f"Container {ID} {what}")

    def _inspection(self) -> dict[str, object]:
        runs = self.status in ("running", "paused")
        assert not runs or self._process is not None
        return {
            "Id": ID,
            "RestartCount": 0,
            "State": {
                "Status": self.status,
                "Running": runs,
                "Paused": self.status == "paused",
                "Pid": self._process.pid if runs and self._process else 0,
            },
            "HostConfig": {"AutoRemove": self.auto_remove},
        }

    def _pause(self) -> Answer:
        if self.status != "running":
            return self._improper(409, "is already paused" if self.status == "paused" else "is not running")
        self.freeze()
        return DONE

    def _unpause(self) -> Answer:
        if self.status != "paused":
            return self._improper(500 if self.status == "running" else 409, "is not paused")
        self.thaw()
        return DONE

    def _start(self) -> Answer:
        if self.status == "paused":
            return self._improper(409, "is paused, try unpause instead of start")
        if self.status == "running":
            return ALREADY
        self.start()
        return DONE

    def _stop(self) -> Answer:
        if self.status == "paused" and self.kind == "podman":
            return self._improper(500, "is paused, can only stop created or running containers")
        if self.status not in ("running", "paused"):
            return ALREADY
        self.end()
        return DONE

    def _restart(self) -> Answer:
        self.end()
        if self.status != "removed":
            self.start()
        return DONE

    def start(self) -> None:
        """Start what is in it."""
        command = [sys.executable, "-I", "-S", "-c", ECHO, str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.read(1)
        self.status = "running"

    def freeze(self) -> None:
        """Let it stand still, and wait until it does: SIGSTOP is not at once."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        while Path(f"/proc/{self._process.pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"T":
            time.sleep(0.001)
        self.status = "paused"

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)
        self.status = "running"

    def end(self) -> None:
        """End it, and remove it where it was made so."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process = None
        self.status = "removed" if self.auto_remove else "exited"


class Visitor:
    """A client of what is in the container."""

    def __init__(self, port: int) -> None:
        self._place = ("127.0.0.1", port)
        self._kept: socket.socket | None = None

    def ask(self) -> str:
        """`answers`, `silent` or `refused`, on a new connection."""
        try:
            with socket.create_connection(self._place, 1) as connection:
                return self._exchange(connection)
        except OSError:
            return "refused"

    def ask_again(self) -> str:
        """The same on the connection of last time; `closed` where that is lost, and then the next is a new one."""
        if self._kept is None:
            self._kept = socket.create_connection(self._place, 5)
        answer = self._exchange(self._kept)
        if answer == "closed":
            self.leave()
        return answer

    @staticmethod
    def _exchange(connection: socket.socket) -> str:
        connection.settimeout(0.5)
        try:
            connection.sendall(b"hello")
            return "answers" if connection.recv(64) else "closed"
        except TimeoutError:
            return "silent"
        except ConnectionError:
            return "closed"

    def leave(self) -> None:
        """Close the connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None


@contextmanager
def container_engine(folder: Path, kind: Kind = "docker", *, auto_remove: bool = False) -> Iterator[ContainerEngine]:
    """An engine with a container that runs; both are gone at the end."""
    with served(ContainerEngine(folder / f"{kind}.sock", kind, auto_remove=auto_remove)) as engine:
        try:
            yield engine
        finally:
            with suppress(OSError):
                engine.end()
