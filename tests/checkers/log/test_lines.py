"""Logs are real files and a real Unix socket: what was written since the run or the check began is counted."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.checkers.container_api import Engine, container_api
from tests.context import call_checker, check_context, observe
from tests.e2e.tool import report, tool
from xnai_validate.checkers.log._file import BEGINNING, place_of, since
from xnai_validate.kit import JsonObject, NotApplicable, Target, Unmeasurable
from xnai_validate.model.source_location import InvalidConfig

API = Target("api", container="api")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text("INFO begun\nERROR old\n")
    return path


def count(path: Path | str, since_: str = "start", **how: Any) -> dict[str, Any]:
    """The facts of a log file."""
    return dict(observe("log.lines", path=str(path), since=since_, **how).facts)


def append(path: Path, text: str) -> None:
    """Write more lines."""
    with path.open("a") as file:
        file.write(text)


def later(seconds: float, path: Path, text: str) -> threading.Timer:
    """Write more lines after a while."""
    timer = threading.Timer(seconds, append, (path, text))
    timer.start()
    return timer


def test_matching_lines_are_counted_and_kept(log: Path) -> None:
    """A line matches anywhere; lines to ignore do not count; the last ones are evidence; the last needs no line end."""
    append(log, "".join(f"ERROR {number}\r\n" for number in range(20)) + "ERROR known\nERROR at the end")
    facts = count(log, match="ERROR", ignore="known", keep=2)
    assert (facts["lines"], facts["matches"], facts["first_match"]) == (24, 22, "ERROR old")
    assert facts["last_lines"] == ["ERROR 19", "ERROR at the end"]
    assert (facts["complete"], facts["rotated"]) == (True, False)
    assert observe("log.lines", path=str(log), since="start", match="PANIC", expect={"matches": 0}).held
    assert count(log)["matches"] == 24


def test_only_what_was_written_during_the_check_counts(log: Path) -> None:
    """`since: check` leaves out what was there before, and ends early once enough lines match."""
    timer = later(0.3, log, "heartbeat\n")
    started = time.monotonic()
    facts = count(log, "check", watch="20s", match="heartbeat", until_matches=1)
    timer.join()
    assert (facts["lines"], facts["matches"]) == (1, 1)
    assert time.monotonic() - started < 10
    assert count(log, "check", watch="100ms")["lines"] == 0


def test_what_was_written_since_the_run_began_counts(tmp_path: Path) -> None:
    """The place is noted before the first check, so lines of checks that ran before count, and earlier ones do not."""
    log = tmp_path / "app.log"
    log.write_text("ERROR before the run\n")
    write: JsonObject = {
        "id": "write",
        "title": "It writes.",
        "kind": "command.run",
        "with": {"command": f"echo ERROR now >> {log}", "shell": True},
    }
    look: JsonObject = {
        "id": "look",
        "title": "No errors.",
        "kind": "log.lines",
        "after": ["write"],
        "with": {"path": str(log), "match": "ERROR"},
        "expect": {"matches": 0},
    }
    (tmp_path / "checks" / "own").mkdir(parents=True)
    (tmp_path / "checks" / "own" / "log.yaml").write_text(json.dumps({"title": "Log", "checks": [write, look]}))
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text(json.dumps({"title": "Mine", "suites": ["own/log"]}))
    ended = tool(tmp_path, "run", "mine", "-o", "report.json")
    assert ended.code == 1, ended.stderr
    by_id = {check.id: check for check in report(tmp_path / "report.json").checks}
    facts = by_id["own/log:look"].facts
    assert (facts["matches"], facts["lines"], facts["last_lines"]) == (1, 1, ["ERROR now"])
    assert by_id["own/log:look"].status == "fail"


def test_a_rotated_file_is_read_to_its_end(log: Path) -> None:
    """What was written before the file was renamed counts, and what the new one has."""

    def write() -> None:
        append(log, "ERROR 1\n")
        log.rename(log.with_name("app.log.1"))
        log.write_text("ERROR 2\nINFO\n")

    async def rotate() -> Any:
        async with check_context("log.lines", path=str(log), since="check", watch="1s", match="ERROR") as ctx:
            task = asyncio.create_task(call_checker(ctx))
            await asyncio.sleep(0.3)
            write()
            return await task

    facts = asyncio.run(rotate())
    assert (facts.matches, facts.rotated, facts.complete) == (2, True, True)


def test_lost_lines_are_never_taken_for_none(log: Path) -> None:
    """Where the earlier file was emptied or removed the count is not complete, so the check fails."""
    place = place_of(str(log))
    log.write_text("x\n")
    emptied = since(str(log), place)
    assert emptied is not None
    assert (emptied.rotated, emptied.complete) == (True, False)
    log.unlink()
    blocker = log.with_name("other")  # takes the freed inode, so that the new file has another
    blocker.write_text("")
    log.write_text("new\n")
    removed = since(str(log), place)
    assert removed is not None
    assert removed.rotated
    assert not removed.complete
    assert since(str(log), BEGINNING) is not None
    append(log, "ERROR\n" + "x" * 5000 + "\n")
    observed = observe("log.lines", path=str(log), since="start", read_cap=100, match="ERROR", expect={"matches": 0})
    assert (observed.facts["complete"], observed.facts["matches"]) == (False, 0)
    assert not observed.held


def test_a_missing_file_is_no_empty_log(tmp_path: Path) -> None:
    """Without the file no rule about its lines holds; a file that comes later is read from its beginning."""
    path = tmp_path / "later.log"
    assert not observe("log.lines", path=str(path), since="start", expect={"matches": 0}).held
    assert count(path)["error"] == "missing"
    timer = later(0.2, path, "up\n")
    facts = count(path, "check", watch="10s", match="up", until_matches=1)
    timer.join()
    assert (facts["error"], facts["matches"]) == (None, 1)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unmeasurable, match="not a regular file"):
        count(tmp_path / "pipe")


def test_a_log_is_bounded(log: Path) -> None:
    """The newest bytes are read, and of a long line the beginning."""
    log.write_bytes(b"old\n" + b"x" * 10_000 + b"\n" + b"new\n")
    facts = count(log, read_cap=8000, keep=5)
    assert facts["complete"] is False
    assert [len(line) for line in facts["last_lines"]] == [4000, 3]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with container_api(tmp_path / "engine.sock") as server:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{server.path}")
        server.give("GET /containers/api/json", {"Id": "a" * 64, "State": {"Running": True}, "Config": {"Tty": False}})
        yield server


def frame(stream: int, text: str) -> bytes:
    """A frame of a log, as the Docker Engine API documents it."""
    data = text.encode()
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def inside(name: str = "api", others: tuple[Target, ...] = (API,), **how: Any) -> dict[str, Any]:
    """The facts of the log of a target's container."""
    how |= {"in": name}
    return dict(observe("log.lines", others=others, **how).facts)


