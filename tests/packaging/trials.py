"""What each extra is for: a real server, and checks of it that an installation without the extra cannot make."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from tests.certificates import authority
from tests.checkers.amqp.broker import PASSWORD as BROKER_PASSWORD
from tests.checkers.amqp.broker import USER, Broker
from tests.checkers.amqp.broker import serving as amqp_broker
from tests.checkers.beside import beside
from tests.checkers.databases import postgres_server
from tests.checkers.dns.test_resolve import name_server, table
from tests.checkers.grpc.server import grpc_server
from tests.checkers.kafka.cluster import kafka_cluster
from tests.checkers.tls.test_certificate import tls_server
from tests.checkers.websocket.test_session import server as websocket_server
from tests.checkers.websocket.test_session import stack as greet
from tests.eventually import eventually
from tests.extra.mariadb import mariadb_server
from tests.packaging.installation import Environment, Installed
from tests.packaging.server import json_server
from tests.ports import free_port
from tests.scripted import ok, scripted
from tests.serving import Quiet, serving
from tests.wire.http.http2_server import http2_server
from tests.wire.http.proxies import socks_proxy
from tests.wire.http.test_content_coding import br, zstd
from xnai_validate.kit import Target

PROFILE = "trial"
HEALTH_SCHEMA = {"type": "object", "required": ["status"], "properties": {"status": {"enum": ["healthy"]}}}
ANSWER = b'{"answer": 42}'
START_S = 60

Attempt = Callable[[Environment, Path], Installed]
"""What is done with an installation, in a folder that has the profile."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Checks of a server that is up, and the command that makes them."""

    checks: list[dict[str, Any]]
    """Entries of a suite, without id and title."""
    target: dict[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    """More arguments of `run`."""
    attempt: Attempt | None = None
    """What is done instead of `run`."""
    code: int = 0
    """The exit code if all that is needed is there."""
    reached: tuple[list[str], str] | None = None
    """What another server got, and what it gets if all that is needed is there."""

    def make(self, environment: Environment, home: Path) -> Installed:
        """Write the profile to `home` and make the attempt."""
        checks = [{"id": f"c{number}", "title": "T", **entry} for number, entry in enumerate(self.checks)]
        files = {
            f"profiles/{PROFILE}.yaml": {"title": "T", "suites": ["trial/*"], "targets": {"it": self.target}},
            "checks/trial/it.yaml": {"title": "T", "defaults": {"target": "it"}, "checks": checks},
            "checks/trial/health.json": HEALTH_SCHEMA,
        }
        for name, content in files.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content), encoding="utf-8")  # JSON is YAML
        if self.attempt is not None:
            return self.attempt(environment, home)
        return environment.tool(home, "run", PROFILE, "-v", *self.arguments, environ=self.environ)


