"""A receiver of messages: a real web server that keeps what it gets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest

from tests.serving import Quiet, serving


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A running receiver."""

    url: str
    requests: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """The statuses of the next responses; 200 afterwards."""

    def paths(self, count: int) -> list[str]:
        """Wait for a number of requests; return their paths."""
        end = time.monotonic() + 20
        while len(self.requests) < count:
            assert time.monotonic() < end, f"only {self.requests}"
            time.sleep(0.02)
        return [request.path for request in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    found = Receiver("")
    lock = threading.Lock()

    class Accepting(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                found.requests.append(Received(self.path, dict(self.headers), body))
                status = found.statuses.pop(0) if found.statuses else 200
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Accepting) as found.url:
        yield found
