"""Secrets of every kind, given to the tool or sent by a server that echoes what it gets, reach no sink."""

from __future__ import annotations

import gzip
import json
import textwrap
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import pytest

from tests.e2e.tool import tool
from tests.serving import Quiet, serving

SECRETS = {
    "password of the url": "Pw-url-4711/x",
    "password of Redis": "Pw-redis-4712",
    "bearer token": "bt4713.abcDEF",
    "header X-Api-Key": "hk4714abcd",
    "header X-Auth": "ha4715abcd",
    "cookie of the request": "ck4716abcd",
    "query in the path": "qp4717abcd",
    "query parameter": "qq4718abcd",
    "password in a JSON body": "jb4719abcd",
    "token of the environment": "en4720/ab+d",
    "variable of the command line": "va4721abcd",
    "cookie of the response": "sc4722abcd",
    "token of the response": "tr4723abcd",
    "token in a redirect": "lo4724abcd",
    "captured with a flag": "cf4725abcd",
    "captured and sent as a credential": "cc4726abcd",
    "field with a name in camel case": "cm4727abcd",
}
EXTENSIONS = ("json", "jsonl", "xml", "html", "md", "tap", "prom")


class Echo(Quiet, BaseHTTPRequestHandler):
    """Answers with all that it was sent, in several spellings, and with secrets of its own."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        echoed = [str(value) for value in self.headers.values()] + [self.path, body]
        environment = SECRETS["token of the environment"]
        document = {
            "accessToken": SECRETS["token of the response"],
            "userPrivateKey": SECRETS["field with a name in camel case"],
            "said": echoed,
            "spelled": [
                quote(environment, safe="").lower(),
                b64encode(environment.encode()).decode(),
                f"of a url: {quote(SECRETS['password of the url'], safe='')}",
                json.dumps(SECRETS["password of the url"]).replace("/", "\\/"),
                [header.rpartition(" ")[2] for header in echoed],  # the credentials of Basic without the word
                b64encode(f"svc:{SECRETS['password of the url']}".encode()).decode(),
            ],
            "again": [SECRETS["token of the response"], SECRETS["cookie of the response"]],
        }
        if self.path == "/":  # only the flow that captures them gets them, and later shows them
            document |= {"id": SECRETS["captured with a flag"]}
            document |= {"session": SECRETS["captured and sent as a credential"]}
        raw = json.dumps(document).encode()
        self.send_response(302 if self.path.startswith("/moved") else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", f"sid={SECRETS['cookie of the response']}; Path=/")
        if self.path.startswith("/moved"):
            self.send_header("Location", f"/next?access_token={SECRETS['token in a redirect']}&page=1")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_POST = do_GET  # noqa: N815 (the name is that of http.server)


class Receiver(Quiet, BaseHTTPRequestHandler):
    """Takes webhooks and traces, and keeps their bodies."""

    bodies: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        whole = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        self.bodies.append(whole.decode("utf-8", "surrogateescape"))  # the texts of protobuf stand in it as they are
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project whose every check fails and shows what it got."""
    with serving(Echo) as url:
        password = quote(SECRETS["password of the url"], safe="")
        profile = f"""
            title: Echo
            targets:
              api: {{url: "{url.replace("http://", f"http://svc:{password}@")}"}}
              redis: {{url: "redis://127.0.0.1:1", password_env: REDIS_PASSWORD}}
            vars: {{db_password: unset}}
            suites: [echo/echo]
        """
        suite = f"""
            title: Echo
            defaults: {{target: api}}
            checks:
              - id: url
                title: Basic auth in the url
                kind: http.request
                with: {{path: "/a?api_key={SECRETS["query in the path"]}&page=2"}}
                expect: {{text: nothing, json: {{"$.said": []}}}}
              - id: headers
                title: Headers with secret names
                kind: http.request
                with:
                  path: "/${{MY_TOKEN}}/x"
                  headers:
                    Authorization: "Bearer {SECRETS["bearer token"]}"
                    X-Api-Key: "{SECRETS["header X-Api-Key"]}"
                    X-Auth: "{SECRETS["header X-Auth"]}"
                    Cookie: "sid={SECRETS["cookie of the request"]}"
                  query: {{token: "{SECRETS["query parameter"]}"}}
                expect: {{text: nothing, json: {{"$.said": []}}}}
              - id: body
                title: A password in a body
                kind: http.request
                with:
                  method: POST
                  path: /login
                  json: {{password: "{SECRETS["password in a JSON body"]}", other: "${{db_password}}"}}
                expect: {{text: nothing, headers: {{set-cookie: none}}}}
              - id: moved
                title: A redirect with a token
                kind: http.request
                with: {{path: /moved}}
                expect: {{status: 200, headers: {{location: none}}, text: none}}
              - id: flow
                title: Captures
                kind: flow.steps
                with:
                  steps:
                    - name: take
                      kind: http.request
                      with: {{path: /}}
                      expect: {{status: 500}}
                      capture: {{id: {{json: $.id, secret: true}}, session: {{json: $.session}}}}
                    - name: use
                      kind: http.request
                      with: {{path: "/use/{{{{id}}}}", headers: {{Authorization: "Token {{{{session}}}}"}}}}
                      expect: {{text: nothing}}
              - {{id: redis, title: Redis, kind: redis.ping, target: redis}}
        """
        (tmp_path / "profiles").mkdir()
        (tmp_path / "checks" / "echo").mkdir(parents=True)
        (tmp_path / "profiles" / "echo.yaml").write_text(textwrap.dedent(profile), encoding="utf-8")
        (tmp_path / "checks" / "echo" / "echo.yaml").write_text(textwrap.dedent(suite), encoding="utf-8")
        yield tmp_path


