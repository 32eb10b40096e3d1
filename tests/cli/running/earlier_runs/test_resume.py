"""`run --resume`: a run that was killed ends with the verdicts of a run that was not."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.cli.conftest import Place
from tests.cli.process import finish, fork
from tests.serving import Quiet, serving
from xnai_validate import __version__
from xnai_validate.cli.running.earlier_runs import resume

PASSED = range(1, 9)
MOMENTS = range(10)
"""After how many requests a run is killed; `make test` tries every third one, `make prove` all."""
SUITE = (
    "title: Items\ndefaults: {target: shop}\nchecks:\n"
    "  - {id: boom, title: A broken page, kind: http.request, with: {path: /boom}}\n"
    "  - {id: blocked, title: Needs it, kind: http.request, needs: [boom], with: {path: /ok}}\n"
    "  - {id: absent, title: Another part, kind: http.request, target: other, with: {path: /ok}}\n"
    "  - id: order\n    title: An order is kept\n    kind: flow.steps\n    with:\n      steps:\n"
    "        - {name: make, kind: http.request, with: {path: /order}, capture: {id: {json: $.id}}}\n"
    '        - {name: look, kind: http.request, with: {path: "/order/{{id}}"}, expect: {status: 200}}\n'
) + "".join(
    f"  - {{id: c{number}, title: Item {number}, kind: http.request, "
    f"{f'needs: [c{number - 1}], ' if number > 1 else ''}with: {{path: /items/{number}}}}}\n"
    for number in PASSED
)
PROFILE = """\
title: The shop
suites: [shop/items]
vars: {{page: ok}}
limits: {{concurrency: 1}}
criteria: {{shop: {{passed: {{min: 9}}}}}}
targets:
  other: {{url: null}}
  shop:
    url: {url}
    auth:
      scheme: login
      steps:
        - name: log-in
          kind: http.request
          with: {{path: /login}}
          capture: {{sid: {{cookie: sid}}}}
      cookies: {{sid: "{{{{sid}}}}"}}
