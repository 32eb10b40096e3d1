"""Commands of health checks become checks that measure the same from outside; others stay with the engine."""

from __future__ import annotations

import pytest

from xnai_validate.importing.health_checks import native_check
from xnai_validate.importing.project import HealthCommand, Variable


def shell(text: str) -> HealthCommand:
    """A command for a shell."""
    return HealthCommand((text,), in_shell=True)


@pytest.mark.parametrize(
    ("command", "kind", "port", "path"),
    [
        (shell("curl -f http://localhost:3000/health || exit 1"), "http.request", 3000, "/health"),
        (HealthCommand(("CMD", "x")), None, 0, None),
        (HealthCommand(("curl", "-sSf", "http://127.0.0.1/ping?a=b")), "http.request", 80, "/ping?a=b"),
        (shell("wget --tries=1 --spider https://localhost/ready || exit 1"), "http.request", 443, "/ready"),
        (shell("wget -q -O - localhost:8080/up"), "http.request", 8080, "/up"),
        (HealthCommand(("/bin/sh", "-c", "exec curl http://localhost:1/x")), "http.request", 1, "/x"),
        (
            HealthCommand(("python3", "-c", "import urllib.request as r; r.urlopen('http://localhost:8000/healthz')")),
            "http.request", 8000, "/healthz",
        ),
        (HealthCommand(("node", "-e", "fetch('http://localhost:3000/api')")), "http.request", 3000, "/api"),
        (shell("pg_isready -U postgres -p 5433"), "tcp.connect", 5433, None),
        (HealthCommand(("redis-cli", "--raw", "incr", "ping")), "redis.ping", 6379, None),
        (shell("redis-cli -p 6380 ping | grep PONG"), "redis.ping", 6380, None),
        (HealthCommand(("mysqladmin", "ping", "-h", "localhost")), "tcp.connect", 3306, None),
        (HealthCommand(("nc", "-z", "localhost", "9092")), "tcp.connect", 9092, None),
        (shell("curl -s --noproxy localhost localhost:3000/up | grep -q 'OK' || exit 1"), "http.request", 3000, "/up"),
        (shell("curl -s http://localhost/state | grep -q '^o.*k$'"), None, 0, None),
        (HealthCommand(("wget", "--spider", "-q", "0.0.0.0:8123/ping")), "http.request", 8123, "/ping"),
        (shell("curl -f http://localhost:$${OWN_PORT}/up"), "http.request", 7000, "/up"),
        (shell("curl -f http://localhost:${OTHER:-81}/up"), "http.request", 81, "/up"),
        (shell("curl -f http://localhost:80/?t=$${API_TOKEN}"), None, 0, None),
        (shell("curl -fsS -X GET -H 'Host: shop' http://localhost/up"), "http.request", 80, "/up"),
        (shell("curl -sku elastic:x https://localhost:9200"), None, 0, None),
        (shell("curl -fs --cacert /ca.crt https://localhost:9200"), None, 0, None),
        (shell("curl -k https://localhost:8443/up"), None, 0, None),
        (shell("curl -X POST http://localhost/up"), None, 0, None),
        (shell("curl --form-string a=b http://localhost/up"), None, 0, None),
        (shell("curl -f --user-agent probe http://localhost/up"), "http.request", 80, "/up"),
        (shell("curl -H 'X-Api-Key: x' http://localhost/up"), None, 0, None),
        (shell("curl -H 'Host: $NAME' http://localhost/up"), None, 0, None),
        (shell("wget -T 3 -q -O- http://localhost/up"), "http.request", 80, "/up"),
        (shell("wget --user-agent=probe -qO- http://localhost/up"), "http.request", 80, "/up"),
        (shell("wget --header='Authorization: Bearer x' http://localhost/up"), None, 0, None),
        (HealthCommand(("node", "-e", "fetch('http://localhost:1/', {method: 'POST'})")), None, 0, None),
        (HealthCommand(("bash", "-c", "echo > /dev/tcp/localhost/9092")), "tcp.connect", 9092, None),
        (shell("timeout 5s bash -c ':> /dev/tcp/127.0.0.1/2181' || exit 1"), "tcp.connect", 2181, None),
        (
            shell("exec 3<>/dev/tcp/127.0.0.1/9000; echo -e 'GET /ready HTTP/1.1\\r\\n\\r\\n' >&3; grep '200 OK' <&3"),
            "http.request", 9000, "/ready",
        ),
        (HealthCommand(("ruby", "-e", "TCPSocket.new('localhost', 6060).close")), "tcp.connect", 6060, None),
        (HealthCommand(("php", "-r", "fsockopen('localhost', 8090) or die();")), "tcp.connect", 8090, None),
        (HealthCommand(("php", "-r", "file_get_contents('http://localhost/up');")), "http.request", 80, "/up"),
        (shell("curl -f http://localhost/up?token=x"), None, 0, None),
        (HealthCommand(("curl", "-f", "http://localhost/x"), names=("PORT", "API_TOKEN")), None, 0, None),
        (shell("curl http://elsewhere:80/"), None, 0, None),
        (shell("curl http://localhost:${PORT}/"), None, 0, None),
        (shell("celery inspect ping"), None, 0, None),
        (shell("echo ok"), None, 0, None),
        (shell("curl --version"), None, 0, None),
        (shell(""), None, 0, None),
    ],
)  # fmt: skip
def test_usual_commands_become_kinds(command: HealthCommand, kind: str | None, port: int, path: str | None) -> None:
    """The port is that in the container; a request to another host or without a known port is left to the engine."""
    check = native_check(command, {"OWN_PORT": Variable("7000"), "API_TOKEN": Variable("x")})
    assert (check.kind if check else None) == kind
    if check is not None:
        assert (check.port, check.params.get("path")) == (port, path)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("curl -s localhost:3000/up | grep -q 'OK' || exit 1", {"status": {"max": 599}, "text": {"contains": "OK"}}),
        (
            """curl -fs http://localhost/up | grep '"status":"green"'""",
            {"status": {"max": 399}, "text": {"contains": '"status":"green"'}},
        ),
        ("curl -s -o /dev/null -w '%{http_code}' http://localhost/up | grep -q 200", {"status": 200}),
        ("curl -I http://localhost | grep 'HTTP/1.1 200 OK'", {"status": 200}),
        ("wget -qO- http://localhost/up | grep -qi ok", {"status": {"max": 399}}),
    ],
)
def test_what_grep_looks_for_is_a_rule_about_the_body_or_the_status(command: str, expected: object) -> None:
    """The body where the command writes it alone; a text without regard to case is left out."""
    check = native_check(shell(command))
    assert check is not None
    assert check.expect == expected


def test_curl_fails_on_a_status_only_if_asked_to() -> None:
    """Without -f curl ends well on 404 and 500, so every answer is right."""
    with_f, without = native_check(shell("curl -f http://localhost/")), native_check(shell("curl http://localhost/"))
    assert with_f is not None
    assert without is not None
    assert (with_f.expect, without.expect) == ({"status": {"max": 399}}, {"status": {"max": 599}})
