"""The first screen of a failure: what was asked, what came back, what to do; one golden text a situation."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.certificates import authority
from tests.checkers.beside import tcp_server
from tests.e2e.tool import tool
from tests.scripted import Line, ReceivedRequest, ok, scripted
from tests.wire.redis.scripted import Server

CASES = sorted((Path(__file__).parent / "evidence").glob("*.txt"))
LOGIN = b"<!DOCTYPE html>\n<html><head><title>Log in</title></head>\n<body><form action=/login></form></body></html>\n"
HEALTH = b'{"status": "healthy", "components": {"redis": {"up": false, "error": "timeout"}, "llm": {"up": true}}}'
FRAMES = b'data: {"token": "a"}\n\ndata: {"token": \n\ndata: [DONE]\n\n'
SUITE = """
title: One check
checks:
  - id: it
    title: {title}
    kind: {kind}
    target: {target}
    with: {with_}
    expect: {expect}
    fix: {{refused: Start it., otherwise: Look at its log.}}
"""
CHECKS = {
    "wrong-status": ("API is up", "http.request", "api", "{path: /down, json: {q: 1}, method: POST}", "{status: 200}"),
    "wrong-json": ("Redis is up", "http.request", "api", "{path: /health}", "{json: {$.components.redis.up: true}}"),
    "login-page": ("The API answers JSON", "http.request", "api", "{path: /login}", '{json: {$.status: "ok"}}'),
    "stalled-body": ("The API is quick", "http.request", "api", "{path: /stall, timeout: 400ms}", "{status: 200}"),
    "expired-certificate": ("TLS is valid", "http.request", "tls", "{path: /}", "{status: 200}"),
    "filtered-port": ("The port is open", "http.request", "filtered", "{timeout: 400ms}", "{status: 200}"),
    "no-auth": ("Redis answers", "redis.command", "redis", "{command: [PING]}", "{error: null}"),
    "broken-frame": ("Every frame is JSON", "sse.stream", "api", "{path: /stream}", "{bad_json_count: 0}"),
}  # fmt: skip
"""Name -> title, kind, target, params and rules of its check."""


async def page(request: ReceivedRequest, line: Line) -> bool:
    """A small application that is wrong in each way at a path of its own."""
    match request.path:
        case "/down":
            return await ok(
                b'{"detail": "no workers"}', "Content-Type: application/json", status="503 Service Unavailable"
            )(request, line)
        case "/health":
            return await ok(HEALTH, "Content-Type: application/json")(request, line)
        case "/stream":
            return await ok(FRAMES, "Content-Type: text/event-stream")(request, line)
        case "/stall":
            await line.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\nloading")
            await asyncio.sleep(60)
            return False
        case _:
            return await ok(LOGIN, "Content-Type: text/html; charset=utf-8")(request, line)


@contextmanager
def filtered() -> Iterator[int]:
    """A port whose handshakes are not answered, as behind a firewall that drops: its queue is full."""
    with socket.socket() as server, ExitStack() as kept:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            client = kept.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The targets of a profile, as YAML."""
    made = authority(tmp_path_factory.mktemp("tls"))
    context = made.server("localhost", days=-1)
    with ExitStack() as stack:
        api = stack.enter_context(scripted(page))
        tls = stack.enter_context(scripted(page, context=context))
        port = stack.enter_context(filtered())
        redis = stack.enter_context(tcp_server(Server(b"-NOAUTH Authentication required.\r\n")))
        yield (
            f"{{api: {{url: '{api.url()}'}}, tls: {{url: 'https://localhost:{tls.port}', tls: {{ca: {made.ca}}}}}, "
            f"filtered: {{url: 'http://127.0.0.1:{port}'}}, redis: {{url: 'redis://127.0.0.1:{redis}/0'}}}}"
        )


def report(home: Path, name: str, targets: str) -> str:
    """The report of a run of one check, without what differs from run to run."""
    title, kind, target, with_, expect = CHECKS[name]
    suites, profiles = home / "checks" / "x", home / "profiles"
    suites.mkdir(parents=True)
    profiles.mkdir()
    (suites / "a.yaml").write_text(
        SUITE.format(title=title, kind=kind, target=target, with_=with_, expect=expect), encoding="utf-8"
    )
    (profiles / "one.yaml").write_text(f"title: One\nsuites: [x/a]\ntargets: {targets}\n", encoding="utf-8")
    ended = tool(home, "run", "one")
    assert ended.code == 1, ended
    problem = ended.stdout.partition("FAIL ")[2].partition("\nResult")[0]
    problem = re.sub(r"(127\.0\.0\.1|localhost)(:| -p )\d+", r"\1\2PORT", f"FAIL {problem}")
    problem = re.sub(r" +\d+(\.\d+)? m?s$", " TIME", problem, flags=re.MULTILINE)
    problem = re.sub(r"\d+(\.\d+)? ms\b", "TIME", problem)
    problem = re.sub(r" \\\n +", " ", problem)  # where a long command goes on depends on the file's path
    return re.sub(r"/\S+/ca\.pem", "CA", problem).rstrip() + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_first_screen_of_a_failure(case: Path, targets: str, tmp_path: Path) -> None:
    """It names the request, the response or its absence, and a remedy that fits, and is as a person left it."""
    assert report(tmp_path, case.stem, targets) == case.read_text(encoding="utf-8")


def test_the_log_of_a_broken_target_is_shown_once(targets: str, tmp_path: Path) -> None:
    """A profile names the log file of a process: its end stands beside the first failure, without its secrets."""
    url = targets.partition("'")[2].partition("'")[0]
    check = "{{id: {0}, title: T, kind: http.request, target: api, with: {{path: /down}}, expect: {{status: {1}}}}}"
    checks = "".join(f"  - {check.format(*each)}\n" for each in (("a", "200"), ("b", "{max: 299}")))
    (tmp_path / "checks" / "x").mkdir(parents=True)
    (tmp_path / "checks" / "x" / "a.yaml").write_text(f"title: Two checks\nchecks:\n{checks}", encoding="utf-8")
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "one.yaml").write_text(
        f"title: One\nsuites: [x/a]\ntargets: {{api: {{url: '{url}', log: ../api.log}}}}\n", encoding="utf-8"
    )
    (tmp_path / "api.log").write_text("ready\nValueError: no workers\x1b[2J password=hunter2\n", encoding="utf-8")
    ended = tool(tmp_path, "run", "one")
    assert ended.code == 1, ended
    assert ended.stdout.count("ValueError: no workers\\x1b[2J password=") == 1
    assert "hunter2" not in ended.stdout
    # Lines end at 100 columns, wherever that is in the path.
    assert f"tail-n20{tmp_path}/api.log" in "".join(ended.stdout.split())


def test_each_situation_has_its_text() -> None:
    """No situation without a golden file, and no file without a situation."""
    assert {case.stem for case in CASES} == set(CHECKS)
