"""A container engine's API on a Unix socket, with answers that a test gives it."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TypeVar

Answer = tuple[int, bytes]


class Engine(socketserver.ThreadingUnixStreamServer):
    """A container engine's API with scripted answers; remembers what was asked."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.requests: list[str] = []
        self.answers: dict[str, Callable[[], Answer]] = {}
        self.released = threading.Event()
        super().__init__(self.path, Handler)

    def give(self, route: str, body: object, status: int = 200) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[route] = lambda: (status, data)

    def hang(self, route: str) -> None:
        def answer() -> Answer:
            self.released.wait(30)
            return 200, b"{}"

        self.answers[route] = answer

    def answer(self, route: str, query: str) -> Answer:
        """What is answered to a method and path."""
        scripted = self.answers.get(route)
        return scripted() if scripted else (404, b'{"message":"page not found"}')


class Handler(BaseHTTPRequestHandler):
    """Looks the path (without its query) up among the engine's answers."""

    server: Engine

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.server.requests.append(f"{self.command} {self.path}")
        status, body = self.server.answer(f"{self.command} {path}", query)
        try:
            self.send_response(status)
            if status not in (204, 304):  # which have no body
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            return  # the client left, as it does after a time-out

    do_POST = do_GET  # noqa: N815  # the name is http.server's

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


E = TypeVar("E", bound=Engine)


@contextmanager
def container_api(path: Path) -> Iterator[Engine]:
    """The API, served on a socket at `path` until the end of the block."""
    with served(Engine(path)) as server:
        yield server


@contextmanager
def served(server: E) -> Iterator[E]:
    """An engine, served until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