def request(path: str = "/health", expect: Mapping[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    """A check of one request."""
    entry = {"kind": "http.request", "with": {"path": path, **params}}
    return {**entry, "expect": expect} if expect else entry


LOAD = {"kind": "load.http", "with": {"path": "/health", "arrivals": {"rate": 50}, "for": "200ms"}}
JSON_CHECKS: dict[str, dict[str, Any]] = {
    "openapi": {
        "kind": "http.openapi",
        "with": {"operations": ["GET /health"], "calls": [{"path": "/health"}]},
        "expect": {"valid": True, "nonconforming": []},
    },
    "contract": {
        "kind": "http.contract",
        "with": {"methods": ["GET"], "examples": 2},
        "expect": {"operations": 1, "server_errors": [], "nonconforming": []},
    },
    "schema": request(expect={"status": 200, "json": {"$": {"schema": "health.json"}}}),
    "metrics": {"kind": "metrics.samples", "with": {"path": "/metrics"}, "expect": {"status": 200}},
    "load": LOAD,
}
"""Extra -> a check of the service that `json_server` gives."""


@contextmanager
def of_json(entry: dict[str, Any]) -> Iterator[Trial]:
    """A check of a JSON service."""
    with json_server() as url:
        yield Trial([entry], {"url": url})


@contextmanager
def websocket() -> Iterator[Trial]:
    """A session that is greeted."""
    with websocket_server(greet) as target:
        yield Trial([{"kind": "websocket.session", "with": {"greetings": 1}}], {"url": target.url})


@contextmanager
def dns() -> Iterator[Trial]:
    """A name server that is asked for an address."""
    with name_server(table(("a.stack", 30, "A", ["10.0.0.7"]))) as server:
        params = {"name": "a.stack", "server": server}
        yield Trial([{"kind": "dns.resolve", "with": params, "expect": {"addresses": ["10.0.0.7"]}}])


@contextmanager
def tls(folder: Path) -> Iterator[Trial]:
    """The certificate of a server."""
    ours = authority(folder)
    with tls_server(ours.server("127.0.0.1", days=20)) as port:
        target = {"url": f"https://127.0.0.1:{port}", "tls": {"ca": ours.ca}}
        yield Trial([{"kind": "tls.certificate", "expect": {"verified": True, "days_left": {"min": 7}}}], target)


@contextmanager
def http2() -> Iterator[Trial]:
    """A server that speaks HTTP/2 alone."""
    with http2_server() as port:
        target = {"url": f"http://127.0.0.1:{port}", "http2": True}
        yield Trial([request(expect={"status": 200, "http_version": "2", "text": "/health"})], target)


@contextmanager
def socks() -> Iterator[Trial]:
    """A server behind a SOCKS proxy, which a connection must pass."""
    with json_server() as url, socks_proxy() as proxy:
        target = {"url": url, "proxy": f"socks5://127.0.0.1:{proxy.port}"}
        yield Trial([request()], target, reached=(proxy.requests, f"socks {url.removeprefix('http://')}"))


@contextmanager
def coded(coding: str, body: bytes) -> Iterator[Trial]:
    """A server whose body has a content coding."""
    with scripted(ok(body, "Content-Type: application/json", f"Content-Encoding: {coding}")) as server:
        entry = request("/", {"status": 200, "json": {"$.answer": 42}}, headers={"Accept-Encoding": coding})
        yield Trial([entry], {"url": server.url()})


@contextmanager
def database(open_server: Callable[[], AbstractContextManager[Target]]) -> Iterator[Trial]:
    """A query."""
    with open_server() as target:
        entry = {"kind": "sql.query", "with": {"query": "select 6 * 7"}, "expect": {"number": 42}}
        yield Trial([entry], {"url": target.url, "password_env": "DB_PASSWORD"}, {"DB_PASSWORD": target.password or ""})


@contextmanager
def amqp() -> Iterator[Trial]:
    """A queue of a broker."""
    with beside(partial(amqp_broker, Broker({"orders": (7, 2)}))) as broker:
        target = {"url": f"amqp://{USER}@127.0.0.1:{broker.port}", "password_env": "MQ_PASSWORD"}
        entry = {"kind": "amqp.queue", "with": {"queue": "orders"}, "expect": {"messages": 7}}
        yield Trial([entry], target, {"MQ_PASSWORD": BROKER_PASSWORD})


@contextmanager
def kafka() -> Iterator[Trial]:
    """The lag of a group in a cluster."""
    with kafka_cluster() as cluster:
        cluster.produce("orders", 4, 3)
        cluster.commit("billing", "orders", 2, 3)
        entry = {"kind": "kafka.lag", "with": {"group": "billing"}, "expect": {"lag": 2}}
        yield Trial([entry], {"url": f"kafka://127.0.0.1:{cluster.port}"})


@contextmanager
def grpc() -> Iterator[Trial]:
    """A server's health, and a call by its reflection."""
    with grpc_server() as running:
        call = {"kind": "grpc.call", "with": {"method": "grpc.health.v1.Health/Check"}}
        entries: list[dict[str, Any]] = [
            {"kind": "grpc.health"},
            {**call, "expect": {"code": "OK", "json": {"$.status": "SERVING"}}},
        ]
        yield Trial(entries, {"url": running.target.url})


@contextmanager
def receiver() -> Iterator[tuple[str, list[str]]]:
    """A web server that takes every POST: its url, and the paths that were asked for."""
    paths: list[str] = []

    class Accepting(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Accepting) as url:
        yield url, paths


@contextmanager
def notify() -> Iterator[Trial]:
    """A failure, of which a service of Apprise is notified."""
    with json_server() as url, receiver() as (hook, paths):
        arguments = ("--notify", f"json{hook.removeprefix('http')}/hook")
        yield Trial([request("/missing")], {"url": url}, arguments=arguments, code=1, reached=(paths, "/hook"))


@contextmanager
def otel() -> Iterator[Trial]:
    """A run that is sent as a trace."""
    with json_server() as url, receiver() as (collector, paths):
        yield Trial([request()], {"url": url}, arguments=("--otlp", collector), reached=(paths, "/v1/traces"))


@contextmanager
def fast() -> Iterator[Trial]:
    """A load in a process that has uvloop's library in its memory, as another check of the run can see."""
    look = {"kind": "command.run", "with": {"command": "grep -q uvloop /proc/$PPID/maps", "shell": True}}
    with json_server() as url:
        yield Trial([LOAD, look], {"url": url})


@contextmanager
def distributed() -> Iterator[Trial]:
    """A load that a process of Dask sends."""
    with json_server() as url:
        yield Trial([LOAD], {"url": url}, arguments=("--workers", "local:1"))


@contextmanager
def serve() -> Iterator[Trial]:
    """A server that shows the latest run as healthy, and has its figures."""
    with json_server() as url:
        yield Trial([request()], {"url": url}, attempt=_serve_once)


def _serve_once(environment: Environment, home: Path) -> Installed:
    """Start `serve`, ask until the first run has passed, and end it as a supervisor does."""
    address = f"127.0.0.1:{free_port()}"
    command: list[str | Path] = [environment.program("xnai-validate"), "serve", PROFILE, "--every", "1h"]
    with Popen(
        [*command, "--listen", address], cwd=home, env=environment.variables(home), stdout=PIPE, stderr=PIPE, text=True
    ) as process:
        try:
            assert eventually(lambda: process.poll() is not None or _is_healthy(f"http://{address}"), START_S)
        finally:
            process.terminate()
        stdout, stderr = process.communicate(timeout=START_S)
    return Installed(process.returncode, stdout, stderr)


def _is_healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5), urllib.request.urlopen(f"{url}/metrics") as metrics:
            return b"xnai_validate_healthy 1" in metrics.read()
    except OSError:
        return False


@contextmanager
def pytest_items() -> Iterator[Trial]:
    """Checks as items of pytest."""

    def attempt(environment: Environment, home: Path) -> Installed:
        return environment.run(home, "pytest", "--xnai-profile", PROFILE, "-p", "no:cacheprovider")

    with json_server() as url:
        yield Trial([request()], {"url": url}, attempt=attempt)


def trials(folder: Path) -> dict[str, Callable[[], AbstractContextManager[Trial]]]:
    """Extra -> what opens its server; `folder` is for files."""
    return {
        **{extra: partial(of_json, entry) for extra, entry in JSON_CHECKS.items()},
        "websocket": websocket,
        "dns": dns,
        "tls": partial(tls, folder),
        "http2": http2,
        "socks": socks,
        "brotli": partial(coded, "br", br(ANSWER)),
        "zstd": partial(coded, "zstd", zstd(ANSWER)),
        "postgres": partial(database, postgres_server),
        "mysql": partial(database, mariadb_server),
        "amqp": amqp,
        "kafka": kafka,
        "grpc": grpc,
        "notify": notify,
        "otel": otel,
        "fast": fast,
        "distributed": distributed,
        "serve": serve,
        "pytest": pytest_items,
    }
