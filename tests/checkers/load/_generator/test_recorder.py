"""Slices of time and the record of every request, against real servers."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from tests.checkers.streaming import DONE, SOURCES, TOKEN, plays
from tests.context import observe
from tests.scripted import Line, ReceivedRequest, Scripted, ok, raw_response, scripted
from xnai_validate.checkers.load._generator import recorder
from xnai_validate.kit import Target, Unmeasurable


def facts_of(kind: str, server: Scripted, **with_: Any) -> dict[str, Any]:
    """The facts of 20 requests in a second."""
    target = Target("api", server.url())
    return dict(observe(kind, target, **{"arrivals": {"rate": 20}, "for": "1s", **with_}).facts)


def test_slices_show_when_a_server_stood_still() -> None:
    """It stops once, 0.6 s after the beginning, for 0.8 s: the slices before are quick, and the slow ones are named."""
    begun: list[float] = []

    async def script(request: ReceivedRequest, line: Line) -> bool:
        begun.append(time.monotonic())
        if len(begun) == 12:
            time.sleep(0.8)  # noqa: ASYNC251 (all of the server stands still)
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        return True

    with scripted(script) as server:
        slices = facts_of("load.http", server, slices="250ms")["slices"]
    assert [part["at_s"] for part in slices] == [0, 0.25, 0.5, 0.75]
    assert [part["due"] for part in slices] == [5, 5, 5, 5]
    assert [part["answered"] for part in slices] == [5, 5, 5, 5]
    assert slices[3]["p50_ms"] > 400
    assert slices[2]["p99_ms"] > 700
    assert slices[0]["p50_ms"] < slices[3]["p50_ms"]


def test_slices_count_errors_and_times_to_the_first_token() -> None:
    """Answers with a wrong status are errors of their slice; streams show their first tokens."""
    with scripted(raw_response(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")) as server:
        [part] = facts_of("load.http", server, slices="1s", stop_at=None)["slices"]
    assert (part["due"], part["answered"], part["errors"], part["p50_ms"]) == (20, 0, 20, None)
    with scripted(plays(SOURCES, 0.1, TOKEN, 0.1, DONE)) as server:
        [part] = facts_of("load.sse", server, slices="1s")["slices"]
    assert (part["due"], part["answered"], part["errors"]) == (20, 20, 0)
    assert 100 <= part["first_token_p50_ms"] < part["p50_ms"]


def test_a_record_has_a_line_for_each_request(tmp_path: Path) -> None:
    """In times since the beginning, with the outcome; the warm-up is not in it, and no other file is left."""
    file = tmp_path / "requests.jsonl"
    file.write_text("old\n", encoding="utf-8")
    with scripted(ok(b"hi")) as server:
        facts = facts_of("load.http", server, record=str(file), warmup="200ms")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert facts["recorded_count"] == len(lines) == 20
    assert {line["outcome"] for line in lines} == {"200"}
    assert sorted(line["due_ms"] for line in lines) == pytest.approx([50 * number for number in range(20)], abs=0.01)
    assert all(line["due_ms"] <= line["sent_ms"] <= line["ended_ms"] for line in lines)
    assert os.listdir(tmp_path) == ["requests.jsonl"]


def test_a_record_of_streams_has_their_tokens(tmp_path: Path) -> None:
    """Time to the first token, the longest gap and the number of tokens of each."""
    file = tmp_path / "streams.jsonl"
    with scripted(plays(SOURCES, 0.05, TOKEN, 0.1, TOKEN, DONE)) as server:
        facts_of("load.sse", server, record=str(file))
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 20
    assert {(line["outcome"], line["status"], line["tokens"]) for line in lines} == {("200", 200, 2)}
    assert all(line["first_token_ms"] >= 49 and line["longest_gap_ms"] >= 50 for line in lines)


def test_a_record_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its last line the load goes on without one."""
    monkeypatch.setattr(recorder, "LINES_CAP", 7)
    file = tmp_path / "requests.jsonl"
    with scripted(ok(b"hi")) as server:
        facts = facts_of("load.http", server, record=str(file))
    assert (facts["completed_count"], facts["recorded_count"]) == (20, 7)
    assert len(file.read_text(encoding="utf-8").splitlines()) == 7


def test_a_record_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """It names the file; the figures would be there without their evidence."""
    with scripted(ok(b"hi")) as server, pytest.raises(Unmeasurable, match="no-folder"):
        facts_of("load.http", server, record=str(tmp_path / "no-folder" / "requests.jsonl"))
