"""What is written to stdout arrives whole."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys

import pytest

from xnai_validate.cli.terminal.console import print_all, print_notice


class Reluctant(io.RawIOBase):
    """A stream without a buffer that takes a few bytes at a time, and sometimes none, as write(2) may."""

    def __init__(self) -> None:
        self.taken = b""
        self.turn = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int | None:
        assert isinstance(data, memoryview)
        self.turn += 1
        if self.turn % 3 == 0:
            return None
        self.taken += bytes(data[:7])
        return min(7, len(data))


def test_what_a_stream_does_not_take_at_once_is_offered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the midst of a letter."""
    raw = Reluctant()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "utf-8", write_through=True))  # type: ignore[type-var]
    print_all(["a report of \u00fcmlauts \u20ac" * 5, "\n", "and its end\n"])
    assert raw.taken.decode() == "a report of \u00fcmlauts \u20ac" * 5 + "\nand its end\n"


def test_a_notice_is_broken_between_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal; what is not one gets it as one line."""
    names = ", ".join(f"the-defect-{n}" for n in range(20))
    for terminal in (True, False):
        stderr = io.StringIO()
        monkeypatch.setattr(stderr, "isatty", lambda terminal=terminal: terminal)
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setenv("COLUMNS", "60")
        print_notice(f"broken on purpose: {names}")
        lines = stderr.getvalue().splitlines()
        assert " ".join(line.strip() for line in lines) == f"broken on purpose: {names}"
        assert (max(map(len, lines)) <= 60, len(lines) > 1) == (terminal, terminal)


def test_a_signal_while_a_report_is_written_cuts_nothing() -> None:
    """A process with PYTHONUNBUFFERED whose reader is slow, under a hail of signals."""
    code = (
        "import json, signal\n"
        "from xnai_validate.cli.terminal.console import print_all\n"
        "signal.signal(signal.SIGUSR1, lambda *of: None)\n"
        "print_all(['[', json.dumps(list(range(200_000))), ']'])\n"
    )
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=env, bufsize=0) as process:
        assert process.stdout is not None
        pieces = [process.stdout.read(1)]
        while piece := os.read(process.stdout.fileno(), 16_384):
            pieces.append(piece)
            if sum(map(len, pieces)) < 1_000_000:  # not when it ends, for then it has no handler any more
                process.send_signal(signal.SIGUSR1)
        assert process.wait(20) == 0
    assert json.loads(b"".join(pieces)) == [list(range(200_000))]