def test_the_log_of_a_container(engine: Engine) -> None:
    """Both streams are read without their frames; the engine is asked for what came since the check began."""
    framed = (
        frame(1, "INFO up\n")
        + frame(2, "ERROR one\n")
        + frame(1, "half ")
        + frame(2, "ERROR two\n")
        + frame(1, "line\n")
    )
    engine.give("GET /containers/api/logs", framed)
    before = time.time()
    facts = inside(match="ERROR|half line")
    assert (facts["lines"], facts["matches"], facts["complete"]) == (4, 3, True)
    assert facts["last_lines"] == ["ERROR one", "ERROR two", "half line"]
    asked = engine.requests[-1]
    assert "stdout=true&stderr=true&follow=false&since=" in asked
    assert before - 1 <= float(asked.rpartition("since=")[2]) <= time.time()
    assert "since" not in (inside(since="start"), engine.requests[-1])[1]
    assert inside(since="start", read_cap=20)["complete"] is False


def test_a_container_with_a_terminal_has_no_frames(engine: Engine) -> None:
    """Its log is plain text."""
    engine.give("GET /containers/api/json", {"Id": "a" * 64, "State": {"Running": True}, "Config": {"Tty": True}})
    engine.give("GET /containers/api/logs", b"one\r\ntwo\r\n")
    assert inside(since="start")["last_lines"] == ["one", "two"]


def test_what_is_wrong_with_a_container_has_a_reason(engine: Engine) -> None:
    """An unknown container is a fact, an engine without a usable answer an error, a target without one a skip."""
    engine.give("GET /containers/api/json", {"message": "No such container: api"}, 404)
    assert inside()["error"] == "no_container"
    engine.give("GET /containers/api/json", {"message": "disk full"}, 500)
    with pytest.raises(Unmeasurable, match="disk full"):
        inside()
    with pytest.raises(NotApplicable, match="no container is known"):
        inside(name="web", others=(Target("web", url="http://x"),))


@pytest.mark.parametrize(
    ("with_", "why"),
    [
        ({}, "either"),
        ({"path": "x", "match": "("}, "not a regular expression"),
        ({"path": "x", "since": "check"}, "needs `watch`"),
        ({"path": "x", "until_matches": 1}, "needs `watch`"),
    ],
)
def test_params_that_make_no_sense_are_refused(with_: dict[str, Any], why: str) -> None:
    """What could not be measured is an error when the profile is loaded."""
    with pytest.raises(InvalidConfig, match=why):
        observe("log.lines", **with_)
