"""How `prove` deals with a miss, and how it ends: with real stacks, and checks that the test provides."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.tool import MARK, TOOL, all_gone, environment, marked, tool
from tests.serving import Quiet, serving

WAIT_S = 60.0
DEFECT = "ui-hangs"
"""It is caught by one check, `services/answers:ui`, for which the tests put one of their own."""
SUITE = """\
title: What answers
checks:
  - id: ui
    title: A page is there
    kind: http.request
    target: api
    with: {path: '%s', timeout: 60s}
    timeout: 60s
"""


@contextmanager
def page(*statuses: int) -> Iterator[tuple[str, threading.Event]]:
    """The address of a page that answers with these statuses in turn, the last one for ever; 0 is not an answer at all.

    Also an event: somebody has asked.
    """
    left, requested, over = list(statuses), threading.Event(), threading.Event()

    class Page(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = left.pop(0) if len(left) > 1 else left[0]
            requested.set()
            if not status:
                over.wait(WAIT_S)
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Page) as url:
        try:
            yield f"{url}/", requested
        finally:
            over.set()


def prepare(home: Path, url: str) -> tuple[str, ...]:
    """Write a profile with one check that asks for the page, and return the command that proves it."""
    suite = home / "checks" / "services" / "answers.yaml"
    suite.parent.mkdir(parents=True)
    suite.write_text(SUITE % url)
    (home / "profiles").mkdir()
    (home / "profiles" / "mine.yaml").write_text("title: Mine\nsuites: [services/answers]\n")
    return ("prove", "--profile", "mine", "--defect", DEFECT, "-j", "2")


@contextmanager
def started(arguments: tuple[str, ...], env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run the tool as a process, and kill what is left of it at the end."""
    home = env["XNAI_VALIDATE_STATE"]
    pipe = subprocess.PIPE
    process = subprocess.Popen([TOOL, *arguments], env=env, cwd=home, stdout=pipe, stderr=pipe, text=True)
    try:
        yield process
    finally:
        for left_over in marked(env[MARK]):
            left_over.kill()
        if process.poll() is None:
            process.communicate()


def test_what_is_caught_only_at_the_second_try_is_caught_and_reported(tmp_path: Path) -> None:
    """A check that passes beside other trials and fails by itself has caught its defect; the matrix counts them."""
    with page(200, 500) as (url, _):
        done = tool(tmp_path, *prepare(tmp_path, url), "-o", "matrix.json")
    assert done.code == 0, done.stdout + done.stderr
    assert f"[1/1] {DEFECT} (A): caught by 0, missed by services/answers:ui" in done.stderr
    assert f"[again] {DEFECT} (A): caught by 1\n" in done.stderr
    assert "1 of 1 defects are caught\n1 of them only at a second try, by itself\n" in done.stdout
    (row,) = json.loads((tmp_path / "matrix.json").read_text())["defects"].values()
    assert (row["killed"], row["survived"], row["again"]) == (["services/answers:ui"], [], True)


def test_what_is_caught_at_once_is_not_retried(tmp_path: Path) -> None:
    """A second try that would have passed is never made."""
    with page(500, 200) as (url, _):
        done = tool(tmp_path, *prepare(tmp_path, url), "-o", "matrix.json")
    assert done.code == 0, done.stdout + done.stderr
    assert "again" not in done.stderr
    assert "second try" not in done.stdout
    (row,) = json.loads((tmp_path / "matrix.json").read_text())["defects"].values()
    assert (row["killed"], row["again"]) == (["services/answers:ui"], False)


def test_what_is_missed_twice_is_missed(tmp_path: Path) -> None:
    """There is no third try: exit 1, and the check is named."""
    with page(200, 200, 500) as (url, _):
        done = tool(tmp_path, *prepare(tmp_path, url))
    assert done.code == 1
    assert done.stderr.count("[again]") == 1
    assert "0 of 1 defects are caught\n" in done.stdout
    assert f"{DEFECT} (A): services/answers:ui must fail, and is pass" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_a_proof_that_is_ended(number: signal.Signals, tmp_path: Path) -> None:
    """Its processes, stacks and folders are gone soon, whatever ends it; a caught signal exits 130."""
    mark = uuid4().hex
    folder = tmp_path / "tmp"
    folder.mkdir()
    env = {**environment(tmp_path, mark), "TMPDIR": str(folder)}
    with page(0) as (url, requested), started(prepare(tmp_path, url), env) as process:
        assert requested.wait(WAIT_S)
        assert len(marked(mark)) > 5, "a stack of several processes was there"
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=WAIT_S)
        assert all_gone(mark, within_s=30), [process.cmdline() for process in marked(mark)]
    if number is signal.SIGKILL:
        return
    assert (process.returncode, stdout, stderr) == (130, "", "interrupted\n")
    assert list(folder.iterdir()) == []
