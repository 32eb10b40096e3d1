"""The command as a process of its own: start-up, signals, pipes, and bugs of the tool."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import Place
from tests.cli.process import ROOT, WAIT_S, finish, imported, start
from xnai_validate import __version__
from xnai_validate.report.formats.json import parse

HEAVY = ("httpx", "redis", "psutil", "pydantic", "pydantic_core", "yaml", "asyncio")


def test_help_imports_nothing_heavy() -> None:
    """--help answers without the libraries that only a command needs."""
    assert imported("--help") & set(HEAVY) == set()


def test_version_imports_not_even_the_command_line() -> None:
    """--version is answered at once."""
    assert imported("--version") & {*HEAVY, "typer", "inspect"} == set()
    assert finish(start("--version")) == (0, f"xnai-validate {__version__}\n", "")


@pytest.mark.parametrize("words", ["", "run ", "run --", "list ", "explain"])
def test_completion_imports_what_typer_needs(words: str) -> None:
    """Words are completed without the libraries that a command needs; Typer itself needs pydantic."""
    typed = f"xnai-validate {words}"
    number = str(len(words.split(" ")))
    found = imported(_XNAI_VALIDATE_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=number)
    assert found & {"httpx", "redis", "psutil", "yaml", "asyncio", "rich", "jsonpath_rfc9535"} == set()


def test_a_list_imports_neither_the_engine_nor_the_kinds(place: Place) -> None:
    """The profiles are listed from their YAML."""
    assert imported("list") & {"httpx", "redis", "psutil", "asyncio", "jsonpath_rfc9535"} == set()


def test_ctrl_c_is_130_with_a_partial_report(place: Place) -> None:
    """The first Ctrl-C ends the run in good order: what was seen is reported, on stdout and in files, and kept."""
    process = start("run", "hanging", "-o", "r.json")
    try:
        assert place.site.hanging.wait(WAIT_S)
        process.send_signal(signal.SIGINT)
        code, out, err = finish(process)
    finally:
        process.kill()
    assert code == 130
    assert "INTERRUPTED (exit 130)" in out
    assert "Traceback" not in err
    report = parse((place.path / "r.json").read_text())
    assert [check.status for check in report.checks] == ["pass", "skip"]
    assert len(list((place.state / "runs").iterdir())) == 1


def test_sigterm_is_130_too(place: Place) -> None:
    """A run that a supervisor ends reports as one that a person ends."""
    process = start("run", "hanging", "--format", "json")
    try:
        assert place.site.hanging.wait(WAIT_S)
        process.terminate()
        code, out, _ = finish(process)
    finally:
        process.kill()
    assert (code, json.loads(out)["verdict"]) == (130, "interrupted")


def test_a_reader_that_leaves_is_no_error(place: Place) -> None:
    """`| head -1` leaves neither a traceback nor a complaint, and a run keeps its verdict."""
    for args, code in ((("run", "bad"), 1), (("list", "kinds"), 0), (("run", "good", "--format", "jsonl"), 0)):
        process = start(*args)
        assert process.stdout is not None
        process.stdout.close()
        process.wait(WAIT_S)
        assert process.stderr is not None
        with process.stderr:
            assert process.stderr.read() == "", args
        assert process.returncode == code, args


def test_an_unforeseen_error_is_a_sentence(place: Place) -> None:
    """A bug of the tool is reported in one sentence, with the traceback in a file that only its owner reads; exit 3."""
    program = (
        "import sys, xnai_validate.cli.running.targets as targets\n"
        "def boom(*args): raise RuntimeError('out of \\x1b[31mcheese')\n"
        "targets.load_plan = boom\n"
        "sys.argv = ['xnai-validate', 'run', 'good']\n"
        "from xnai_validate.cli import main\nmain()\n"
    )
    environment = {**os.environ, "PYTHONPATH": ROOT}
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=WAIT_S, check=False
    )
    assert result.returncode == 3
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert r"xnai-validate itself broke: RuntimeError: out of \x1b[31mcheese" in result.stderr
    (kept,) = place.state.glob("traceback-*.txt")
    assert str(kept) in result.stderr
    assert "in boom" in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_where_the_encoding_is_ascii_so_is_the_report(place: Place) -> None:
    """A terminal that knows only ASCII gets only ASCII, and no error."""
    code, out, _ = finish(start("run", "bad", PYTHONIOENCODING="ascii", PYTHONUTF8="0"))
    assert code == 1
    assert out.isascii()
    assert "Failed: 1 ---" in out


@pytest.mark.parametrize("size", [(24, 80), (40, 120)])
def test_on_a_terminal_it_is_live_and_leaves_a_clean_screen(place: Place, size: tuple[int, int]) -> None:
    """On a terminal the display moves while the run goes on, is erased at the end, and the report is as wide as it."""
    import fcntl
    import pty
    import struct
    import termios

    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    environment = {**os.environ, "PYTHONPATH": ROOT, "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "xnai_validate", "run", "hanging", "--deadline", "2s"]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    seen = b""
    end = time.monotonic() + WAIT_S
    try:
        while time.monotonic() < end:
            try:
                chunk = os.read(main, 65536)
            except OSError:  # the terminal is closed when the process has ended (Linux: EIO)
                break
            if not chunk:
                break
            seen += chunk
    finally:
        os.close(main)
        process.kill()
    assert process.wait(WAIT_S) == 5
    text = seen.decode()
    display, report = text.split("\x1b[?25h", 1)
    assert "Something hangs" in display
    assert "site/hanging:hangs" in display
    assert "STOPPED (exit 5)" in report
    rule = max(len(line) for line in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", report).splitlines())
    assert rule == size[1]
