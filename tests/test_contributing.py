"""What CONTRIBUTING.md shows is carried out: a kind, a fault, a format, a command, an option and a defect."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PROFILE = "title: Echo\nsuites: [echo/*]\nallow: [disruptive]\n"
DEFECT = '''"""Documentation that refuses its readers."""
from starlette.responses import Response
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.docs import page

TEAPOT = Defect("docs-teapot", "The documentation answers 418.", checks=("services/answers:docs-page",))

@TEAPOT.wraps(page)
async def refuse(page, /, request):
    return Response(status_code=418)
'''
"""A defect as the document describes it, in a topic of its own."""
FORMAT = '''"""The report for a spreadsheet."""
from xnai_validate.report.format import Format

def render(report, view):
    for check in report.checks:
        yield f"{check.id},{check.status}\\n"

FORMAT = Format("csv", "For a spreadsheet.", extensions=(".csv",), render=render)
'''
COMMAND = '''"""`xnai-validate greet`: greet somebody."""
import typer
from xnai_validate.cli.terminal.command_help import Command, command_app
from xnai_validate.cli.terminal.console import print_out
from xnai_validate.errors import XnaiError

app = command_app()

@app.command(cls=Command)
def greet(name: str) -> None:
    """Greet somebody."""
    if not name:
        raise XnaiError("the name is empty", hint="give a name")
    print_out(f"Hello {name}\\n")
'''
SUITE = """
title: Echo
checks:
  - id: short
    title: A short text comes back
    kind: echo.reply
    with: {{text: hello}}
    expect: {{size_bytes: 5}}
  - id: flagged
    title: A text comes back while a flag is up
    kind: echo.reply
    with: {{text: hello}}
    under: [{{fault: echo.flag, with: {{path: {flag}}}}}]
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the files that the document shows, and a suite that uses them."""
    folder = tmp_path_factory.mktemp("contributing")
    shutil.copytree(ROOT / "xnai_validate", folder / "xnai_validate")  # with what is compiled, which spares a second
    shown = re.findall(r"(?ms)^```python (\S+)\n(.*?)^```$", TEXT)
    assert [path for path, _ in shown] == [
        "xnai_validate/checkers/echo/reply.py",
        "xnai_validate/faults/echo/flag.py",
    ]
    for path, code in shown:
        file = folder / path
        file.parent.mkdir()
        (file.parent / "__init__.py").write_text('"""Echoes."""\n')
        file.write_text(code)
    topic = folder / "xnai_validate/demo/defects/echo"
    topic.mkdir()
    (topic / "__init__.py").write_text('"""Echoes."""\n')
    (topic / "teapot.py").write_text(DEFECT)
    (folder / "checks/echo").mkdir(parents=True)
    (folder / "checks/echo/reply.yaml").write_text(SUITE.format(flag=folder / "flag"))
    (folder / "profiles").mkdir()
    (folder / "profiles/echo.yaml").write_text(PROFILE)
    (folder / "xnai_validate/report/formats/csv.py").write_text(FORMAT)
    (folder / "xnai_validate/cli/commands/greet.py").write_text(COMMAND)
    insert(folder / "xnai_validate/cli/app.py", "COMMANDS = {\n", '    "greet": "Greet somebody.",\n')
    insert(
        folder / "xnai_validate/cli/running/options.py",
        "    dry_run: ",
        '    polite: Annotated[bool, _REPORT("--polite", help="Thank for each report.")] = False\n',
        before=True,
    )
    return folder


def insert(file: Path, at: str, text: str, *, before: bool = False) -> None:
    """Insert a text into a file, after (or before) the one place that reads `at`."""
    start, found, end = file.read_text().partition(at)
    assert found
    assert at not in end
    file.write_text(start + (text + found if before else found + text) + end)


def command(copy: Path, *arguments: str, code: int = 0) -> str:
    """What a command of the copy prints on stdout and stderr, if it ends with this exit code."""
    environ = {**os.environ, "PYTHONPATH": str(copy), "XNAI_VALIDATE_STATE": str(copy / "state")}
    done = subprocess.run(
        [sys.executable, "-m", "xnai_validate", *arguments],
        cwd=copy,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_kind_and_the_fault_are_listed_and_explained(copy: Path) -> None:
    """Both are found by their file names, and their documentation is made from docstrings and annotations."""
    assert "echo.reply" in command(copy, "list", "kinds")
    assert "echo.flag" in command(copy, "list", "faults")
    explained = command(copy, "explain", "echo.reply")
    assert "Send a text back." in explained
    assert "The length of the answer in UTF-8." in explained


def test_checks_of_the_kind_are_valid_and_pass(copy: Path) -> None:
    """`lint` validates a suite that uses both, `run` passes, and the fault is reverted afterwards."""
    command(copy, "lint", "echo")
    assert "2 passed" in command(copy, "run", "echo")
    assert not (copy / "flag").exists()


def test_the_format_is_found_by_its_name_and_its_extension(copy: Path) -> None:
    """Its file alone makes it a `--format` and the format of files with its extension."""
    lines = "echo/reply:short,pass\necho/reply:flagged,pass\n"
    assert command(copy, "run", "echo", "--format", "csv", "-o", "report.csv") == lines
    assert (copy / "report.csv").read_text() == lines
    assert command(copy, "report", "last", "--format", "csv") == lines


def test_the_format_has_golden_files(copy: Path) -> None:
    """With its extension in `golden.py`, one command writes them, beside those of the other formats."""
    for package in ("tests", "tests/report"):
        (copy / package).mkdir()
        for file in (ROOT / package).glob("*.py"):
            shutil.copy(file, copy / package)
    insert(copy / "tests/report/golden.py", "_EXTENSIONS = {", '"csv": "csv", ')
    environ = {**os.environ, "PYTHONPATH": str(copy)}
    subprocess.run([sys.executable, "-m", "tests.report.golden"], cwd=copy, env=environ, timeout=60, check=True)
    written = {file.name for file in (copy / "tests/report/golden").iterdir()}
    assert {name for name in written if name.endswith(".csv")} == {
        name.removesuffix("tap") + "csv" for name in written if name.endswith(".tap")
    }
    assert written >= {file.name for file in (ROOT / "tests/report/golden").iterdir()}


def test_the_command_is_listed_and_runs(copy: Path) -> None:
    """It stands in the help, has a help of its own, runs, and its errors are a message and an exit code."""
    assert re.search(r"^  greet +Greet somebody\.$", command(copy, "--help"), re.MULTILINE)
    assert "Greet somebody." in command(copy, "greet", "--help")
    assert command(copy, "greet", "Ada") == "Hello Ada\n"
    refused = command(copy, "greet", "", code=3)
    assert "the name is empty" in refused
    assert "give a name" in refused
    assert "Traceback" not in refused


def test_the_option_of_run_is_in_its_help(copy: Path) -> None:
    """A field of `RunOptions` is an option, described in the help under its heading, and accepted."""
    report = command(copy, "run", "--help").partition("\nReport:\n")[2].partition("\n\n")[0]
    assert re.search(r"--polite +Thank for each report\.", report)
    assert "2 passed" in command(copy, "run", "echo", "--polite")


def test_the_defect_is_listed_and_breaks_a_stack(copy: Path) -> None:
    """Its file alone puts it in the catalogue, and a stack that has it does what its description states."""
    assert "docs-teapot" in command(copy, "demo", "--list-defects")
    answered = (
        "import httpx; from xnai_validate.demo.processes.stack import EmbeddedStack\n"
        "with EmbeddedStack.start(defects=('docs-teapot',)) as stack:\n"
        "    print(httpx.get(stack.description['targets']['docs']['url']).status_code)"
    )
    environ = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "-c", answered], cwd=copy, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "418\n", done.stderr


def test_the_document_is_short_and_names_files_that_exist() -> None:
    """It fits on two screens, describes the way of a check in ten lines, and every file that it names exists."""
    lines = TEXT.splitlines()
    assert len(lines) <= 90
    assert max(len(line) for line in lines) <= 160
    way = TEXT.partition("## How a check travels")[2].partition("\n## ")[0]
    assert len(re.findall(r"(?m)^\d+\. ", way)) == len(way.strip().splitlines()) == 10
    prose = re.sub(r"(?ms)^```.*?^```$", "", TEXT)
    for path in re.findall(r"`((?:\w+/)+\w+\.py)`", prose):
        if path != "checkers/echo/reply.py":
            assert any((folder / path).is_file() for folder in (ROOT, ROOT / "xnai_validate")), path
