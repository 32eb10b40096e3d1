"""Stubs of the software that recipes check: the documented answers, and one that is documented as unhealthy a check."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.serving import Quiet, serving

Response = tuple[int, str, bytes]
"""Status, content type, body."""
HTML = (200, "text/html; charset=utf-8", b'<html><script src="/assets/index.js"></script></html>')
EMPTY: Response = (200, "", b"")
DOWN: Response = (503, "text/plain", b"")
STREAM = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\ndata: [DONE]\n\n'
NDJSON = b'{"response":"Hello","done":false}\n{"response":"","done":true}\n'


def as_json(value: Any, status: int = 200) -> Response:
    """A response in JSON."""
    return status, "application/json", json.dumps(value).encode()


def as_text(body: str, status: int = 200) -> Response:
    """A response in plain text."""
    return status, "text/plain", body.encode()


MODELS = as_json({"object": "list", "data": [{"id": "tiny", "object": "model"}]})
OK = as_text("OK")
PROMETHEUS = as_json(
    {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]}}
)
NO_TARGET_DOWN = as_json({"status": "success", "data": {"resultType": "vector", "result": [{"value": [1, "0"]}]}})

HEALTHY: dict[str, dict[str, Response]] = {
    "alertmanager": {"/-/ready": OK, "/api/v2/status": as_json({"cluster": {"status": "ready"}})},
    "caddy": {"/": HTML},
    "chainlit": {"/": HTML, "/ws/socket.io/": as_text('0{"sid":"abc","upgrades":["websocket"]}')},
    "chroma": {"/api/v2/heartbeat": as_json({"nanosecond heartbeat": 1}), "/api/v2/version": as_json("1.0.0")},
    "clickhouse": {"/ping": as_text("Ok.\n"), "/replicas_status": as_text("Ok.\n")},
    "consul": {"/v1/status/leader": as_json("10.1.10.12:8300"), "/v1/health/state/critical": as_json([])},
    "elasticsearch": {
        "/": as_json({"version": {"number": "8.15.0"}}),
        "/_cluster/health": as_json({"status": "yellow"}),
        "/_all/_settings/index.blocks.read_only_allow_delete": as_json({}),
    },
    "grafana": {"/api/health": as_json({"database": "ok", "version": "12.0.0"}), "/login": HTML},
    "haproxy": {"/": HTML},
    "http": {"/": HTML},
    "langfuse": {"/api/public/health": as_json({"status": "OK"}), "/api/public/ready": as_json({"status": "OK"})},
    "litellm": {
        "/health/liveliness": as_json("I'm alive!"),
        "/health/readiness": as_json({"status": "healthy", "db": "connected"}),
        "/v1/models": as_json({"error": {"code": "401"}}, 401),
    },
    "llamacpp": {"/health": as_json({"status": "ok"}), "/v1/models": MODELS},
    "minio": {
        "/minio/health/live": (200, "", b""),
        "/minio/health/cluster": (200, "", b""),
        "/": (403, "application/xml", b""),
    },
    "n8n": {"/healthz": as_json({"status": "ok"}), "/healthz/readiness": as_json({"status": "ok"})},
    "nginx": {"/": HTML},
    "ollama": {
        "/api/version": as_json({"version": "0.12.0"}),
        "/api/tags": as_json({"models": [{"name": "tiny:latest"}]}),
        "/api/generate": (200, "application/x-ndjson", NDJSON),
    },
    "open-webui": {"/health": as_json({"status": True}), "/health/db": as_json({"status": True}), "/": HTML},
    "openai": {"/v1/models": MODELS, "/v1/chat/completions": (200, "text/event-stream", STREAM)},
    "prometheus": {
        "/-/ready": OK,
        "/api/v1/query?query=vector%281%29": PROMETHEUS,
        "/api/v1/query": NO_TARGET_DOWN,
        "/metrics": as_text("prometheus_config_last_reload_successful 1\n"),
    },
    "qdrant": {
        "/readyz": as_text("all shards are ready"),
        "/collections": as_json({"status": "ok", "result": {"collections": [{"name": "docs"}]}}),
        "/collections/docs": as_json({"status": "ok", "result": {"status": "green"}}),
    },
    "tei": {"/health": (200, "", b""), "/embed": as_json([[0.1, 0.2, 0.3]])},
    "traefik": {"/": HTML, "/ping": OK},
    "vikunja": {"/api/v1/info": as_json({"version": "v1.0.0"}), "/api/v1/projects": as_json({"code": 11}, 401)},
    "vllm": {"/health": (200, "", b""), "/v1/models": MODELS, "/metrics": as_text("vllm:num_requests_running 0\n")},
    "weaviate": {"/v1/.well-known/ready": (200, "", b""), "/v1/meta": as_json({"version": "1.30.0"})},
    # The answers of second ports, which parameters name.
    "milvus": {"/healthz": OK},
    "nats": {"/healthz": as_json({"status": "ok"})},
    "rabbitmq": {
        "/api/health/checks/alarms": as_json({"status": "ok"}),
        "/api/health/checks/virtual-hosts": as_json({"status": "ok"}),
    },
}
"""Recipe -> path (with its query, where that matters) -> the answer of healthy software."""

BANNERS: dict[str, bytes | None] = {
    "kafka": b"", "memcached": b"", "milvus": b"", "mongo": b"", "postgres": b"", "rabbitmq": b"", "tcp": b"",
    "mysql": b"J\x00\x00\x00\n11.4.2-MariaDB\x00", "nats": b'INFO {"server_id":"N"}\r\n',
}  # fmt: skip
"""Recipe -> what its software sends to a new client; empty: it waits for the client."""

BROKEN: dict[str, tuple[str, Response]] = {
    "alertmanager:cluster": ("/api/v2/status", as_json({"cluster": {"status": "settling"}})),
    "alertmanager:ready": ("/-/ready", DOWN),
    "caddy:answers": ("/", (502, "", b"")),
    "chainlit:page": ("/", (200, "text/plain", b"Bad Gateway")),
    "chainlit:socket": ("/ws/socket.io/", HTML),
    "chroma:heartbeat": ("/api/v2/heartbeat", as_json({"error": "Unimplemented"}, 410)),
    "chroma:version": ("/api/v2/version", as_json({"error": "x"}, 500)),
    "clickhouse:ping": ("/ping", DOWN),
    "clickhouse:replicas": ("/replicas_status", as_text("default.t: Absolute delay: 800.\n", 503)),
    "consul:critical": ("/v1/health/state/critical", as_json([{"CheckID": "service:web", "Status": "critical"}])),
    "consul:leader": ("/v1/status/leader", as_json("")),
    "elasticsearch:answers": ("/", as_json({"error": {"type": "security_exception"}}, 401)),
    "elasticsearch:health": ("/_cluster/health", as_json({"status": "red"})),
    "elasticsearch:writable": (
        "/_all/_settings/index.blocks.read_only_allow_delete",
        (200, "application/json", b'{"logs":{"settings":{"index":{"blocks":{"read_only_allow_delete":"true"}}}}}'),
    ),
    "grafana:health": ("/api/health", as_json({"database": "failing"}, 503)),
    "grafana:login": ("/login", (500, "text/html", b"")),
    "haproxy:answers": ("/", (503, "text/html", b"No server is available to handle this request.")),
    "http:answers": ("/", (500, "", b"")),
    "langfuse:health": ("/api/public/health", as_json({"status": "error"}, 503)),
    "langfuse:ready": ("/api/public/ready", as_json({"status": "SIGTERM"}, 500)),
    "litellm:alive": ("/health/liveliness", DOWN),
    "litellm:closed": ("/v1/models", MODELS),
    "litellm:ready": ("/health/readiness", as_json({"status": "unhealthy"}, 503)),
    "llamacpp:healthy": ("/health", as_json({"error": {"code": 503, "message": "Loading model"}}, 503)),
    "llamacpp:models": ("/v1/models", as_json({"data": []})),
    "milvus:healthy": ("/healthz", as_json({"state": "component proxy state is Abnormal"}, 500)),
    "minio:closed": ("/", (200, "application/xml", b"<ListAllMyBucketsResult/>")),
    "minio:cluster": ("/minio/health/cluster", DOWN),
    "minio:live": ("/minio/health/live", DOWN),
    "n8n:health": ("/healthz", DOWN),
    "n8n:ready": ("/healthz/readiness", as_json({"status": "error"}, 503)),
    "nats:healthy": ("/healthz", as_json({"status": "unavailable", "error": "JetStream is not current"}, 503)),
    "nginx:answers": ("/", (502, "text/html", b"")),
    "ollama:generates": (
        "/api/generate",
        (200, "application/x-ndjson", b'{"error":"llama runner has ended"}\n'),
    ),
    "ollama:model": ("/api/tags", as_json({"models": [{"name": "other:latest"}]})),
    "ollama:models": ("/api/tags", as_json({"models": []})),
    "ollama:version": ("/api/version", DOWN),
    "open-webui:database": ("/health/db", as_json({"detail": "Internal Server Error"}, 500)),
    "open-webui:health": ("/health", DOWN),
    "open-webui:page": ("/", as_json({"detail": "Not Found"}, 404)),
    "openai:model": ("/v1/models", as_json({"data": [{"id": "other"}]})),
    "openai:models": ("/v1/models", as_json({"data": []})),
    "openai:streams": (
        "/v1/chat/completions",
        (200, "text/event-stream", b'data: {"error":{"message":"full"}}\n\n'),
    ),
    "prometheus:configuration": ("/metrics", as_text("prometheus_config_last_reload_successful 0\n")),
    "prometheus:query": (
        "/api/v1/query?query=vector%281%29",
        as_json({"status": "error"}, 503),
    ),
    "prometheus:ready": ("/-/ready", DOWN),
    "prometheus:targets": ("/api/v1/query", PROMETHEUS),
    "qdrant:collection": ("/collections/docs", as_json({"status": "ok", "result": {"status": "red"}})),
    "qdrant:collections": ("/collections", as_json({"status": {"error": "Must provide an API key"}}, 401)),
    "qdrant:ready": ("/readyz", as_text("some shards are not ready", 503)),
    "rabbitmq:no-alarms": ("/api/health/checks/alarms", as_json({"status": "failed", "reason": "alarm"}, 503)),
    "rabbitmq:virtual-hosts": ("/api/health/checks/virtual-hosts", as_json({"status": "failed"}, 503)),
    "tei:dimensions": ("/embed", as_json([[0.1, 0.2]])),
    "tei:embeds": ("/embed", as_json({"error": "Model is overloaded"}, 429)),
    "tei:healthy": ("/health", DOWN),
    "traefik:answers": ("/", as_text("Bad Gateway", 502)),
    "traefik:ping": ("/ping", DOWN),
    "vikunja:closed": ("/api/v1/projects", as_json([])),
    "vikunja:info": ("/api/v1/info", HTML),
    "vllm:healthy": ("/health", DOWN),
    "vllm:metrics": ("/metrics", as_text("up 1\n")),
    "vllm:models": ("/v1/models", as_json({"data": []})),
    "weaviate:meta": ("/v1/meta", as_json({"code": 401}, 401)),
    "weaviate:ready": ("/v1/.well-known/ready", DOWN),
}
"""`<recipe>:<check>` -> a path, and the answer there that this check must report."""


@contextmanager
def http_stub(routes: Mapping[str, Response], server_header: str = "stub") -> Iterator[str]:
    """The url of a server with these answers; a path with its query goes before it alone, then `*`."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def version_string(self) -> str:
            return server_header

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = routes.get(self.path) or routes.get(self.path.partition("?")[0]) or routes.get("*")
            status, content_type, body = answer or (404, "", b"")
            self.send_response(status)
            if content_type:
                self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  # the name is http.server's

    with serving(Handler) as url:
        yield url


@contextmanager
def tcp_stub(banner: bytes | None) -> Iterator[str]:
    """The url of a server that sends a banner and waits for the client; with None it hangs up at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        clients: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                if banner is None:
                    client.close()
                    continue
                client.sendall(banner)
                clients.append(client)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for client in clients:
                client.close()
