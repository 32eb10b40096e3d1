"""The end of a log file as evidence: few lines, of regular files only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xnai_validate.model.results.exchange import BODY_CAP, Exchange, recorder
from xnai_validate.model.secrets.masking import MASK
from xnai_validate.wire.containers.log import LINE_CAP, LINES, TAIL_CAP
from xnai_validate.wire.log_file import record_file_end


def recorded(path: Path) -> tuple[Exchange, ...]:
    """What is kept of a file."""
    with recorder() as kept:
        record_file_end(str(path))
    return kept.exchanges()


def test_the_last_lines_are_one_exchange(tmp_path: Path) -> None:
    """Those that have come, the last one without its end too, and the command that prints them again."""
    log = tmp_path / "api.log"
    log.write_bytes(b"begun\r\n" + b"line\n" * LINES + "Traceback \xff".encode("latin-1"))
    [exchange] = recorded(log)
    assert (exchange.protocol, exchange.request, exchange.options) == ("file", str(log), {"-n": str(LINES)})
    assert (exchange.response_body or "").split("\n") == ["line"] * (LINES - 1) + ["Traceback \ufffd"]


def test_a_long_log_is_bounded(tmp_path: Path) -> None:
    """Neither its size nor that of its lines is what a report holds."""
    log = tmp_path / "api.log"
    log.write_bytes(b"x" * TAIL_CAP + b"\n" + (b"y" * 2 * LINE_CAP + b"\n") * LINES)
    [exchange] = recorded(log)
    assert len(exchange.response_body or "") == BODY_CAP
    assert "x" not in (exchange.response_body or "")


def test_what_a_line_assigns_to_a_secret_name_is_masked(tmp_path: Path) -> None:
    """A log is free text: what looks like a password by its name is none of a report; other values stay."""
    log = tmp_path / "api.log"
    lines = ("connect password=hunter2 host=db", 'API_KEY: "abc" port: 5', "Authorization: Bearer abc.def 200")
    log.write_text("\n".join(lines), encoding="utf-8")
    [exchange] = recorded(log)
    assert (exchange.response_body or "").split("\n") == [
        f"connect password={MASK} host=db",
        f'API_KEY: "{MASK}" port: 5',
        f"Authorization: {MASK} 200",
    ]


@pytest.mark.parametrize("kind", ["missing", "empty", "folder", "pipe"])
def test_what_is_no_log_is_left_out(tmp_path: Path, kind: str) -> None:
    """A pipe is not waited for."""
    log = tmp_path / "api.log"
    if kind == "empty":
        log.touch()
    elif kind == "folder":
        log.mkdir()
    elif kind == "pipe":
        os.mkfifo(log)
    assert recorded(log) == ()