def test_no_secret_reaches_a_sink(project: Path) -> None:
    """Terminal, every format, the journal, stored reports, explain, list and dry run hold none in any spelling."""
    env = {
        "MY_TOKEN": SECRETS["token of the environment"],
        "REDIS_PASSWORD": SECRETS["password of Redis"],
        "HOME": str(project),
    }
    var = ("--var", f"db_password={SECRETS['variable of the command line']}")
    outputs = [part for name in EXTENSIONS for part in ("-o", f"report.{name}")]
    with serving(Receiver) as url:
        sent = ("--notify", f"{url}/hook", "--otlp", url)
        run = tool(project, "run", "echo", "--verbose", *var, *outputs, *sent, env=env)
    assert run.code == 1, run.stderr
    sinks = {"run": run.stdout + run.stderr, "webhook and traces": "\n".join(Receiver.bodies)}
    assert "echo/echo:flow" in sinks["webhook and traces"]
    assert len(Receiver.bodies) > 1
    for name in ("github", "terminal", "json", "jsonl", "junit", "html", "tap", "prometheus", "markdown"):
        stored = tool(project, "report", "last", "--format", name, env=env)
        sinks[f"report {name}"] = stored.stdout + stored.stderr
    for words in (
        ("run", "echo", "--dry-run", *var),
        ("explain", "echo/echo:headers"),
        ("explain", "echo/echo:url"),
        ("explain", "echo/echo:body"),
        ("explain", "echo/echo:flow"),
        ("list", "checks"),
        ("list", "echo"),
        ("list", "runs"),
        ("run", "echo", "--rerun", "failed", *var),
        ("run", "echo", "--quiet", "--format", "jsonl", *var),
        ("run", "unknown", *var),
        ("undo", "--list"),
        ("lint", "echo"),
        ("compare", "report.json", "last"),
        ("compare", "report.json", "last", "--format", "json"),
        ("history", "echo", "--json"),
        ("report", "last", "--integration", "--format", "html"),
        ("report", "last", "--integration", "--format", "json"),
    ):
        shown = tool(project, *words, env=env)
        sinks[" ".join(words[:4])] = shown.stdout + shown.stderr
    written = [path for path in project.rglob("*") if path.is_file() and path.suffix not in (".yaml", ".lock")]
    assert {path.name for path in written} >= {f"report.{name}" for name in EXTENSIONS}
    # The database of the history is not text, and what it holds of one is found all the same.
    sinks |= {str(path.relative_to(project)): path.read_text("utf-8", "surrogateescape") for path in written}
    assert len(sinks) > 30
    leaks = [(kind, sink) for kind, secret in SECRETS.items() for sink, text in sinks.items() if _holds(text, secret)]
    assert leaks == []
    assert "Basic auth in the url" in sinks["run"]
    assert "page=2" in sinks["report.json"]


def _holds(text: str, secret: str) -> bool:
    """Whether a text holds a secret: as it is, percent-encoded, with escaped slashes, or in base64 at any offset."""
    encoded = quote(secret, safe="")
    spellings = (
        secret,
        encoded,
        encoded.lower(),
        secret.replace("/", "\\/"),
        # What follows in the same text changes the last characters, what stands before it moves all of them.
        *(b64encode(b"x" * before + secret.encode()).decode()[2 + before :].rstrip("=")[:-3] for before in range(3)),
    )
    return any(spelling in text for spelling in spellings)
