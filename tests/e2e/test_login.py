"""Logins, counted at a real server: once for all checks of a run, again after a 401, and out at the end."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.e2e.tool import TOOL, Ended, environment, tool
from tests.serving import Quiet, serving

PASSWORD = "sw0rdfish-77"
CHECKS = 30
SUITE = "title: Own\ndefaults: {target: api}\nchecks:\n" + "".join(
    f"  - {{id: c{number}, title: Item {number}, kind: http.request, with: {{path: /items/{number}}}}}\n"
    for number in range(CHECKS)
)
COOKIE = """
    auth:
      scheme: login
      steps:
        - name: log-in
          kind: http.request
          with: {method: POST, path: /login, form: {user: ada, password: "${SHOP_PASSWORD}"}}
          expect: {status: 204}
          capture: {sid: {cookie: sid}, csrf: {header: x-csrf}}
      headers: {X-Csrf: "{{csrf}}"}
      cookies: {sid: "{{sid}}"}
      logout: [{name: log-out, kind: http.request, with: {method: POST, path: "/logout?for={{csrf}}"}}]
"""
KINDS = {
    "http.request": {"path": "/items/1"},
    "sse.stream": {"path": "/events", "method": "GET"},
    "metrics.samples": {"path": "/metrics"},
    "websocket.session": {"path": "/ws"},
    "load.http": {"path": "/items/2", "arrivals": {"rate": 20}, "for": "100ms"},
    "load.sse": {"path": "/events", "method": "GET", "arrivals": {"rate": 20}, "for": "100ms"},
}
"""Kinds that speak HTTP, and the params of a check that passes with a session."""
OAUTH = """
    auth: {scheme: oauth2-client-credentials, user: shop, secret_env: SHOP_PASSWORD, token_url: /token, scopes: [read]}
"""
CONTENT = {
    "/events": ("text/event-stream", b'event: token\ndata: {"content": "a"}\n\nevent: done\ndata: {}\n\n'),
    "/metrics": ("text/plain; version=0.0.4", b"# TYPE shop_orders_total counter\nshop_orders_total 1\n"),
}
"""Path -> content type and body."""
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What the key of a WebSocket handshake is completed by (RFC 6455 section 1.3)."""


