"""What was asked, what came back, and the command that asks again."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.report import CheckResult, Source
from xnai_validate.model.results.status import Status
from xnai_validate.report.evidence import evidence_lines, evidence_of


def check(
    *exchanges: Exchange, status: Status = Status.FAIL, fact: str = "status", facts: JsonObject | None = None
) -> CheckResult:
    return CheckResult(
        id="a/b:c",
        title="T",
        category="a",
        kind="http.request",
        target="api",
        status=status,
        reason=None,
        blocked_by=None,
        findings=(Finding(fact, "equals", 200, 503, False, "expect"),),
        facts=facts or {},
        attempts=1,
        elapsed_ms=1.0,
        covers=(),
        fix=None,
        source=Source(file="x.yaml", line=1),
        exchanges=exchanges,
    )


def http(request: str = "GET http://h/p", **fields: object) -> Exchange:
    return Exchange(protocol="http", request=request, **fields)  # type: ignore[arg-type]


def command(exchange: Exchange) -> str:
    evidence = evidence_of(check(exchange))
    assert evidence is not None
    return " ".join(evidence.command)


def words_in_a_shell(text: str, **environment: str) -> list[str]:
    """The words of a command as a POSIX shell makes them."""
    script = f"printf '%s\\0' {text}"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, env=environment, text=True)
    return done.stdout.split("\0")[:-1]


def test_a_check_that_passed_or_asked_nobody_has_none() -> None:
    """Evidence is of failures, errors and warnings, and of what was asked over the network."""
    assert evidence_of(check(http(), status=Status.PASS)) is None
    assert evidence_of(check()) is None


def test_the_lines_of_an_exchange() -> None:
    """The request, what was sent, the response in a line, how its body begins."""
    exchange = http(
        "POST http://h/p",
        request_body='{"q":\n 1}',
        response="503 Service Unavailable",
        response_headers={"content-type": "application/json", "server": "x", "retry-after": "30"},
        response_body='{"a": 1,\n "b": 2}',
        response_bytes=17,
        elapsed_ms=12.4,
    )
    assert evidence_lines(check(exchange))[:-1] == [
        ("asked", "POST http://h/p"),
        ("sent", '{"q": 1}'),
        ("got", "503 Service Unavailable, application/json, retry-after: 30, 17 bytes, 12 ms"),
        ("body", '{"a": 1, "b": 2}'),
    ]


def test_a_value_in_json_is_shown_with_what_stands_beside_it() -> None:
    """Instead of the beginning of a long document; items that are long are cut."""
    document: JsonObject = {"parts": {"redis": {"up": False, "why": "x" * 100}, "llm": {}}}
    exchange = http(response="200 OK", response_body="{...}")
    lines = dict(evidence_lines(check(exchange, fact="json $.parts.redis.up", facts={"json": document})))
    assert lines["near"].startswith('$.parts.redis: {"up": false, "why": "xxx')
    assert "body" not in lines


def test_of_a_stream_the_frames_are_shown_with_their_line_ends() -> None:
    """The beginning, and the end where it is long: a frame without its empty line must be visible as such."""
    body = "data: 1\n\n" * 100
    exchange = http(
        response="200 OK", response_headers={"content-type": "text/event-stream"}, response_body=body + "data: x\\n\\n"
    )
    shown = dict(evidence_lines(check(exchange)))["body"]
    assert shown.startswith(r"data: 1\n\ndata: 1\n\n")
    assert shown.endswith(r"data: 1\n\ndata: x\n\n")


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        (http(), ["curl", "-sS", "-i", "http://h/p"]),
        (http("HEAD http://h/p"), ["curl", "-sS", "-i", "--head", "http://h/p"]),
        (http("DELETE http://h/p"), ["curl", "-sS", "-i", "-X", "DELETE", "http://h/p"]),
        (http("POST http://h/p"), ["curl", "-sS", "-i", "-X", "POST", "http://h/p"]),
        (
            http("POST http://h/p?a=1&b='", request_body="it's $HOME `x`", request_bytes=14, options={"--http2": ""}),
            ["curl", "-sS", "-i", "--http2", "--data-binary", "it's $HOME `x`", "http://h/p?a=1&b='"],
        ),
        (
            http("PUT http://h/p", request_bytes=9_000, request_headers={"X-A": 'a "b"'}),
            ["curl", "-sS", "-i", "-X", "PUT", "-H", 'X-A: a "b"', "--data-binary", "@FILE", "http://h/p"],
        ),
        (
            Exchange(protocol="redis", request="GET 'a b'", options={"-h": "h", "-p": "1", "--tls": ""}),
            ["redis-cli", "-h", "h", "-p", "1", "--tls", "GET", "a b"],
        ),
    ],
)
def test_the_command_is_what_a_shell_reads_as_the_request(exchange: Exchange, words: list[str]) -> None:
    """Whatever the url, the headers and the body are made of."""
    assert words_in_a_shell(command(exchange)) == words
    assert shlex.split(command(exchange)) == words


def test_a_secret_is_a_variable_of_the_command() -> None:
    """Named after what it is the value of, so that the command works once it is set."""
    exchange = http(
        "POST http://h/p?api_key=***",
        request_headers={"Authorization": "Bearer ***", "X-Auth": "***"},
        request_body='{"password": "***", "cost": "$5"}',
        request_bytes=33,
    )
    given = {"API_KEY": "k", "AUTHORIZATION": "a b", "X_AUTH": "$x", "PASSWORD": 'p"w'}
    assert words_in_a_shell(command(exchange), **given)[3:] == [
        *("-H", "Authorization: Bearer a b", "-H", "X-Auth: $x"),
        *("--data-binary", '{"password": "p"w", "cost": "$5"}', "http://h/p?api_key=k"),
    ]


def test_the_last_lines_of_a_log_are_shown_one_by_one() -> None:
    """The end of the log, and the command that shows more of it."""
    lines = "\n".join(f"line {number}\x1b[2J" for number in range(10))
    log = Exchange(protocol="container", request="xnai_rag_api", response_body=lines, options={"--tail": "20"})
    rows = evidence_lines(check(log))
    assert rows[:-1] == [("log", f"line {number}\\x1b[2J") for number in range(4, 10)]
    assert rows[-1] == ("repeat", "docker logs --tail 20 xnai_rag_api")


def test_the_log_of_the_target_stands_beside_the_exchange() -> None:
    """What was asked and what came back first; then where the log is and its end; the command asks the server again."""
    broken = http(response="500 Internal Server Error", response_body="oops")
    log = Exchange(protocol="file", request="/var/log/a b.log", response_body="ready\nValueError", options={"-n": "20"})
    assert evidence_lines(check(broken, log)) == [
        ("asked", "GET http://h/p"),
        ("got", "500 Internal Server Error, 0 bytes, 0.0 ms"),
        ("body", "oops"),
        ("log", "tail -n 20 '/var/log/a b.log'"),
        ("log", "ready"),
        ("log", "ValueError"),
        ("repeat", "curl -sS -i http://h/p"),
    ]


def test_a_load_is_shown_by_its_request_and_its_counts() -> None:
    """How often it was sent and how it was answered; no size and no duration, which would be those of one answer."""
    load = http(response="503 (2 of 9), 200 (4 of 9)", failure="3 without a whole answer (reset 3)", load_count=9)
    assert evidence_lines(check(load)) == [
        ("asked", "GET http://h/p (9 times)"),
        ("got", "503 (2 of 9), 200 (4 of 9), 3 without a whole answer (reset 3)"),
        ("repeat", "curl -sS -i http://h/p"),
    ]
    slow = http(response="200 (9 of 9)", elapsed_ms=5000.0, load_count=9)
    assert evidence_lines(check(slow))[1] == ("got", "200 (9 of 9)")