"""


@dataclass
class Shop:
    """A server with a session, which holds one request back when it is told to."""

    url: str = ""
    paths: list[str] = field(default_factory=list)
    """The paths that were requested, logins left out."""
    hold_at: int | None = None
    """The number of requests after which the next one is held back."""
    held: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    sessions: int = 0
    orders: int = 0


@pytest.fixture
def shop(place: Place) -> Iterator[Shop]:
    """A running shop, with the profile `shop` for it."""
    state = Shop()

    class Pages(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/login":
                state.sessions += 1
                self.answer(200, ("Set-Cookie", f"sid=session-{state.sessions}"))
                return
            if state.hold_at is not None and len(state.paths) >= state.hold_at:
                state.held.set()
                state.release.wait(60)
                return
            state.paths.append("/order/ID" if self.path.startswith("/order/") else self.path)
            if f"sid=session-{state.sessions}" not in self.headers.get("Cookie", ""):
                self.answer(401)
            elif self.path == "/order":
                state.orders += 1
                self.answer(200)
            else:
                self.answer(200 if self.path in (f"/order/{state.orders}", "/ok") or "/items/" in self.path else 500)

        def answer(self, status: int, *headers: tuple[str, str]) -> None:
            body = json.dumps({"id": state.orders}).encode()
            self.send_response(status)
            for name, value in (*headers, ("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    folder = place.path / "checks" / "shop"
    folder.mkdir()
    (folder / "items.yaml").write_text(SUITE)
    with serving(Pages) as state.url:
        (place.path / "profiles" / "shop.yaml").write_text(PROFILE.format(url=state.url))
        yield state
        state.release.set()


def killed_at(place: Place, shop: Shop, number: int, *options: str) -> None:
    """Start a run and kill it with SIGKILL while the request after `number` others waits for its answer."""
    shop.hold_at = number
    process = fork("run", "shop", *options)
    assert shop.held.wait(20)
    process.kill()
    finish(process)
    shop.hold_at = None
    shop.release.set()
    shop.paths.clear()


def judged(result: Result) -> dict[str, Any]:
    """Return what a report judges: the verdict, the counts, the criteria, and the status of each check."""
    document = json.loads(result.stdout)
    statuses = {check["id"]: (check["status"], check["blocked_by"], check["reason"]) for check in document["checks"]}
    return {"checks": statuses, **{name: document[name] for name in ("exit_code", "verdict", "summary", "criteria")}}


@pytest.mark.parametrize(
    "number", [number if number % 3 == 0 else pytest.param(number, marks=pytest.mark.prove) for number in MOMENTS]
)
def test_a_killed_run_is_finished(place: Place, shop: Shop, number: int) -> None:
    """Killed by SIGKILL at any of ten moments: the journal shows what was seen, the rest gives the same verdicts."""
    whole = place.run("shop", "--format", "json")
    assert whole.exit_code == 1, whole.stderr
    paths = list(shop.paths)
    assert len(paths) == 11
    shop.paths.clear()
    killed_at(place, shop, number)

    seen = json.loads(place.invoke("report", "last", "--format", "json").stdout)
    assert (seen["verdict"], seen["run"]["stopped"]) == ("interrupted", "killed")
    measured = {check["id"] for check in seen["checks"] if check["attempts"]}
    expected = {check["id"]: check["status"] for check in json.loads(whole.stdout)["checks"]}
    assert all(expected[check["id"]] == check["status"] for check in seen["checks"] if check["id"] in measured)
    assert len(measured) <= number + 1

    rest = place.run("--resume", "last", "--format", "json")
    assert rest.exit_code == whole.exit_code, rest.stderr
    assert judged(rest) == judged(whole)
    assert json.loads(rest.stdout)["run"]["resumes"] == seen["run"]["id"]
    assert sorted(shop.paths) == sorted(path for path in paths if not is_known(path, measured))
    assert judged(place.invoke("report", "last", "--format", "json")) == judged(whole)


def is_known(path: str, measured: set[str]) -> bool:
    """Whether a request belongs to a check that was measured before."""
    name = {"boom": "boom", "order": "order"}.get(path.split("/")[1]) or f"c{path.rpartition('/')[2]}"
    return f"shop/items:{name}" in measured


def test_a_resumed_run_can_be_resumed(place: Place, shop: Shop) -> None:
    """A run that is killed twice keeps what both processes have measured."""
    whole = judged(place.run("shop", "--format", "json"))
    shop.paths.clear()
    killed_at(place, shop, 4)
    shop.held.clear()
    shop.release.clear()
    killed_at(place, shop, 3, "--resume", "last")
    rest = place.run("shop", "--resume", "last", "--format", "json")
    assert judged(rest) == whole
    assert len(shop.paths) <= 6


def test_another_plan_is_refused(place: Place, shop: Shop) -> None:
    """What differs is named, and nothing is sent: other vars, targets, checks, files, options."""
    killed_at(place, shop, 3)
    journal = place.invoke("list", "runs").stdout.split()[0]
    for options, message in (
        (("--var", "page=other"), "var page"),
        (("--target", "shop=http://127.0.0.1:1"), f"target shop: {shop.url} before, http://127.0.0.1:1 now"),
        (("--only", "shop/items:c1"), "checks that are not selected now"),
        (("--fail-on", "warn"), "--fail-on: fail before, fail,warn now"),
    ):
        result = place.run("shop", "--resume", journal, *options)
        assert (result.exit_code, result.stdout) == (2, ""), options
        assert message in " ".join(result.stderr.split()), options
    with pytest.MonkeyPatch.context() as other:
        other.setattr(resume, "__version__", "0.0.9")
        other.setattr(resume, "host_facts", lambda: {"name": "elsewhere"})
        message = " ".join(place.run("--resume", journal).stderr.split())
        assert f"version of xnai-validate: {__version__} before, 0.0.9 now" in message
        assert "before, elsewhere now" in message
    suite = place.path / "checks" / "shop" / "items.yaml"
    suite.write_text(SUITE.replace("/items/7", "/items/77"))
    result = place.run("--resume", journal)
    assert "had another plan: checks of checks/shop/items.yaml" in " ".join(result.stderr.split())
    assert place.run("good", "--resume", journal).exit_code == 2
    assert shop.paths == []


def test_runs_that_cannot_be_resumed(place: Place, shop: Shop) -> None:
    """A run at its end, one that still goes on, a report, an unknown one, and a folder that others can write."""
    place.run("good", "-o", "r.json")
    assert "has reached its end; nothing is left to measure" in place.run("--resume", "last").stderr
    assert "is a report, and has no events" in place.run("--resume", "r.json").stderr
    assert 'no run "2020" is stored' in place.run("--resume", "2020").stderr
    shop.hold_at = 2
    process = fork("run", "shop")
    assert shop.held.wait(20)
    assert "still goes on" in place.run("--resume", "last").stderr
    process.kill()
    finish(process)
    os.chmod(place.state / "runs", 0o777)
    result = place.run("--resume", "last")
    assert result.exit_code == 2
    assert "another user can write" in result.stderr


def test_options_that_exclude_resuming(place: Place, tmp_path: Path) -> None:
    """The embedded stack of another process has ended; a run without a profile needs a run to resume."""
    assert "--demo and --resume exclude each other" in place.run("--resume", "last", "--demo").stderr
    assert "name a profile" in place.run().stderr
