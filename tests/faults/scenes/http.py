"""A web server, and an address at which a proxy in front of it is to listen."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults.scenes.scene import Scene, Staged
from tests.ports import free_port
from xnai_validate.kit import Target

BODY = bytes(range(256)) * 8


class Site(ThreadingHTTPServer):
    """A server that remembers its requests, and streams when it is signalled."""

    daemon_threads = True

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.hosts: list[str] = []
        self.go_on = threading.Event()
        self.left = threading.Event()
        super().__init__(("127.0.0.1", 0), Page)


class Page(BaseHTTPRequestHandler):
    """/body with a length, /chunks without, /stream as events, /none without a body; POST gives back what it gets."""

    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        self.server.hosts.append(self.headers.get("Host", ""))
        path = self.path.partition("?")[0]
        if path == "/none":
            self.send_response(204)
            self.end_headers()
        elif path in ("/chunks", "/stream", "/endless"):
            self._head([("Transfer-Encoding", "chunked"), ("Content-Type", "text/event-stream")])
            self._stream(path)
        else:
            self._head([("Content-Length", str(len(BODY))), ("Content-Type", "text/plain"), ("X-Odd-CASE", "a, b")])
            if self.command != "HEAD":
                self.wfile.write(BODY)

    do_HEAD = do_GET  # noqa: N815  # the name is http.server's

    def do_POST(self) -> None:
        self.server.requests.append(f"{self.command} {self.path}")
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self._head([("Content-Length", str(len(data)))])
        self.wfile.write(data)

    def _head(self, headers: list[tuple[str, str]]) -> None:
        self.send_response(200, "Fine")
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def _stream(self, path: str) -> None:
        try:
            self._chunk(BODY if path == "/chunks" else b"data: first\n\n")
            if path == "/stream":
                self.server.go_on.wait(30)
                self._chunk(b"data: second\n\n")
            while path == "/endless":
                self._chunk(b"data: more\n\n")
                self.server.go_on.wait(0.02)
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.server.left.set()
            self.close_connection = True

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@contextmanager
def site() -> Iterator[Site]:
    """The server, until the end of the block."""
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()


@contextmanager
def answers() -> Iterator[Scene]:
    """What is answered at the address of the proxy: nothing, or an error."""
    listen = free_port()

    def seen() -> object:
        connection = http.client.HTTPConnection("127.0.0.1", listen, timeout=5)
        try:
            connection.request("GET", "/body")
            return connection.getresponse().status
        except OSError:
            return "nobody"
        finally:
            connection.close()

    with site() as server:
        target = Target("web", f"http://127.0.0.1:{server.server_port}")
        yield Scene(target, {"do": "status", "status": 418, "listen": f"127.0.0.1:{listen}"}, seen)


SCENES: dict[str, Staged] = {"http.fault": answers}
