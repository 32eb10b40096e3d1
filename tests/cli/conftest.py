"""A small web server and a folder with a profile for it: what the commands are run against."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.serving import Quiet, serving
from xnai_validate.cli.app import app

SUITE = """\
title: A web site
defaults: {target: api}
checks:
  - id: up
    title: The site answers
    kind: http.request
    with: {path: /ok}
    tags: [first]
    fix: Start it.
  - id: json
    title: The answer is JSON that says ok
    kind: http.request
    needs: [up]
    with: {path: /ok}
    expect: {json: {$.status: ok}}
"""
BROKEN = """\
title: What is broken
defaults: {target: api}
checks:
  - id: boom
    title: A broken page is whole
    kind: http.request
    with: {path: /boom}
    fix: Mend the page.
  - id: after
    title: What needs the broken page
    kind: http.request
    needs: [boom]
    with: {path: /ok}
"""
WARNED = """\
title: What is odd
defaults: {target: api}
checks:
  - id: header
    title: The site says who it is
    kind: http.request
    with: {path: /ok}
    expect: {status: 200}
    warn: {headers: {x-who: me}}
"""
HANGING = """\
title: What hangs
defaults: {target: api}
checks:
  - id: up
    title: The site answers
    kind: http.request
    with: {path: /ok}
  - id: hangs
    title: A page that never comes
    kind: http.request
    needs: [up]
    timeout: 60s
    with: {path: /hang, timeout: 60s}
"""
PROFILES = {
    "good": "title: All is well\nsuites: [site/web]\ncriteria: {site: {passed: {min: 2}}}\n",
    "bad": "title: Something is broken\nsuites: [site/web, site/broken]\ncriteria: {site: {passed: {min: 3}}}\n",
    "odd": "title: Something is odd\nsuites: [site/warned]\n",
    "hanging": "title: Something hangs\nsuites: [site/hanging]\n",
    "mistaken": "title: Errors\nsuites: [site/web, site/wbe]\nthresholds:\n  'site/*': {total_msec: {max: 1}}\n",
}


@dataclass
class Site:
    """A running web server."""

    url: str
    seen: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    traces: list[str | None] = field(default_factory=list)
    """The headers `traceparent` of the requests."""
    hanging: threading.Event = field(default_factory=threading.Event)
    closing: threading.Event = field(default_factory=threading.Event)
    down: threading.Event = field(default_factory=threading.Event)
    """Set: every answer is 503."""


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server on a free port: /ok is JSON, /boom is an error, /hang never answers."""
    found = Site("")

    class Answering(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.seen.append(self.path)
            found.traces.append(self.headers.get("traceparent"))
            if self.path == "/hang":
                found.hanging.set()
                found.closing.wait(60)
                return
            body = b'{"status": "ok"}' if self.path == "/ok" else b"Traceback [red] \x1b[2J"
            self.send_response(503 if found.down.is_set() else 200 if self.path == "/ok" else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with serving(Answering) as found.url:
        yield found
        found.closing.set()


@dataclass
class Place:
    """A folder to run commands in."""

    path: Path
    site: Site

    def invoke(self, *args: str) -> Result:
        """Run a command in this process."""
        return CliRunner().invoke(app, args)

    def run(self, *args: str) -> Result:
        """`run` against the site."""
        return self.invoke("run", *args)

    @property
    def state(self) -> Path:
        """Where runs leave what must outlive them."""
        return self.path / "state"


@pytest.fixture
def place(tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A folder with profiles that name the site as their api; the current directory."""
    (tmp_path / "checks" / "site").mkdir(parents=True)
    (tmp_path / "profiles").mkdir()
    for name, text in {"web": SUITE, "broken": BROKEN, "warned": WARNED, "hanging": HANGING}.items():
        (tmp_path / "checks" / "site" / f"{name}.yaml").write_text(text)
    for name, text in PROFILES.items():
        target = f"targets: {{api: {{url: '{site.url}'}}}}\n"
        (tmp_path / "profiles" / f"{name}.yaml").write_text(text + target)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XNAI_VALIDATE_STATE", str(tmp_path / "state"))
    for name in ("NO_COLOR", "COLUMNS", "XNAI_VALIDATE_PATH"):
        monkeypatch.delenv(name, raising=False)
    return Place(tmp_path, site)
