"""What `init` finds out by asking: the root of an API behind a gateway, and the protocol of Redis."""

from __future__ import annotations

import asyncio
from http.server import BaseHTTPRequestHandler

import pytest

from tests.checkers.beside import tcp_server
from tests.serving import Quiet, serving
from xnai_validate.cli.stack_probe import with_protocol, with_root
from xnai_validate.model.target import Target, Tls


class Gateway(Quiet, BaseHTTPRequestHandler):
    """Routes /api/v1 alone."""

    def do_GET(self) -> None:
        routed = self.path == "/api/v1/openapi.json"
        body = b'{"paths": {}}' if routed else b"no such page"
        self.send_response(200 if routed else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_the_root_is_where_the_document_is() -> None:
    """Behind a gateway that routes only the prefix the root is the url itself; without a document it stays unset."""
    with serving(Gateway) as origin:
        url = f"{origin}/api/v1"
        assert with_root(Target("api", url)).root == url
        assert with_root(Target("api", f"{origin}/other")).root is None


def test_redis_is_asked_whether_it_speaks_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that answers PING, be it by NOAUTH, is plain; any other is taken for TLS, verified as the stack does."""

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"-NOAUTH Authentication required.\r\n")
        await writer.drain()

    async def other(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readline()

    with tcp_server(plain) as port:
        found = with_protocol(Target("redis", f"rediss://127.0.0.1:{port}/0", tls=Tls(ca="/ca.pem")))
        assert (found.url, found.tls) == (f"redis://127.0.0.1:{port}/0", Tls())
    with tcp_server(other) as port:
        monkeypatch.setenv("REDIS_SSL_CERT_REQS", "none")
        found = with_protocol(Target("redis", f"redis://127.0.0.1:{port}/0", tls=Tls(ca="/ca.pem")))
        assert (found.url, found.tls) == (f"rediss://127.0.0.1:{port}/0", Tls(ca="/ca.pem", verify=False))
        monkeypatch.delenv("REDIS_SSL_CERT_REQS")
        assert with_protocol(Target("redis", f"redis://127.0.0.1:{port}/0")).tls.verify