class Accounts:
    """The sessions of a server, and what was asked of it."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.valid: set[str] = set()
        self.ends_after = 0
        """After as many answers the session ends; 0: never."""
        self.slow = threading.Event()
        """Set once a request for /slow is waiting."""
        self._lock = threading.Lock()

    def begin(self, kind: str) -> str:
        """Begin a session."""
        with self._lock:
            self.counts[kind] += 1
            self.valid = {f"{kind}-0a1b2c3d4e5f-{self.counts[kind]}"}
            return next(iter(self.valid))

    def answer(self, proof: str) -> int:
        """The status of an answer to a request with this proof."""
        with self._lock:
            if proof not in self.valid:
                self.counts["refused"] += 1
                return 401
            self.counts["answered"] += 1
            if self.counts["answered"] == self.ends_after:
                self.valid.clear()
            return 200

    def leave(self, proof: str) -> None:
        """End a session."""
        with self._lock:
            self.counts["left" if proof in self.valid else "left without a session"] += 1
            self.valid.discard(proof)


@contextmanager
def server(accounts: Accounts) -> Iterator[str]:
    """A server whose items need a session."""

    class Pages(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/slow":
                accounts.slow.set()
                time.sleep(5)
            status = accounts.answer(self._proof())
            if status == 200 and self.path == "/ws":
                return self._talk()
            kind, body = CONTENT.get(self.path, ("text/plain", b""))
            if self.path == "/end":
                accounts.valid.clear()
            self._reply(status, ("Content-Type", kind), body=body)

        def _talk(self) -> None:
            """A WebSocket that answers pings and the closing (RFC 6455 section 5.5): masked frames below 126 bytes."""
            self.close_connection = True
            accept = b64encode(sha1(f"{self.headers['sec-websocket-key']}{GUID}".encode()).digest()).decode()
            self.send_response(101)
            for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept)):
                self.send_header(name, value)
            self.end_headers()
            while head := self.rfile.read(2):
                mask = self.rfile.read(4)
                payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.rfile.read(head[1] & 0x7F)))
                pong = head[0] & 0x0F == 9
                self.wfile.write(bytes([0x8A if pong else 0x88, len(payload)]) + payload)
                if not pong:
                    return

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
            if self.path == "/login":
                if form.get("password") != [PASSWORD]:
                    return self._reply(403)
                sid = accounts.begin("login")
                return self._reply(204, ("Set-Cookie", f"sid={sid}; HttpOnly"), ("X-Csrf", f"csrf-{sid}"))
            if self.path == "/token":
                scope = form.get("scope", ["none"])[0]
                basic = self.headers.get("authorization", "").startswith("Basic ")
                if not basic or form.get("grant_type") != ["client_credentials"] or scope != "read":
                    return self._reply(400)
                token = accounts.begin("token")
                return self._reply(200, body=json.dumps({"access_token": token, "token_type": "Bearer"}).encode())
            if self.path.startswith("/logout?for=csrf-"):
                accounts.leave(self._proof())
            return self._reply(200)

        def _proof(self) -> str:
            bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
            sid = self.headers.get("cookie", "").removeprefix("sid=")
            has_header = self.headers.get("x-csrf") == f"csrf-{sid}"
            return bearer or (sid if has_header else "")

        def _reply(self, status: int, *headers: tuple[str, str], body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Pages) as url:
        yield url


def write(home: Path, url: str, auth: str, suite: str = SUITE) -> None:
    """Write a profile with a target that needs a login, and its suite."""
    profile = f"title: Mine\nsuites: [own/*]\ntargets:\n  api:\n    url: {url}{auth}"
    for name, text in (("profiles/mine.yaml", profile), ("checks/own/items.yaml", suite)):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")


def run(home: Path, *arguments: str) -> Ended:
    """Run the profile with the password in the environment."""
    return tool(home, "run", "mine", *arguments, env={"SHOP_PASSWORD": PASSWORD})


@pytest.mark.parametrize(("auth", "kind"), [(COOKIE, "login"), (OAUTH, "token")])
def test_one_login_for_thirty_checks(tmp_path: Path, auth: str, kind: str) -> None:
    """The server counts one login; every check has its credentials, and the run ends with a log-out."""
    accounts = Accounts()
    with server(accounts) as url:
        write(tmp_path, url, auth)
        done = run(tmp_path, "-o", "r.json", "-o", "r.html", "-o", "r.jsonl")
    assert done.code == 0, done.stdout
    assert accounts.counts[kind] == 1
    assert (accounts.counts["answered"], accounts.counts["refused"]) == (CHECKS, 0)
    assert accounts.counts["left"] == (1 if kind == "login" else 0)
    texts = [done.stdout, *((tmp_path / name).read_text(encoding="utf-8") for name in ("r.json", "r.html", "r.jsonl"))]
    for text in texts:
        assert PASSWORD not in text
        assert "0a1b2c3d4e5f" not in text


@pytest.mark.parametrize(("auth", "kind"), [(COOKIE, "login"), (OAUTH, "token")])
def test_a_session_that_ends_is_renewed_once(tmp_path: Path, auth: str, kind: str) -> None:
    """After a 401 there is a second login, whatever the number of checks that meet it, and all checks pass."""
    accounts = Accounts()
    accounts.ends_after = 10
    with server(accounts) as url:
        write(tmp_path, url, auth)
        done = run(tmp_path)
    assert done.code == 0, done.stdout
    assert accounts.counts[kind] == 2
    assert accounts.counts["answered"] == CHECKS
    assert accounts.counts["refused"] >= 1


def test_a_login_holds_for_every_kind_that_speaks_http(tmp_path: Path) -> None:
    """One login for thirty checks of streams, WebSockets, metrics, loads and requests: none is refused."""
    accounts = Accounts()
    checks = [
        {"id": f"c{number}", "title": f"Check {number}", "kind": kind, "with": with_}
        for number, (kind, with_) in enumerate(list(KINDS.items()) * 5)
    ]
    with server(accounts) as url:
        write(tmp_path, url, COOKIE, json.dumps({"title": "Own", "defaults": {"target": "api"}, "checks": checks}))
        done = run(tmp_path)
    assert len(checks) == CHECKS
    assert done.code == 0, done.stdout
    assert (accounts.counts["login"], accounts.counts["refused"], accounts.counts["left"]) == (1, 0, 1)


def test_every_kind_that_speaks_http_renews_a_session_that_has_ended(tmp_path: Path) -> None:
    """A session that ends before a check is renewed by it, also by a WebSocket or a load, and the check passes."""
    accounts = Accounts()
    checks: list[dict[str, object]] = []
    for kind, with_ in KINDS.items():
        for name, what, params in (("end", "http.request", {"path": "/end"}), ("check", kind, with_)):
            needs = [checks[-1]["id"]] if checks else []
            entry = {"id": f"{name}-{kind.replace('.', '-')}", "title": kind, "kind": what, "with": params}
            checks.append({**entry, "needs": needs})
    with server(accounts) as url:
        write(tmp_path, url, COOKIE, json.dumps({"title": "Own", "defaults": {"target": "api"}, "checks": checks}))
        done = run(tmp_path)
    assert done.code == 0, done.stdout
    assert (accounts.counts["login"], accounts.counts["refused"]) == (1 + len(KINDS), len(KINDS))


def test_a_page_that_is_refused_to_this_user_fails_after_one_more_login(tmp_path: Path) -> None:
    """A 401 that a new session does not change is the answer of the server; asking again needs no other login."""
    accounts = Accounts()
    suite = SUITE.replace("path: /items/0}", "path: /items/0, headers: {X-Csrf: none}, repeat: 5}")
    with server(accounts) as url:
        write(tmp_path, url, COOKIE, suite)
        done = run(tmp_path, "-o", "r.json")
    assert done.code == 1
    assert accounts.counts["login"] == 2
    document = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [check["id"] for check in document["checks"] if check["status"] != "pass"] == ["own/items:c0"]


def test_a_login_that_fails_is_one_error(tmp_path: Path) -> None:
    """No check is measured: the run is undecided, with the reason once."""
    accounts = Accounts()
    with server(accounts) as url:
        write(tmp_path, url, COOKIE)
        done = tool(tmp_path, "run", "mine", "-o", "r.json", env={"SHOP_PASSWORD": "wrong-password"})
    assert done.code == 3
    document = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    (cause,) = document["causes"]
    assert cause["reason"] == "the login of api failed: log-in: http.request: status expected 204, got 403"
    assert len(cause["alike"]) == CHECKS - 1
    assert accounts.counts["answered"] == 0


def test_an_interrupted_run_logs_out(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a check: the session is ended all the same."""
    accounts = Accounts()
    suite = "title: Own\nchecks:\n  - {id: slow, title: Slow, kind: http.request, target: api, with: {path: /slow}}\n"
    with server(accounts) as url:
        write(tmp_path, url, COOKIE, suite)
        process = subprocess.Popen(
            [TOOL, "run", "mine"],
            env={**environment(tmp_path), "SHOP_PASSWORD": PASSWORD},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert accounts.slow.wait(30)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 130
    assert (accounts.counts["login"], accounts.counts["left"]) == (1, 1)


def test_a_target_of_its_own_has_its_own_session(tmp_path: Path) -> None:
    """Another origin gets no credentials of the target."""
    mine, other = Accounts(), Accounts()
    with server(mine) as url, server(other) as elsewhere:
        suite = (
            "title: Own\ndefaults: {target: api}\nchecks:\n"
            f"  - {{id: away, title: A, kind: http.request, with: {{path: '{elsewhere}/'}}, expect: {{status: 401}}}}\n"
            "  - {id: here, title: H, kind: http.request, with: {path: /x}}\n"
        )
        write(tmp_path, url, COOKIE, suite)
        assert run(tmp_path).code == 0
    assert (mine.counts["login"], other.counts["login"], other.counts["refused"]) == (1, 0, 1)


@pytest.mark.parametrize(("cookies", "code"), [("cookies: keep", 0), ("", 1)])
def test_checks_of_a_run_share_the_cookies_of_a_target(tmp_path: Path, cookies: str, code: int) -> None:
    """What one check is given, the next sends, only where the target keeps cookies; its value is in no report."""

    class Shop(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            begins = self.path == "/begin"
            self.send_response(200 if begins or "sid=t0psecret" in self.headers.get("Cookie", "") else 401)
            if begins:
                self.send_header("Set-Cookie", "sid=t0psecret; Path=/; HttpOnly; Max-Age=60")
            self.send_header("Content-Length", "0")
            self.end_headers()

    begin = "{id: begin, title: Begin, kind: http.request, with: {path: /begin}}"
    page = "{id: page, title: Page, kind: http.request, with: {path: /page}, needs: [begin]}"
    left_out = "with: {path: /, keep_cookies: false}, needs: [page], expect: {status: 401}"
    out = f"{{id: out, title: Out, kind: http.request, {left_out}}}"
    suite = f"title: Own\ndefaults: {{target: shop}}\nchecks:\n  - {begin}\n  - {page}\n  - {out}\n"
    with serving(Shop) as url:
        files = {
            "profiles/mine.yaml": f"title: Mine\nsuites: [own/*]\ntargets:\n  shop: {{url: '{url}', {cookies}}}\n",
            "checks/own/shop.yaml": suite,
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")
        ran = tool(tmp_path, "run", "mine", "-o", "out.json", "-o", "junit:j.xml")
    assert ran.code == code, ran.stdout + ran.stderr
    assert "t0psecret" not in ran.stdout + "".join((tmp_path / name).read_text() for name in ("out.json", "j.xml"))
