"""A JSON service of the standard library, so that an installed package has something to judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HEALTH = {
    "status": "healthy",
    "version": "1.20",
    "components": {"redis": True},
    "items": [{"name": "first", "score": 0.5}, {"name": "second", "score": 0.9}],
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "health", "version": "1"},
    "paths": {
        "/health": {
            "get": {
                "responses": {
                    "200": {
                        "description": "how it is",
                        "content": {
                            "application/json": {
                                "schema": {
                                    "type": "object",
                                    "required": ["status", "items"],
                                    "properties": {"status": {"enum": ["healthy"]}, "items": {"type": "array"}},
                                }
                            }
                        },
                    }
                }
            }
        }
    },
}
METRICS = "# HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total 3\n"
_ANSWERS = {
    "/health": ("application/json", json.dumps(HEALTH)),
    "/openapi.json": ("application/json", json.dumps(DOCUMENT)),
    "/metrics": ("text/plain; version=0.0.4; charset=utf-8", METRICS),
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        content_type, text = _ANSWERS.get(self.path, ("application/json", "{}"))
        body = text.encode()
        self.send_response(200 if self.path in _ANSWERS else 404)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write no log."""


@contextmanager
def json_server() -> Iterator[str]:
    """Serve until the end of the block, and give the url."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
