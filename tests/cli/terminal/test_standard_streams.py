"""Standard streams that are closed or full: the command does its work, and the exit code shows the result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.cli.process import ROOT, WAIT_S

SHELL = "PYTHONPATH={root} exec {python} -m xnai_validate {args} {redirection}"


def shell(args: str, redirection: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command whose streams the shell has arranged."""
    text = SHELL.format(root=ROOT, python=sys.executable, args=args, redirection=redirection)
    result = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=WAIT_S, check=False)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_lead_nowhere(place: Place, redirection: str) -> None:
    """A run keeps its verdict and writes its files, whichever standard streams were closed before it began."""
    assert shell("run bad -v -o r.json", redirection)[0] == 1
    document = json.loads((place.path / "r.json").read_text())
    assert document["exit_code"] == 1
    assert shell("--version", redirection)[0] == 0
    assert shell("run nosuch", redirection)[0] == 2


@pytest.mark.parametrize(
    "args",
    ["--version", "--help", "run --help", "list kinds", "explain tcp.connect", "schema report", "run good --dry-run"],
)
def test_a_full_disk_behind_stdout_is_one_line(place: Place, args: str) -> None:
    """An error of stdout is one line on stderr, and the exit code is not that of success."""
    assert shell(args, "> /dev/full") == (3, "", "stdout cannot be written: No space left on device\n")


def test_a_full_disk_behind_stderr_hides_no_exit_code(place: Place) -> None:
    """A wrong profile exits 2 and a run exits with its verdict, also if stderr cannot be written."""
    assert shell("run nosuch", "2> /dev/full")[0] == 2
    assert shell("run mistaken", "2> /dev/full")[0] == 2
    assert shell("run good -o full.jsonl", "2> /dev/full")[0] == 0


def test_no_file_takes_the_number_of_a_closed_stream(place: Place) -> None:
    """With stdout closed, what is written to descriptor 1 goes into no journal and no report."""
    assert shell("run good -o r.jsonl", ">&- 2>&-")[0] == 0
    (journal,) = (place.state / "runs").glob("*.jsonl")
    for path in (journal, Path("r.jsonl")):
        assert all(json.loads(line) for line in path.read_text().splitlines())
    assert (place.path / "r.jsonl").read_text() == journal.read_text()


@pytest.mark.parametrize("args", ["run good", "run good -o r.json", "list", "lint", "explain tcp.connect"])
def test_a_current_directory_that_is_gone_is_one_line(place: Place, args: str) -> None:
    """If the current directory was removed, the error is that, and how to go on."""
    text = f"mkdir gone && cd gone && rmdir ../gone && PYTHONPATH={ROOT} exec {sys.executable} -m xnai_validate {args}"
    result = subprocess.run(["sh", "-c", text], capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert result.returncode == 2
    assert result.stderr == "the current directory no longer exists\n  change to another directory\n"
    assert result.stdout == ""
